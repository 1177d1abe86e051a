//! The metrics of flows and steps, recorded by the installed recorder of the `metrics` facade.

pub(super) mod names;
mod sampler;

use std::time::Duration;

use metrics::{SharedString, counter, histogram};

pub(crate) use self::sampler::start;
use super::{StepResult, registry};
use crate::{
    flow::{Declaration, Declared, Flow},
    step::Step,
};

/// The labels that all metrics of a flow have, made once for the flow.
pub(super) struct Labels {
    handler: SharedString,
    pattern: SharedString,
}

impl Labels {
    /// A static declaration is borrowed, so nothing is allocated for it.
    pub(super) fn of(flow: &Flow) -> Self {
        match &flow.declaration {
            Declared::Static(declaration) => {
                let declaration: &'static Declaration = declaration;
                Self {
                    handler: SharedString::const_str(&declaration.handler),
                    pattern: SharedString::const_str(&declaration.pattern),
                }
            }
            Declared::Owned(declaration) => {
                let Declaration { handler, pattern, .. } = &**declaration;
                Self {
                    handler: SharedString::from_shared(handler.as_str().into()),
                    pattern: SharedString::from_shared(pattern.as_str().into()),
                }
            }
        }
    }
}

pub(super) fn step_ended(
    step: Step,
    result: &StepResult,
    arm: &'static str,
    labels: &Labels,
    took: Duration,
) {
    let (Labels { handler, pattern }, step) = (labels, step.as_str());
    counter!(
        names::STEPS,
        "handler" => handler.clone(), "pattern" => pattern.clone(), "step" => step, "arm" => arm,
        "outcome" => result.outcome()
    )
    .increment(1);
    histogram!(
        names::STEP_DURATION,
        "handler" => handler.clone(), "pattern" => pattern.clone(), "step" => step, "arm" => arm
    )
    .record(took);
}

pub(super) fn flow_ended(flow: &Flow, labels: &Labels, took: Duration) {
    let (Labels { handler, pattern }, arm) = (labels, flow.arm());
    counter!(
        names::FLOWS,
        "handler" => handler.clone(), "pattern" => pattern.clone(), "arm" => arm,
        "ending" => flow.ending().as_str(), "code" => flow.code().as_str()
    )
    .increment(1);
    histogram!(
        names::FLOW_DURATION,
        "handler" => handler.clone(), "pattern" => pattern.clone(), "arm" => arm
    )
    .record(took);
}

/// The label `handler` of a dead letter whose handler is not in this program. The names of other programs would be series that begin
/// with 1, and that nobody bounds.
const OTHER: &str = "_OTHER";

/// Counts a dead letter. `identity` is that of its handler, `name` the handler's name if the flow could be read.
pub(crate) fn dead_letter(identity: &str, name: Option<&str>) {
    let is_it = |handler: &str, known: &str| match name {
        Some(name) => handler == name,
        None => known == identity,
    };
    let mut durable = registry::handlers().filter_map(|handler| Some((handler.handler, handler.durable?)));
    let known = durable.find(|(handler, durable)| is_it(handler, (durable.identity)()));
    counter!(names::DEAD_LETTERS, "handler" => known.map_or(OTHER, |(handler, _)| handler)).increment(1);
}
