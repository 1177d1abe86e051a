//! What 100,000 flows cost in the embedded knowledge graph: time and memory per flow, and whether both stay flat.
//!
//! `cargo bench -p graceful-benches --features graph --bench graph`
//!
//! Flows of 20,000 users, each of one of 100 teams: first in a graph of the default size, which forgets, and then in one
//! that keeps them all. Memory is what the process holds, told by Linux; elsewhere it is not told.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use graceful::{
    Code, Flow, OrchestrationConfig, Orchestrator, Success,
    backends::{KnowledgeGraph as _, Retention, oxigraph::Graph},
};

const FLOWS: usize = 100_000;
const USERS: usize = 20_000;
const ROW: usize = 10_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let users = Orchestrator::builder().service("users").build().unwrap();
        // What the first of all costs is not the graph's.
        fill("warm-up", &users, &Graph::new(), ROW).await;
        fill("the default: at most 10,000 flows", &users, &Graph::new(), FLOWS).await;
        let all = Graph::bounded(usize::MAX, Retention::new().with_age(Duration::MAX));
        fill("all flows", &users, &all, FLOWS).await;
        ask(&users, &all).await;
    });
}

async fn fill(name: &str, users: &Orchestrator, graph: &Graph, flows: usize) {
    println!("\n{name}\n  flows so far   held   µs per flow, mean and longest   MiB   kB per flow held");
    let before = resident();
    for row in 0..flows / ROW {
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
    let user = users.key("user", 7);
    let start = Instant::now();
    let history = graph.history(&user, 10).await.unwrap();
    println!("\nhistory of one user, {} flows: {} µs", history.len(), start.elapsed().as_micros());
    let start = Instant::now();
    let members = "SELECT (COUNT(?user) AS ?n) {
        <urn:graceful:entity:users::user:7> <urn:graceful:relation:member_of> ?team .
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

/// The bytes of this process that are in memory.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize =
        status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}
