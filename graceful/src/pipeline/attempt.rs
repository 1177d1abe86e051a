//! One attempt at a flow that comes from a store.

use std::future::poll_fn;

use super::{Ended, NoTypedHooks, Overrides, durable, run::Pipeline};
use crate::{
    backends::FailureCause,
    flow::Stored,
    pipeline::Orchestrator,
    step::{Step, StepError},
};

/// One attempt at a stored flow. If it is dropped before its end, observers are not notified: the flow is still stored.
pub(crate) struct Attempt(Box<Pipeline>);

impl Attempt {
    pub(crate) fn new(orchestrator: Orchestrator, stored: Stored, overrides: Overrides) -> Self {
        let flow = std::sync::Arc::new(stored.flow);
        Self(Box::new(Pipeline::resume(Ended { orchestrator, flow, overrides }, stored.done)))
    }

    /// Runs the remaining steps.
    ///
    /// # Errors
    /// Returns the failures of steps that another attempt should retry.
    pub(crate) async fn run(&mut self) -> Result<(), FailureCause> {
        poll_fn(|cx| self.0.poll(cx, &mut NoTypedHooks)).await;
        self.0.failures_to_retry().map_or(Ok(()), Err)
    }

    /// Whether another attempt would fail as this one did.
    pub(crate) fn is_refused(&self) -> bool {
        self.0.is_refused()
    }

    /// The result of each step that ran in this attempt.
    pub(crate) fn results(&self) -> Vec<(Step, String)> {
        self.0.results()
    }

    /// Encodes the flow with its completed steps.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, StepError> {
        durable::encode(&self.0)
    }

    /// The name of the handler, as in all other log lines.
    pub(crate) fn handler(&self) -> &str {
        self.0.flow.handler()
    }

    /// Ends the flow: notifies counters, log and observers.
    pub(crate) fn notify_observers(&self) {
        self.0.notify_observers();
    }
}
