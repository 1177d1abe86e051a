//! The binary `graceful`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use graceful::Orchestrator;

use crate::{
    arguments::{self, Arguments},
    command,
    exit::{Exit, Problem},
    output::note,
};

const STORE: &str = "GRACEFUL_STORE";
const SERVICE: &str = "GRACEFUL_SERVICE";

#[derive(Debug, Parser)]
#[command(
    name = "graceful",
    about = "Lists the durable flows of a store, named by the variable GRACEFUL_STORE, and acts on them."
)]
struct Standalone {
    #[command(flatten)]
    arguments: Arguments,
    /// Read the URL of the store from this file, not from the environment.
    #[arg(long, global = true, value_name = "FILE")]
    url_file: Option<PathBuf>,
}

/// Does what the binary `graceful` does: like [`run`](crate::run), with the store that `GRACEFUL_STORE` or `--url-file` names, in SQLite or
/// PostgreSQL. `GRACEFUL_SERVICE` is the name of the service in the audit records of actions, `graceful` by default.
///
/// # Panics
/// Panics outside of a Tokio runtime with its drivers.
///
/// ```no_run
/// # async fn example() -> std::process::ExitCode {
/// graceful_cli::standalone().await
/// # }
/// ```
pub async fn standalone() -> ExitCode {
    let Standalone { arguments, url_file } = match arguments::parse(env::args_os()) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let url = match url(url_file.as_deref()) {
        Ok(url) => url,
        Err(problem) => {
            note(&format!("error: {}", problem.text));
            return problem.exit.into();
        }
    };
    let service = env::var(SERVICE).unwrap_or_else(|_| "graceful".to_owned());
    let build = async || -> Result<Orchestrator, String> {
        let backends = [graceful_sqlite::BACKEND, graceful_postgres::BACKEND];
        let settings = [(STORE, url), (SERVICE, service)];
        let builder = Orchestrator::builder().settings(&backends, settings).await;
        builder.map_err(|error| error.to_string())?.build().map_err(|error| error.to_string())
    };
    command::run(arguments, build).await
}

/// The URL; an error contains no part of it.
fn url(file: Option<&Path>) -> Result<String, Problem> {
    let url = match file {
        Some(file) => fs::read_to_string(file)
            .map_err(|error| Problem::refused(format_args!("--url-file {}: {error}", file.display())))?,
        None => env::var(STORE).unwrap_or_default(),
    };
    match url.trim() {
        "" => Err(Problem {
            exit: Exit::Refused,
            text: format!("no store: set {STORE}, or write its URL into a file for --url-file"),
        }),
        url => Ok(url.to_owned()),
    }
}
