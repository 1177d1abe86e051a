//! The time budget of a step.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

use crate::{
    backends::Reply,
    pipeline::Orchestrator,
    step::{StepError, StepErrorKind, contain},
    text::text,
};

/// The time budget of a step. It starts when the step is first not ready, so a step that is ready at once needs no timer.
#[derive(Default)]
pub(crate) struct Budget(Option<Pin<Box<Sleep>>>);

impl Budget {
    /// Ready when the time is over. Outside of a runtime there is no timer, so that a step could hang: there the time is over at once.
    pub(crate) fn poll_over(
        &mut self,
        allowed: Duration,
        orchestrator: &Orchestrator,
        cx: &mut Context<'_>,
    ) -> Poll<StepError> {
        let sleep = match &mut self.0 {
            Some(sleep) => sleep,
            None => match orchestrator.sleep(allowed) {
                Some(sleep) => self.0.insert(Box::pin(sleep)),
                None => return Poll::Ready(no_runtime()),
            },
        };
        sleep.as_mut().poll(cx).map(|()| {
            StepError::of_kind(
                StepErrorKind::TimedOut,
                text!("timed out after its time budget of {allowed:?}"),
            )
        })
    }

    /// Polls a reply within the time that is allowed for it.
    pub(crate) fn poll_reply<T: Unpin>(
        &mut self,
        reply: &mut Reply<T>,
        allowed: Duration,
        orchestrator: &Orchestrator,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, StepError>> {
        match Pin::new(reply).poll(cx) {
            // A runtime without timers panics here.
            Poll::Pending => {
                contain(|| self.poll_over(allowed, orchestrator, cx)).unwrap_or_else(Poll::Ready).map(Err)
            }
            Poll::Ready(answer) => Poll::Ready(answer),
        }
    }
}

/// The failure of a step that is not run because the caller does not wait and the flow cannot continue.
pub(crate) fn left_undone() -> StepError {
    StepError::of_kind(
        StepErrorKind::Abandoned,
        "not run: its caller was cancelled, and the limit of such flows is reached or the runtime has ended",
    )
}

pub(crate) fn no_runtime() -> StepError {
    StepError::of_kind(
        StepErrorKind::Abandoned,
        "not ready at once, and no Tokio runtime is available to continue in",
    )
}
