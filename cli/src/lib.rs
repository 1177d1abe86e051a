//! `graceful-cli` is a crate with the command line for the operators of a service: it lists durable flows, the causes of their failures, and
//! subscribers with their parked events, and acts on them.
//!
//! [`run`] gives the subcommands to a binary of your own, which knows your stores and settings:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use graceful::{Orchestrator, error::ConfigError};
//!
//! # const BACKENDS: &[graceful::Backend] = &[];
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> ExitCode {
//!     graceful_cli::run(async || Orchestrator::from_env(BACKENDS).await).await
//! }
//! ```
//!
//! The binary `graceful` of this crate is the same for a store that is named by its URL, in `GRACEFUL_STORE` or in the file of `--url-file`.
//! The URL is no argument, because every user of a machine sees the arguments of its processes.
//!
//! | subcommand | what it does |
//! |---|---|
//! | `flows`, `dead` | lists flows, or dead letters, the newest first |
//! | `groups` | lists the causes of failures, the largest group first |
//! | `show ID` | shows one flow with its failed attempts, without its payload |
//! | `lag` | counts the queued, running and dead flows |
//! | `jobs`, `alerts` | lists the open review jobs and alerts |
//! | `patterns` | lists the used patterns by name |
//! | `relays` | lists the relays that are alive |
//! | `subscribers list`, `subscribers parked` | lists the registered subscribers, and how far each has read; lists the parked events of one, without their data |
//! | `health`, `doctor` | says whether the store answers; what is wrong with it, and how to fix that |
//! | `audit verify` | verifies the audit log |
//! | `audit list`, `audit operations` | lists the records of an actor, an entity, a tenant or a time; lists who resubmitted, discarded and postponed flows |
//! | `resubmit`, `discard`, `postpone` | acts on the flows of a filter, or on those with these ids |
//! | `operations list`, `operations show` | lists such actions on many flows; shows one, with the flows that it has skipped |
//! | `operations run`, `operations cancel` | goes on with one whose process has died; cancels one |
//! | `subscribers resubmit`, `subscribers discard` | lets a parked event run again; deletes it |
//! | `subscribers skip`, `subscribers unregister` | lets a subscriber go on after a position; deletes one that is not used any more |
//! | `pause`, `resume`, `pauses` | pauses all relays, a handler or a subscriber; ends a pause; lists what is paused |
//! | `check`, `accept` | compares the program with its `graceful.lock`, and writes that: see [`graceful_contract`] |
//! | `catalogue` | prints the handlers of the program as text, JSON or Mermaid, or their events as AsyncAPI |
//! | `migrate` | creates missing tables, and migrates older ones |
//!
//! A filter is written as `key=value`, with the keys of [`FlowFilter`](graceful::backends::FlowFilter): `dead handler=users::update_user since=2h`;
//! for `audit list` with those of [`AuditFilter`](graceful::backends::AuditFilter): `audit list actor=ada since=1d`;
//! and for `jobs` and `alerts` with those of [`IncidentFilter`](graceful::backends::IncidentFilter): `alerts tenant=acme`.
//!
//! # What a subcommand changes
//!
//! `check`, `accept` and `catalogue` need no store, and do not call the closure. Only `migrate` changes the schema. None starts a relay, a reviewer or a
//! subscriber, so none runs a flow or handles an event: the closure runs in the [role](graceful::backends::ProcessRole) `Operator`. An action changes rows
//! only. A relay of the service runs a resubmitted flow, and a subscriber of the service handles a resubmitted event.
//!
//! An action on flows asks first: their number must be typed. So do `subscribers discard`, `skip` and `unregister`, which cannot be undone: `yes`
//! must be typed. Where no terminal can answer, they are refused without `--yes`. An action
//! appends one record to the audit log, with the operator (`--as`, otherwise the user of the operating system, which nobody has verified), the filter
//! and the numbers.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed |
//! | 2 | wrong arguments, or refused: nothing was changed |
//! | 3 | done in part: flows were skipped or failed, or it was interrupted |
//! | 4 | not healthy: `health`, `doctor` |
//!
//! The result alone is written to the standard output, everything else to the standard error. Your closure should log there, too. Times are
//! UTC. Control characters and bidirectional characters of data are escaped.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod action;
mod arguments;
mod command;
mod contract;
mod doctor;
mod exit;
mod filter;
mod operator;
mod output;
mod pause;
mod read;
#[cfg(feature = "standalone")]
mod standalone;
mod subscribers;

use std::{ffi::OsString, fmt, process::ExitCode};

use graceful::Orchestrator;

#[cfg(feature = "standalone")]
#[cfg_attr(docsrs, doc(cfg(feature = "standalone")))]
pub use self::standalone::standalone;

/// Runs the subcommand of the process's arguments, and returns the exit code.
///
/// The closure builds the orchestrator, as the service does. It is called only by subcommands that need it. From then on the process is that
/// of an operator: `build()` starts nothing in it.
///
/// If the future is dropped, an action stops between two flows, and no audit record is written.
///
/// # Panics
/// Panics outside of a Tokio runtime with its drivers.
///
/// ```no_run
/// # use graceful::{Orchestrator, backends::memory, error::BuildError};
/// # async fn example() -> std::process::ExitCode {
/// graceful_cli::run(async || Orchestrator::builder().flows(memory::Flows::new()).build()).await
/// # }
/// ```
pub async fn run<F, E>(build: F) -> ExitCode
where
    F: AsyncFnOnce() -> Result<Orchestrator, E>,
    E: fmt::Display,
{
    run_from(std::env::args_os(), build).await
}

/// Like [`run`], with these arguments. The first is the name of the program.
///
/// # Panics
/// Panics outside of a Tokio runtime with its drivers.
///
/// ```standalone_crate
/// use graceful::{Orchestrator, backends::memory, error::BuildError};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let build = async || Orchestrator::builder().flows(memory::Flows::new()).build();
/// // Like `users-service ops lag`, if `ops` is an argument of your own.
/// graceful_cli::run_from(["users-service ops", "lag"], build).await;
/// # });
/// ```
pub async fn run_from<A, F, E>(arguments: impl IntoIterator<Item = A>, build: F) -> ExitCode
where
    A: Into<OsString> + Clone,
    F: AsyncFnOnce() -> Result<Orchestrator, E>,
    E: fmt::Display,
{
    match arguments::parse::<arguments::Arguments, _>(arguments) {
        Ok(arguments) => command::run(arguments, build).await,
        Err(code) => code,
    }
}
