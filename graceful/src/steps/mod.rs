//! The nine steps: one file each, with its two arms side by side.
//!
//! Both arms of a step have the same inputs, a [`Flow`] and the [`Backends`], and the same output. Adding a step is adding a
//! file and a row to [`ARMS`]; there is no second list that could be forgotten.

mod alert;
mod audit;
pub(crate) mod cache;
mod event;
pub(crate) mod fallback;
mod graph;
mod metadata;
mod nexus;
mod schedule;

use std::sync::Arc;

use crate::{
    backends::{Backends, Reply},
    flow::{Flow, Metadata},
    step::{Step, StepError, Steps},
};

/// The steps whose default arms have their backend.
pub(crate) fn served(backends: &Backends) -> Steps {
    let mut served = Steps::NONE;
    for (step, is_there) in [
        (Step::Fallback, backends.cache.is_some()),
        (Step::Metadata, backends.metadata.is_some()),
        (Step::Cache, backends.cache.is_some()),
        (Step::Graph, backends.graph.is_some()),
        (Step::Schedule, backends.scheduler.is_some()),
        (Step::Event, backends.events.is_some()),
        (Step::Nexus, backends.nexus.is_some()),
        (Step::Audit, backends.audit.is_some()),
        (Step::Alert, backends.alerts.is_some()),
    ] {
        if is_there {
            served.insert(step);
        }
    }
    served
}

/// The result of an arm.
pub(crate) enum Done {
    Did(&'static str),
    Skipped(&'static str),
    /// The metadata step's answer, which the steps after it see in the flow.
    Normalised(Arc<Metadata>),
}

type Arm = fn(&Backends, &Arc<Flow>) -> Reply<Done>;

/// One step's two arms.
struct Arms {
    success: Arm,
    error: Arm,
}

/// Indexed by `Step as usize`.
static ARMS: [Arms; 9] = [
    Arms { success: fallback::success, error: fallback::error },
    Arms { success: metadata::success, error: metadata::error },
    Arms { success: cache::success, error: cache::error },
    Arms { success: graph::success, error: graph::error },
    Arms { success: schedule::success, error: schedule::error },
    Arms { success: event::success, error: event::error },
    Arms { success: nexus::success, error: nexus::error },
    Arms { success: audit::success, error: audit::error },
    Arms { success: alert::success, error: alert::error },
];

/// Starts the arm of `step` for the flow's outcome.
pub(crate) fn start(step: Step, backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    #[cfg(feature = "__testing")]
    let _calling = crate::calling::enter(step, flow);
    let arms = &ARMS[step as usize];
    let arm = if flow.is_success() { arms.success } else { arms.error };
    arm(backends, flow)
}

const fn did(what: &'static str) -> Done {
    Done::Did(what)
}

const fn skipped(why: &'static str) -> Reply<Done> {
    Reply::ready(Done::Skipped(why))
}

/// Makes the step fail after it has run without an argument that has no value.
fn failing(reply: Reply<Done>, fault: Option<StepError>) -> Reply<Done> {
    match fault {
        None => reply,
        Some(fault) => reply.and_then(|_| Err(fault)),
    }
}

/// The reply of a step without a backend.
const fn no_backend() -> Reply<Done> {
    skipped("no backend")
}
