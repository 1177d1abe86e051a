//! The command line as its operators use it: processes of a small service with stores that hold flows.

#[macro_use(test)]
extern crate graceful_tests;

mod actions;
mod contract;
mod failures;
mod incidents;
mod operations;
mod questions;
mod reading;
mod relays;
mod schema;
mod service;
mod stores;
mod subscribers;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main().unwrap_or_else(graceful_tests::harness::main)
}
