//! Background delivery: when the answer is returned, in which order the flows run, and that none is lost.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::HashMap,
    future::{Future, pending},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use graceful::{CallOutcome, Code, Failure, Flow, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{Gate, Log, UserError, World, hooks};
use serde_json::json;
use tokio::task::yield_now;

type HookResult = Result<(), StepError>;

/// Polls once, and wakes nobody.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A handler in the background, whose audit record waits at a gate of its own.
macro_rules! gated {
    ($gate:ident, $handler:ident) => {
        static $gate: Gate = Gate::closed();

        async fn audit(flow: &Flow) -> HookResult {
            $gate.pass().await;
            hooks::called(
                flow.declared_metadata().map_or_else(String::new, |fields| fields["n"].to_string()),
            );
            Ok(())
        }

        #[orchestrate(
                                                                            pattern = "user",
                                                                            cache = 42,
                                                                            event = "asked",
                                                                            audit = audit,
                                                                            metadata = json!({ "n": n }),
                                                                            delivery = "background"
                                                                        )]
        async fn $handler(n: u64, error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(n), Err)
        }
    };
}

mod answer;
mod full;
mod order;
mod runtime;
mod shutdown;
