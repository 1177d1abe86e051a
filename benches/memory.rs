//! `cargo bench -p graceful-benches --bench memory`: the bytes of a million entities that were read through the cache in memory.
//!
//! Each figure is the growth of the resident memory of a process of its own, divided by the number of entities.

use std::{env, fs, process::Command};

use graceful::{Orchestrator, backends::memory};
use graceful_benches::{reads::counter, scenario::poll_once};

const ENTITIES: u64 = 1_000_000;

/// Room for all of them.
const RAISED: (usize, usize) = (2 * 1_000_000, 1 << 30);

fn main() {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("raised") => fill(memory::Cache::with_limits(RAISED.0, RAISED.1), "a raised limit"),
        Some("default") => fill(memory::Cache::new(), "the default limit"),
        _ => {
            for limit in ["raised", "default"] {
                let program = env::current_exe().expect("a program knows where it is");
                assert!(Command::new(program).arg(limit).status().expect("the child starts").success());
            }
        }
    }
}

fn fill(cache: memory::Cache, limit: &str) {
    let orchestrator = Orchestrator::builder().service("users").cache(cache).build();
    orchestrator.expect("a cache is all that a reader needs").install().expect("the only one");
    drop(poll_once(counter(ENTITIES)));
    let before = resident();
    for id in 0..ENTITIES {
        drop(poll_once(counter(id)));
    }
    let grown = resident() - before;
    println!("{ENTITIES} entities, {limit}: {} MiB, {} bytes per entity", grown >> 20, grown / ENTITIES);
}

/// The bytes of the process that are in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the line is there");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes * 1024
}
