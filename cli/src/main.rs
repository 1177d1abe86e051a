//! `graceful`: the command line for a store that is named by its URL.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    graceful_cli::standalone().await
}
