//! Measures 100,000 flows in the embedded knowledge graph: time and memory per flow, and whether both stay constant.
//!
//! `cargo bench -p graceful-benches --features graph --bench graph`
//!
//! The flows are of 20,000 users in 100 teams. One graph has the default size and deletes old flows, the other one retains all. The memory
//! is the resident memory of the process, which is measured on Linux only.

use std::{
    env, fs,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use graceful::{Code, Flow, OrchestrationConfig, Orchestrator, Success, backends::KnowledgeGraph as _};
use graceful_rdf::{Retention, oxigraph::Graph};

const FLOWS: usize = 100_000;
const USERS: usize = 20_000;
const ROW: usize = 10_000;

/// Each graph is measured in a separate process, because freed memory is not returned to the system.
const CASES: [&str; 2] = ["the default: at most 10,000 flows", "all flows"];
const CASE: &str = "GRACEFUL_BENCH_CASE";

fn main() {
    let Ok(case) = env::var(CASE) else {
        for case in CASES {
            let ended = Command::new(env::current_exe().unwrap()).env(CASE, case).status().unwrap();
            assert!(ended.success(), "{case}: {ended}");
        }
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let users = Orchestrator::builder().service("users").build().unwrap();
        let all = Retention::new().age(Duration::MAX);
        let graph = if case == CASES[0] { Graph::new() } else { Graph::bounded(usize::MAX, all) };
        fill(&case, &users, &graph).await;
        ask(&users, &graph).await;
    });
}

async fn fill(name: &str, users: &Orchestrator, graph: &Graph) {
    println!("\n{name}\n  flows so far   held   µs per flow, mean and longest   MiB   kB per flow held");
    let before = resident();
    for row in 0..FLOWS / ROW {
        let (mut busy, mut longest) = (Duration::ZERO, Duration::ZERO);
        for n in 0..ROW {
            let flow = flow(users, row * ROW + n).await;
            let start = Instant::now();
            graph.record(&flow).await.unwrap();
            let took = start.elapsed();
            busy += took;
            longest = longest.max(took);
        }
        let held = resident().saturating_sub(before);
        let mean = busy.as_micros() / ROW as u128;
        println!(
            "  {:>12} {:>6} {:>20} {:>10} {:>5} {:>18}",
            (row + 1) * ROW,
            graph.len(),
            mean,
            longest.as_micros(),
            held >> 20,
            held / graph.len() / 1000
        );
    }
}

async fn ask(users: &Orchestrator, graph: &Graph) {
    // One of the last users.
    let user = users.key("user", USERS - 1);
    // The first query includes the start of the runtime, so it is not measured.
    graph.query("ASK {}").await.unwrap();
    let start = Instant::now();
    let history = graph.history(&user, 10).await.unwrap();
    println!("\nhistory of one user, {} flows: {} µs", history.len(), start.elapsed().as_micros());
    let start = Instant::now();
    let members = "SELECT (COUNT(?user) AS ?n) {
        <urn:graceful:entity:users::user:19999> <urn:graceful:relation:member_of> ?team .
        ?user <urn:graceful:relation:member_of> ?team }";
    let members = graph.query(members).await.unwrap();
    let count = members.get(0, "n").unwrap().text().to_owned();
    println!("who is in the same team, {count} users: {} µs", start.elapsed().as_micros());
}

async fn flow(users: &Orchestrator, n: usize) -> Arc<Flow> {
    let user = n % USERS;
    let config =
        OrchestrationConfig::new("user").id(user).graph("member_of", user % 100).to_pattern("team").on(users);
    let report = Success::wrap(Code::Ok, "user updated", &()).orchestrate(&config).await;
    Arc::clone(report.flow())
}

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize =
        status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}
