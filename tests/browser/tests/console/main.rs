//! The pages of the console in a browser.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod actions;
mod ids;
mod keyboard;
mod live;
mod pages;
mod places;
mod site;
mod stored;

use std::process::ExitCode;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}
