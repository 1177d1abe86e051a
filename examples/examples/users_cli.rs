//! The command line of the service `users`, for its operators and its developers.
//!
//! ```text
//! cargo run --example users-cli -- check --lock examples/graceful.lock
//! cargo run --example users-cli -- accept --lock examples/graceful.lock
//! cargo run --example users-cli -- catalogue asyncapi --service users --version 1.0.0
//! GRACEFUL_STORE=sqlite://users.db cargo run --example users-cli -- flows
//! ```

use std::process::ExitCode;

use graceful::Orchestrator;
// The handlers of a crate that nobody names are not linked.
use graceful_examples as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    graceful_cli::run(async || {
        Orchestrator::from_env(&[graceful_sqlite::BACKEND, graceful_postgres::BACKEND]).await
    })
    .await
}
