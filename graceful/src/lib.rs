//! One attribute says what follows a handler: its `Ok` feeds the success flow, its `Err` the mirrored error flow.
//!
//! | step | success flow | error flow |
//! |---|---|---|
//! | `fallback` | remember the last good value | recover: a hook, or the last good value, turns the `Err` into an `Ok` |
//! | `metadata` | count, link to the entity's flow before | count, link to the entity's flow before |
//! | `cache` | put the value, or invalidate the key | invalidate the key |
//! | `actix-web` | `actix_web::Error` and `InternalError` are classified by the status of their response |
//! | `anyhow` | `anyhow::Error` is classified by its chain of causes |
//! | `eyre` | `eyre::Report` is classified by its chain of causes |
//! | `http` | `http::StatusCode`, and tuples that start with it, are classified |
//! | `tower` | `tower`: a layer that fills the [`Context`] of each request; brings `http` |
//! | `axum` | `axum::Json` is looked into for the payload, errors become problem details; brings `tower` |
//! | `tonic` | `tonic::Response` is looked into for the payload, errors become a `tonic::Status` with details; brings `tower` |
//! | `sqlx` | `sqlx::Error` is classified |
//! | `metrics` | flows and steps are counted and timed for the recorder of the `metrics` facade |
//! | `opentelemetry` | the span that OpenTelemetry has active reaches [`Context::trace`], and so the event; the span of a flow that a relay runs is linked to it |
//!
//! Types of other crates are those of one version: `actix-web` 4, `anyhow` 1, `axum` 0.8, `eyre` 0.6, `http` 1, `sqlx` 0.9, `tonic` 0.14. A
//! handler whose error or value is of another version logs a warning, once, at its first such answer.

#[cfg(feature = "__testing")]
#[doc(hidden)]
pub mod calling;
mod classify;
mod code;
mod config;
mod context;
mod escape;
mod failpoints;
mod flow;
#[allow(
    missing_docs,
    missing_debug_implementations,
    reason = "for expansions only: hidden, and no public API"
)]
mod handler;
mod integrations;
mod key;
mod manual;
mod orchestrator;
mod outage;
mod pipeline;
mod relay;
mod sha256;
mod step;
mod steps;
pub mod trace;
mod views;

pub mod backends;
// Its examples are tests of the package `graceful-tests`, which has the backends that they use.
#[cfg(all(doc, not(doctest)))]
pub mod guide;

pub use self::{
    classify::Classify,
    code::Code,
    config::OrchestrationConfig,
    context::Context,
    flow::{CallOutcome, Delivery, Event, EventData, Flow, Incident, LastError, Metadata, Payload, Severity},
    handler::Outcome,
    key::Key,
    orchestrator::{Backend, OrchestratorBuilder},
    pipeline::{FlowHook, FlowReport, Hook, Orchestrator, RelaySettings, Stats, StepResult},
    sha256::Sha256,
    step::{Step, StepError, StepErrorKind},
    views::{Failure, Success},
};

/// Why something could not be built, installed, configured or parsed. A step's failure is a [`StepError`].
pub mod error {
    pub use crate::{
        code::ParseCodeError,
        orchestrator::{BuildError, ConfigError, InstallError, UnmetRequirement},
    };
}

/// The values of the options of some steps, for [`OrchestrationConfig`].
pub mod options {
    pub use crate::flow::{AlertOn, OnErr, OnOk};
}

#[cfg(feature = "axum")]
pub use self::integrations::axum;
#[cfg(feature = "tonic")]
pub use self::integrations::tonic;
#[cfg(feature = "tower")]
pub use self::integrations::tower;

#[cfg(feature = "macros")]
#[doc = include_str!("orchestrate.md")]
pub use graceful_macros::orchestrate;

/// What `#[orchestrate]` needs of types, as the compiler's errors name it. Each is implemented for all that its error says, and by
/// nobody else.
pub mod bounds {
    pub use crate::backends::Transaction as OpenTransaction;
    pub use crate::handler::{
        Answer as FallbackAnswer, Awaitable, ErrorOfStep, ErrorOfStore, FallbackOf, Fields, Finish, HookOf,
        Kept, Named, Remembered, Restored, Returns, Shown, Source as OrchestratorSource, Value as Storable,
        Version as CacheVersion,
    };
    // An error says, too, where something is needed: by names that no other is taken for.
    #[doc(hidden)]
    pub use crate::handler::{
        Anything as AnyResult, DecodeAnything as AnyPayload, Entered as EnteredCall,
        FlowBuilder as CallDraft, Prepared as PreparedCall, Restores as RestoredHook,
        SendsNot as CallThatCannotWait, boxed as boxed_hooks, called as called_body,
        enter_on as enter_on_orchestrator, hole as hole_of_a_key, hook as hook_of_a_step,
        kept as kept_parameter, recover as fallback_of_a_handler, recovered as answer_of_a_fallback,
        required_error as error_of_a_step, shown as hole_of_a_text, store_error as error_of_the_store,
        transaction as open_transaction,
    };
}

/// What expansions name; not part of the public API.
#[doc(hidden)]
pub mod __private010 {
    pub use crate::classify::{Cause, CauseProbe};
    #[cfg(feature = "failpoints")]
    pub use crate::failpoints::POINTS as CRASH_POINTS;
    #[cfg(feature = "__testing")]
    pub use crate::flow::Sample;
    pub use crate::flow::{AlertOn, Argument, Delivery, OnErr, OnOk, Severity};
    pub use crate::handler::*;
    pub use crate::pipeline::{Durable, Registered};
    pub use crate::step::Step;
    #[cfg(feature = "macros")]
    pub use inventory;
}
