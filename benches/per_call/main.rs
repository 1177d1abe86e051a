//! `cargo bench -p graceful-benches`: the cost of one call in instructions, allocations and nanoseconds.
//!
//! Every figure comes from a separate process, which runs one scenario. Callgrind counts instructions, inside
//! [`measurement::measured`] only; without valgrind they are not counted. Times are the best of interleaved rounds, so that other
//! load affects all scenarios alike.
//!
//! `-- --json FILE` writes the figures, `--no-times` omits the times, `--only graceful` measures one column only.

mod measurement;

use std::{
    collections::BTreeMap,
    env, fs,
    process::{Command, Output},
};

use graceful_benches::{
    annotated,
    entity::NUMBER,
    scenario::{
        AUDITED, AWAITS, BARE, BY_HAND, CACHED, FIXED, FIXED_WIRE, GRACEFUL, HIT, INSTRUMENTED, MISS,
        MOKA_LOADS, NONE, SCENARIOS, Scenario,
    },
    user::{JSON, User},
};
use serde::{Deserialize, Serialize};

use self::measurement::{Measured, per, run};

const COUNTED: u64 = 1000;
const TIMED: u64 = 10_000;
const ROUNDS: usize = 7;

/// One line of the table: a scenario, its outcome and its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    steps: String,
    by: String,
    ok: bool,
    /// Bytes of JSON.
    payload: usize,
    /// The number of concurrent callers; several run on two threads.
    tasks: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    #[serde(flatten)]
    case: Case,
    instructions: Option<f64>,
    allocations: Option<f64>,
    nanoseconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Report {
    rust: String,
    /// Bytes of the handler's future.
    future: BTreeMap<&'static str, usize>,
    calls: Vec<Figures>,
}

/// The arguments of the parent process.
struct Request {
    json: Option<String>,
    times: bool,
    only: Option<String>,
}

fn main() {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let mut request = Request { json: None, times: true, only: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--json" => request.json = Some(value()),
            "--only" => request.only = Some(value()),
            "--no-times" => request.times = false,
            "run" => {
                let case = serde_json::from_str(&value()).expect("the parent writes a case");
                return run(&case, value().parse().expect("and a number"));
            }
            other => panic!("expected --json FILE, --only BY or --no-times, got {other}"),
        }
    }
    let report = report(&request);
    print(&report);
    if let Some(file) = request.json {
        let json = serde_json::to_string_pretty(&report).expect("a report is plain data");
        fs::write(file, json + "\n").expect("the file can be written");
    }
}

fn cases() -> Vec<Case> {
    let case = |steps: &str, by: &str, ok, payload, tasks| Case {
        steps: steps.to_owned(),
        by: by.to_owned(),
        ok,
        payload,
        tasks,
    };
    let mut cases = Vec::new();
    for &Scenario { steps, by, .. } in SCENARIOS {
        if [FIXED, FIXED_WIRE].contains(&steps) {
            cases.push(case(steps, by, true, NUMBER, 1));
            continue;
        }
        cases.push(case(steps, by, true, JSON, 1));
        // A miss whose body fails is not stored, so there is nothing to compare.
        if steps != MISS {
            cases.push(case(steps, by, false, JSON, 1));
        }
    }
    for by in [BY_HAND, GRACEFUL] {
        cases.extend([1024, 64 * 1024].map(|payload| case(CACHED, by, true, payload, 1)));
        cases.push(case(AUDITED, by, true, JSON, 64));
        cases.extend([JSON, NUMBER].map(|payload| case(HIT, by, true, payload, 1)));
    }
    cases
}

fn report(request: &Request) -> Report {
    let valgrind =
        Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if !valgrind {
        eprintln!("valgrind is not installed: INSTRUCTIONS ARE NOT COUNTED");
    }
    let asked = |case: &Case| request.only.as_ref().is_none_or(|by| *by == case.by);
    let mut calls: Vec<Figures> =
        cases().into_iter().filter(asked).map(|case| count(case, valgrind)).collect();
    for _ in 0..if request.times { ROUNDS } else { 0 } {
        for figures in &mut calls {
            let now = child(Command::new(this_program()), &figures.case, TIMED).0.nanoseconds;
            figures.nanoseconds = Some(figures.nanoseconds.map_or(now, |best| best.min(now)));
        }
    }
    let rustc = Command::new("rustc").arg("--version").output().expect("rustc is there: it has built this");
    Report { rust: String::from_utf8_lossy(&rustc.stdout).trim().to_owned(), future: futures(), calls }
}

fn futures() -> BTreeMap<&'static str, usize> {
    let user = || User::sample(1, true, JSON);
    BTreeMap::from([
        (BARE, size_of_val(&annotated::bare(user()))),
        (INSTRUMENTED, size_of_val(&annotated::instrumented(user()))),
        (GRACEFUL, size_of_val(&annotated::cached(user()))),
        ("bare, with an await", size_of_val(&annotated::bare_that_awaits(user()))),
        ("graceful, with an await", size_of_val(&annotated::cached_that_awaits(user()))),
    ])
}

fn this_program() -> std::path::PathBuf {
    env::current_exe().expect("a program knows where it is")
}

/// Measures instructions and allocations, which do not vary, so once is enough.
fn count(case: Case, valgrind: bool) -> Figures {
    let one_thread = case.tasks == 1;
    let command = if valgrind && one_thread {
        let mut command = Command::new("valgrind");
        command
            .args([
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                "--toggle-collect=per_call::measurement::measured*",
            ])
            .arg(this_program());
        command
    } else {
        Command::new(this_program())
    };
    let (measured, output) = child(command, &case, COUNTED);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let collected =
        stderr.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse::<f64>().ok());
    let instructions = collected.map(|all| all / per(COUNTED));
    Figures { case, instructions, allocations: measured.allocations, nanoseconds: None }
}

fn child(mut command: Command, case: &Case, calls: u64) -> (Measured, Output) {
    let case = serde_json::to_string(case).expect("a case is plain data");
    let output = command.args(["run", &case, &calls.to_string()]).output().expect("the child starts");
    match serde_json::from_slice(&output.stdout) {
        Ok(measured) => (measured, output),
        Err(error) => panic!("{case}: {error}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Prints each line with the ratio to the same by hand, or to the bare handler if no step runs.
fn print(report: &Report) {
    println!(
        "{:<32} {:<25} {:<4} {:>6} {:>5} {:>9} {:>6} {:>6} {:>9} {:>6}",
        "steps", "by", "arm", "bytes", "tasks", "instr", "ratio", "alloc", "ns", "ratio"
    );
    for figures in &report.calls {
        let case = &figures.case;
        let by = match case.steps.as_str() {
            NONE | AWAITS => BARE,
            MISS => MOKA_LOADS,
            _ => BY_HAND,
        };
        let beside =
            report.calls.iter().find(|other| other.case == Case { by: by.to_owned(), ..case.clone() });
        let ratio = |of: fn(&Figures) -> Option<f64>| Some(of(figures)? / of(beside?)?);
        println!(
            "{:<32} {:<25} {:<4} {:>6} {:>5} {:>9} {:>6} {:>6} {:>9} {:>6}",
            case.steps,
            case.by,
            if case.ok { "Ok" } else { "Err" },
            case.payload,
            case.tasks,
            shown(figures.instructions, 0),
            shown(ratio(|figures| figures.instructions), 2),
            shown(figures.allocations, 1),
            shown(figures.nanoseconds, 0),
            shown(ratio(|figures| figures.nanoseconds), 2),
        );
    }
    println!("bytes of the future: {:?}", report.future);
}

fn shown(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}
