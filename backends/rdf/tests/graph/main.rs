//! The knowledge graph that answers SPARQL, embedded and on a server.
//!
//! What a graph promises is written once, in [`promises`], and holds of both.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod embedded;
mod flows;
mod persistence;
mod promises;
mod properties;
mod retention;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}
