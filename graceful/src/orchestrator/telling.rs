//! What is told of flows and steps: counters, the log, the observers.

use super::Orchestrator;
use crate::{Ending, Flow, FlowReport, Step, StepError, step::contain};

impl Orchestrator {
    pub(crate) fn step_failed(&self, step: Step, error: &StepError, flow: &Flow) {
        self.0.counters.failure(step);
        tracing::warn!(
            target: "graceful::step",
            step = step.name(),
            error = error.message(),
            kind = ?error.kind(),
            handler = flow.handler(),
            entity = %flow.entity(),
            flow = %flow.id(),
            "a step failed"
        );
    }

    pub(crate) fn not_stored(&self, error: &StepError, flow: &Flow) {
        self.0.counters.not_stored();
        tracing::error!(
            target: "graceful::durable",
            error = error.message(),
            handler = flow.handler(),
            entity = %flow.entity(),
            flow = %flow.id(),
            "a flow could not be stored"
        );
    }

    pub(crate) fn flow_ended(&self, ending: Ending, report: impl FnOnce() -> FlowReport) {
        self.0.counters.flow(ending);
        if self.0.observers.is_empty() {
            return;
        }
        let report = report();
        for observer in &self.0.observers {
            if let Err(error) = contain(|| observer(&report)) {
                tracing::warn!(target: "graceful::report", error = error.message(), "an observer panicked");
            }
        }
    }
}
