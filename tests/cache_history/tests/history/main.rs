//! No read through the cache is stale, whatever happens; and the checker finds the stale reads of caches that are used in the usual ways.
//!
//! A run is repeated with `GRACEFUL_SEED`. With `GRACEFUL_SOAK` each run has 1,000,000 calls.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod comparisons;
mod faults;
mod in_memory;
mod processes;
mod stampede;

use std::{env, process::ExitCode};

use graceful_tests_cache_history::workload::Plan;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The calls of one run: this many, and in the long form 1,000,000.
fn plan(operations: u64) -> Plan {
    let seed =
        env::var("GRACEFUL_SEED").map_or(23, |seed| seed.parse().expect("GRACEFUL_SEED: not a number"));
    Plan::new(seed, if is_long() { 1_000_000 } else { operations })
}

fn is_long() -> bool {
    env::var_os("GRACEFUL_SOAK").is_some()
}
