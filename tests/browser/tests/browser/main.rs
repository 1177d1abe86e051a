//! The browser and the proxies for tests of pages, against pages of their own.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod browser;
mod front;
mod reports;

use std::process::ExitCode;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}
