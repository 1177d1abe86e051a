//! One attribute says what follows a handler: both its `Ok` and its `Err` feed cache, events, audit, alerts and more.

mod classify;
mod code;
mod config;
mod context;
mod engine;
mod flow;
#[allow(
    missing_docs,
    missing_debug_implementations,
    reason = "for expansions only: hidden, and no public API"
)]
mod handler;
mod key;
mod manual;
mod orchestrator;
mod outcome;
mod step;
mod steps;
mod views;

pub mod backends;

pub use self::{
    classify::Classify,
    code::{Code, ParseCodeError},
    config::OrchestrationConfig,
    context::Context,
    engine::{FlowHook, FlowReport, Hook, StepResult},
    flow::{
        AlertOn, CanonicalPayload, Delivery, Ending, Event, Flow, LastError, Metadata, OnErr, OnOk, Payload,
        Severity,
    },
    key::{Key, KeySpace, encoded},
    orchestrator::{AlreadyInstalled, BuildError, Orchestrator, OrchestratorBuilder, Stats},
    outcome::Outcome,
    step::{Step, StepError, StepErrorKind},
    views::{Failure, Success},
};

#[cfg(feature = "macros")]
pub use graceful_macros::orchestrate;

/// What expansions name; not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::classify::{Cause, CauseProbe};
    pub use crate::handler::*;
    pub use crate::orchestrator::Requirement;
    pub use crate::{__classify as classify, __decode as decode, __payload as payload};
    pub use inventory;
}
