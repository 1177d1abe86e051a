//! Alerts are sent to Prometheus' Alertmanager and to a webhook.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

mod alertmanager;
mod embedded;
mod tls;
mod webhook;

use std::process::ExitCode;

use graceful::{Code, Step, backends::Alerter, orchestrate};
use graceful_tests::World;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

#[orchestrate(pattern = "user", id = id)]
async fn save(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

/// What became of the alert of user `id`.
async fn saved(world: &World, id: u64, error: Option<Code>) -> String {
    let _ = world.run(save(id, error)).await;
    world.last(Step::Alert).1
}

fn world(alerts: impl Alerter) -> World {
    World::with(|builder| builder.alerts(alerts))
}
