//! Two processes of one service and a consumer of their events, over Redis, NATS JetStream and PostgreSQL.
//!
//! ```text
//! cargo run --example distributed                  starts all three, kills two of them, and counts what is left
//! ```
//!
//! Or by hand, in three terminals of the same environment:
//!
//! ```text
//! export GRACEFUL_SERVICE=users GRACEFUL_CACHE=redis://127.0.0.1 GRACEFUL_EVENTS=nats://127.0.0.1
//! export GRACEFUL_STORE=postgres://postgres:graceful@127.0.0.1/postgres
//! cargo run --example distributed -- service       one or more; each reads `rename 1 Ada` and `read 1`
//! cargo run --example distributed -- consumer      one or more
//! ```

mod consumer;
mod left;
mod place;
mod process;
mod service;
mod show;

use std::{env, error::Error, process::ExitCode};

use graceful::backends::client::ConnectError;

type Done<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => show::run().await,
        ["service"] => service::run().await,
        ["consumer"] => consumer::run().await,
        _ => Err("usage: distributed [service | consumer]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("distributed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Done<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Connects to the server that a variable names.
async fn connected<T>(name: &str, connect: impl AsyncFnOnce(&str) -> Result<T, ConnectError>) -> Done<T> {
    connect(&variable(name)?).await.map_err(|error| format!("{name}: {error}").into())
}
