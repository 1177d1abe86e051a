//! No read through the cache is stale, whatever happens; and the checker finds the stale reads of caches that are used in the usual ways.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod comparisons;

use std::process::ExitCode;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}
