//! The four outcomes of a call: `Ok`, `Err`, a panic and cancellation. Also order, nesting, sync handlers and several
//! orchestrators.
#![allow(missing_docs, reason = "tests")]

use std::{
    future::{Future, pending, ready},
    panic::resume_unwind,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use graceful::{CallOutcome, Code, Failure, Flow, Orchestrator, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{Gate, Log, UserError, World, hooks};
use tokio::task::yield_now;

type HookResult = Result<(), StepError>;

/// Polls once, and wakes nobody.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn endings(world: &World) -> Vec<CallOutcome> {
    world.reports.all().iter().map(|report| report.flow().ending()).collect()
}

/// The typed hook of the error arm, which tells whether there was an error to see.
async fn err(failure: &Failure<'_, UserError>) -> HookResult {
    yield_now().await;
    hooks::called(format!("{} {:?}", failure.code(), failure.error()));
    Ok(())
}

mod cancelled;
mod dropped_during_its_steps;
mod nested;
mod orchestrators;
mod order;
mod panicked;
mod plain;
mod returned;
mod sync;
