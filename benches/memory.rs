//! `cargo bench -p graceful-benches --bench memory`: the bytes of a million entities that were read through the cache in memory, and those of
//! entities on which all nine steps have run.
//!
//! Each figure is the growth of the resident memory of a process of its own, divided by the number of entities.

use std::{env, fs, process::Command};

use graceful::{Orchestrator, backends::memory};
use graceful_benches::{
    RETAINED, annotated, nine,
    reads::counter,
    scenario::polled,
    user::{JSON, User},
};

const ENTITIES: u64 = 1_000_000;

/// So few that no backend is full by their number.
const UPDATED: u64 = 8_192;

/// More than the history of an entity.
const UPDATES: u64 = 40;

/// Room for all of them.
const RAISED: (usize, usize) = (2 * 1_000_000, 1 << 30);

fn main() {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("raised") => fill(memory::Cache::with_limits(RAISED.0, RAISED.1), "a raised limit"),
        Some("default") => fill(memory::Cache::new(), "the default limit"),
        Some("by hand") => {
            let (service, mut events) = nine::Service::new();
            update("by hand", |user| {
                drop(polled(service.all(user)));
                while events.try_recv().is_ok() {}
            });
        }
        Some("graceful") => {
            let most = usize::MAX / 2;
            install_nine(memory::Graph::with_limits(10_000, most), memory::Nexus::with_limits(10_000, most));
            update("graceful, without a limit of bytes", |user| drop(polled(annotated::nine(user))));
        }
        Some("limited") => {
            install_nine(memory::Graph::new(), memory::Nexus::new());
            update("graceful, the default limits", |user| drop(polled(annotated::nine(user))));
        }
        _ => {
            for limit in ["raised", "default", "by hand", "graceful", "limited"] {
                let program = env::current_exe().expect("a program knows where it is");
                assert!(Command::new(program).arg(limit).status().expect("the child starts").success());
            }
        }
    }
}

fn fill(cache: memory::Cache, limit: &str) {
    let orchestrator = Orchestrator::builder().service("users").cache(cache).build();
    orchestrator.expect("a cache is all that a reader needs").install().expect("the only one");
    drop(polled(counter(ENTITIES)));
    let before = resident();
    for id in 0..ENTITIES {
        drop(polled(counter(id)));
    }
    let grown = resident() - before;
    println!("{ENTITIES} entities, {limit}: {} MiB, {} bytes per entity", grown >> 20, grown / ENTITIES);
}

fn install_nine(graph: memory::Graph, nexus: memory::Nexus) {
    let orchestrator = Orchestrator::builder()
        .service("users")
        .cache(memory::Cache::new())
        .events(memory::Events::new())
        .metadata(memory::MetadataStore::new())
        .scheduler(memory::Scheduler::new())
        .audit(memory::AuditLog::with_capacity(RETAINED))
        .alerts(memory::Alerts::new())
        .graph(graph)
        .nexus(nexus);
    orchestrator.build().expect("every handler has what it asks for").install().expect("the only one");
}

fn update(by: &str, mut call: impl FnMut(User)) {
    call(User::sample(0, true, JSON));
    let before = resident();
    for _ in 0..UPDATES {
        for id in 0..UPDATED {
            call(User::sample(id, true, JSON));
        }
    }
    let grown = resident() - before;
    println!(
        "nine steps, {UPDATED} entities, {by}: {} MiB, {} bytes per entity",
        grown >> 20,
        grown / UPDATED
    );
}

/// The bytes of the process that are in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the line is there");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes * 1024
}
