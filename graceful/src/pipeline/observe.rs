//! Counters, log events and observers of flows and steps.

use std::sync::Arc;

use tracing::Span;

use super::{Orchestrator, telemetry::FlowTelemetry};
use crate::{
    escape::escaped,
    flow::{CallOutcome, Flow},
    pipeline::FlowReport,
    step::{Step, StepError, contain},
    text::Text,
};

pub(crate) type Observer = Arc<dyn Fn(&FlowReport) + Send + Sync>;

impl Orchestrator {
    /// Counts each failure, and logs the first of an outage and one a second.
    pub(crate) fn step_failed(&self, step: Step, is_hook: bool, error: &StepError, flow: &Flow) {
        self.0.counters.failure(step);
        let Some(failures) = self.0.outages.steps.failed(step, hook_of(is_hook, flow)) else { return };
        tracing::warn!(
            target: "graceful::step",
            step = step.as_str(),
            error = error.message(),
            kind = ?error.kind(),
            handler = flow.handler(),
            entity = %flow.entity(),
            flow = %flow.id(),
            failures,
            "step failed"
        );
    }

    #[inline]
    pub(crate) fn step_succeeded(&self, step: Step, is_hook: bool, flow: &Flow) {
        if let Some(unlogged) = self.0.outages.steps.succeeded(step, hook_of(is_hook, flow)) {
            works_again(step, unlogged, flow);
        }
    }

    /// Counts each flow, and logs the first of an outage and one a second.
    pub(crate) fn not_stored(&self, error: &StepError, flow: &Flow) {
        self.0.counters.store_failed();
        let Some(failures) = self.0.outages.storing.failed() else { return };
        tracing::error!(
            target: "graceful::durable",
            error = error.message(),
            handler = flow.handler(),
            entity = %flow.entity(),
            flow = %flow.id(),
            failures,
            "flow could not be stored"
        );
    }

    pub(crate) fn stored(&self) {
        if let Some(unlogged) = self.0.outages.storing.succeeded() {
            tracing::info!(target: "graceful::durable", failures = unlogged, "storing flows works again");
        }
    }

    pub(super) fn is_observed(&self) -> bool {
        !self.0.observers.is_empty()
    }

    pub(super) fn count_flow(&self, ending: CallOutcome) {
        self.0.counters.flow(ending);
    }

    #[cold]
    pub(super) fn notify_observers(&self, report: impl FnOnce() -> FlowReport) {
        if self.0.observers.is_empty() {
            return;
        }
        let report = report();
        for observer in &self.0.observers {
            if let Err(error) = contain(|| observer(&report))
                && let Some(failures) = self.0.outages.observing.failed()
            {
                tracing::warn!(target: "graceful::report", error = error.message(), failures, "observer panicked");
            }
        }
    }
}

fn hook_of(is_hook: bool, flow: &Flow) -> Option<&Text> {
    is_hook.then_some(&flow.declaration.handler)
}

#[cold]
fn works_again(step: Step, unlogged: u64, flow: &Flow) {
    tracing::info!(
        target: "graceful::step",
        step = step.as_str(),
        handler = flow.handler(),
        failures = unlogged,
        "step works again"
    );
}

/// The log target of the causes of server faults.
pub(crate) const CAUSE: &str = "graceful::error";

/// Logs the cause of a server fault within the flow's span, and drops it.
#[cold]
pub(super) fn log_cause(flow: &mut Arc<Flow>, watch: &FlowTelemetry) {
    let Some(cause) = Arc::get_mut(flow).and_then(|flow| flow.cause.take()) else { return };
    let span = watch.flow();
    let _entered = span.as_ref().map(Span::enter);
    tracing::error!(
        target: CAUSE,
        error = %escaped(&cause),
        code = flow.code().as_str(),
        handler = flow.handler(),
        entity = %flow.entity(),
        flow = %flow.id(),
        "handler failed"
    );
}
