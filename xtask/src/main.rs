//! The tasks of this repository. `cargo xtask` lists them; CONTRIBUTING.md explains them.

mod api;
mod asyncapi;
mod axe;
mod ci;
mod debian;
mod dependencies;
mod features;
#[cfg(test)]
mod harness;
mod layers;
mod minimal;
mod run;
mod services;
mod soak;
mod source;

use std::{error::Error, process::ExitCode};

/// What goes wrong in a task is shown to a person, so it is a text.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
cargo xtask TASK

  ci [STEP…]             check everything, or these steps only; `ci --list` prints the steps
  services [--install]   say which servers and programs the tests miss; with --install, put them below target/services
  soak [FILTER]          run the tests in their long form
  layers                 check the imports of graceful/src against the table in docs/ARCHITECTURE.md
  api [--check]          write docs/api/*.txt, the lists of the public API; with --check, compare only";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["ci", steps @ ..] => ci::ci(steps),
        ["services"] => {
            services::report();
            Ok(())
        }
        ["services", "--install"] => services::install(),
        ["soak"] => soak::soak(None),
        ["soak", filter] => soak::soak(Some(filter)),
        ["layers"] => layers::check(),
        ["api"] => api::write(),
        ["api", "--check"] => api::check(),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
