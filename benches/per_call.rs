//! `cargo bench -p graceful-benches`: what one call costs, in instructions, allocations and nanoseconds.
//!
//! Every figure comes from a process of its own, which runs one scenario. Instructions and allocations are counted by
//! callgrind, inside [`measured`] only; without valgrind there are only times. Times are the best of interleaved rounds.
#![allow(missing_docs, reason = "a program")]

use std::{
    collections::HashMap,
    env, fs,
    hint::black_box,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use graceful_benches::{
    annotated,
    scenario::{BY_HAND, GRACEFUL, Running, SCENARIOS, Scenario},
    user::{User, UserError},
};
use serde::{Deserialize, Serialize};

/// Few entities, so that what is kept of each (32 flows) is full before measuring starts.
const ENTITIES: u64 = 50;
const WARM_UP: u64 = 40 * ENTITIES;
const TASKS: u64 = 64;

/// One line of the table: a scenario, how it ends, and with what load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    steps: String,
    by: String,
    ok: bool,
    /// Bytes of JSON beside the usual 400.
    more: usize,
    tasks: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    #[serde(flatten)]
    case: Case,
    instructions: Option<f64>,
    allocations: Option<f64>,
    nanoseconds: f64,
}

fn main() {
    let mut arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "run") {
        return run(&arguments.remove(1), arguments[1].parse().expect("a number of calls"));
    }
    todo!()
}

/// The only function whose instructions are counted.
#[inline(never)]
fn measured(running: &mut Running, user: User) -> Result<User, UserError> {
    let outcome = (running.call)(user);
    (running.drain)();
    outcome
}

/// The child: runs one case so many times, and prints the nanoseconds of a call.
fn run(case: &str, calls: u64) {
    let case: Case = serde_json::from_str(case).expect("a case");
    let mut running = (Scenario::find(&case.steps, &case.by).expect("a scenario").start)();
    let user = |n| User::sample(n % ENTITIES, case.ok, case.more);
    for n in 0..WARM_UP {
        let _ = black_box((running.call)(user(n)));
        (running.drain)();
    }
    for n in 0..calls {
        let user = black_box(user(n));
        let _ = black_box(measured(&mut running, user));
    }
    println!("0");
}
