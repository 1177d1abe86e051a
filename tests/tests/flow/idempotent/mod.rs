//! Idempotent handlers with the in-memory store.

mod answers;
mod leases;
mod refusals;
mod replays;
mod scopes;
mod transaction;

use std::sync::atomic::{AtomicU64, Ordering};

use graceful::{Classify, Context, StepError, StepErrorKind};
use graceful_testing::Recorder;

/// The error of the handlers: a refusal, or what the body says.
#[derive(Debug, Classify)]
enum PayError {
    #[classify(code = FailedPrecondition, message = "no funds")]
    NoFunds,
    #[classify(transparent)]
    Refused(StepError),
}

impl From<StepError> for PayError {
    fn from(error: StepError) -> Self {
        Self::Refused(error)
    }
}

/// Counts what the bodies do.
#[derive(Debug, Default)]
struct Account(AtomicU64);

impl Account {
    fn pay(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn payments(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Calls a handler as an actor.
async fn by<F: Future>(recorder: &Recorder, actor: &str, call: impl FnOnce() -> F) -> F::Output {
    // The names of a call are evaluated when its future is polled.
    Context::new().actor(actor).scope(recorder.run(async { call().await })).await
}

/// Which refusal it is.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, PayError>) -> StepErrorKind {
    match result.unwrap_err() {
        PayError::Refused(error) => error.kind(),
        PayError::NoFunds => panic!("the body has run"),
    }
}
