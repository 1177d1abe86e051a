//! Servers that shut down in order: real processes, which get real signals.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod child;
mod grpc;
mod http;
mod in_process;
mod process;

use std::{env, process::ExitCode};

/// With settings for a server in its environment, this binary is that server.
fn main() -> ExitCode {
    match env::var(child::SETTINGS) {
        Ok(settings) => child::main(&settings),
        Err(_) => graceful_tests::harness::main(),
    }
}
