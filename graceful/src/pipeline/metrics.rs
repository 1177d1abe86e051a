//! The metrics of flows and steps, recorded by the installed recorder of the `metrics` facade.

use std::time::Instant;

use metrics::{SharedString, counter, histogram};

use super::StepResult;
use crate::{flow::Flow, step::Step};

/// The start of a duration.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

pub(super) fn step_ended(step: Step, result: &StepResult, flow: &Flow, clock: &Clock) {
    let (pattern, step, arm) = (pattern(flow), step.as_str(), flow.arm());
    counter!(
        "graceful_steps_total",
        "pattern" => pattern.clone(), "step" => step, "arm" => arm, "outcome" => result.outcome()
    )
    .increment(1);
    histogram!("graceful_step_duration_seconds", "pattern" => pattern, "step" => step, "arm" => arm)
        .record(clock.0.elapsed());
}

pub(super) fn flow_ended(flow: &Flow, clock: &Clock) {
    let (pattern, arm) = (pattern(flow), flow.arm());
    counter!(
        "graceful_flows_total",
        "pattern" => pattern.clone(), "arm" => arm, "ending" => flow.ending().as_str(), "code" => flow.code().as_str()
    )
    .increment(1);
    histogram!("graceful_flow_duration_seconds", "pattern" => pattern, "arm" => arm)
        .record(clock.0.elapsed());
}

/// The label `pattern`, which both metrics use.
fn pattern(flow: &Flow) -> SharedString {
    SharedString::from_shared(flow.pattern().into())
}
