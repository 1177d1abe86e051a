//! The console, by HTTP.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod audit;
mod entity;
mod graph;
mod groups;
mod handlers;
mod incidents;
mod live;
mod operation;
mod operations;
mod payload;
mod places;
mod questions;
mod security;
mod settings;
mod silent;
mod site;
mod stored;
mod uncountable;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}
