//! One attribute says what follows a handler: its `Ok` feeds the success flow, its `Err` the mirrored error flow.
//!
//! | step | success flow | error flow |
//! |---|---|---|
//! | `fallback` | remember the last good value | recover: a hook, or the last good value, turns the `Err` into an `Ok` |
//! | `metadata` | count, link to the entity's flow before | count, link to the entity's flow before |
//! | `cache` | put the value, or invalidate the key | invalidate the key |
//! | `graph` | relate entity —succeeded→ flow | relate entity —failed→ flow, with the code |
//! | `schedule` | complete the review job that this handler opened for the entity | open or bump it, on a server fault |
//! | `event` | emit the event with the value | emit its `.failed` twin with code and message |
//! | `nexus` | register the pattern | register `pattern.error` |
//! | `audit` | append a record | append a record |
//! | `alert` | resolve the alert that this handler fired for the entity | fire it, on a server fault |
//!
//! Start with `orchestrate`, the attribute, and [`Orchestrator`], what its steps run with. Without an
//! orchestrator an annotated handler is the plain handler. [`OrchestrationConfig`] is the same without the attribute.
//! The [guide] begins with [getting started](guide::getting_started), and reads on about overriding steps, errors, delivery,
//! frameworks, tests, telemetry and more.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `macros` (default) | `#[orchestrate]` and `#[derive(Classify)]` |
//! | `memory` (default) | `backends::memory`: an embedded backend for every step |
//! | `graph` | `backends::oxigraph`: the embedded knowledge graph that speaks SPARQL 1.1 |
//! | `sparql` | `backends::sparql`: the knowledge graph on any server that speaks SPARQL 1.1 |
//! | `actix-web` | `actix_web::Error` and `InternalError` are classified by the status of their response |
//! | `alertmanager` | `backends::alertmanager`: alerts to Prometheus' Alertmanager; brings `memory` |
//! | `webhook` | `backends::webhook`: alerts to any webhook, signed; brings `memory` |
//! | `anyhow` | `anyhow::Error` is classified by its chain of causes |
//! | `eyre` | `eyre::Report` is classified by its chain of causes |
//! | `http` | `http::StatusCode`, and tuples that start with it, are classified |
//! | `tower` | `tower`: a layer that fills the [`Context`] of each request; brings `http` |
//! | `axum` | `axum::Json` is looked into for the payload, errors become problem details; brings `tower` |
//! | `tonic` | `tonic::Response` is looked into for the payload, errors become a `tonic::Status` with details; brings `tower` |
//! | `sqlite` | `backends::sqlite`: a durable store in one file; `Orchestrator::embedded` |
//! | `metrics` | flows and steps are counted and timed for the recorder of the `metrics` facade |
//! | `opentelemetry` | the span that OpenTelemetry has active reaches [`Context::trace`], and so the event; the span of a flow that a relay runs is linked to it |
//! | `testing` | `testing`: an orchestrator that records, for your own tests; what every store must do, as tests |
//! | `postgres` | `backends::postgres`: a durable store for many processes, an inbox, and alerts that they share |
//! | `redis` | `backends::redis`: the cache on Redis |
//! | `redis-tls` | `redis`, and encrypted connections to it: `rediss://…` |
//! | `ring` | the library of cryptography for `https://…` and `rediss://…`, where the program has installed none; `nats` brings it |
//! | `nats` | `backends::nats`: events on NATS JetStream, and a subscriber that reads them |
//!
//! Types of other crates are those of one version: `actix-web` 4, `anyhow` 1, `axum` 0.8, `eyre` 0.6, `http` 1, `sqlx` 0.9, `tonic` 0.14. A
//! handler whose error or value is of another version logs a warning, once, at its first such answer.

mod classify;
mod code;
mod config;
mod context;
mod crash;
mod engine;
mod escape;
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
mod relay;
mod step;
mod steps;
mod submitted;
mod trace;
mod views;

pub mod backends;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "testing")]
pub mod testing;

pub use self::{
    classify::Classify,
    code::{Code, ParseCodeError},
    config::OrchestrationConfig,
    context::Context,
    engine::{FlowHook, FlowReport, Hook, StepResult},
    flow::{
        AlertOn, CanonicalPayload, Delivery, Ending, Event, Flow, Incident, LastError, Metadata, OnErr, OnOk,
        Payload, Severity, Sha256,
    },
    handler::Outcome,
    key::{Key, KeySpace, encoded},
    orchestrator::{
        BuildError, ConfigError, InstallError, Orchestrator, OrchestratorBuilder, Stats, UnmetRequirement,
    },
    relay::RelaySettings,
    step::{Step, StepError, StepErrorKind},
    trace::{ParseTraceParentError, ParseTraceStateError, TraceParent, TraceState},
    views::{Failure, Success},
};

#[cfg(feature = "axum")]
pub use self::integrations::axum;
#[cfg(feature = "tonic")]
pub use self::integrations::tonic;
#[cfg(feature = "tower")]
pub use self::integrations::tower;

#[cfg(feature = "macros")]
#[doc = include_str!("orchestrate.md")]
pub use graceful_macros::orchestrate;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// What `#[orchestrate]` needs of types, as the compiler's errors name it. Each is implemented for all that its error says, and by
/// nobody else.
pub mod bounds {
    pub use crate::handler::{
        Answer as FallbackAnswer, Awaitable, ErrorOfStep, ErrorOfStore, FallbackOf, Fields, Finish, HookOf,
        Kept, Named, Remembered, Restored, Returns, Shown, Source as OrchestratorSource,
        Transaction as OpenTransaction, Value as Storable, Version as CacheVersion,
    };
    // An error says, too, where something is needed: by names that no other is taken for.
    #[doc(hidden)]
    pub use crate::handler::{
        Anything as AnyResult, DecodeAnything as AnyPayload, Draft as CallDraft, Entered as EnteredCall,
        Prepared as PreparedCall, Restores as RestoredHook, SendsNot as CallThatCannotWait,
        boxed as boxed_hooks, called as called_body, enter_on as enter_on_orchestrator,
        hole as hole_of_a_key, hook as hook_of_a_step, kept as kept_parameter,
        recover as fallback_of_a_handler, recovered as answer_of_a_fallback,
        required_error as error_of_a_step, shown as hole_of_a_text, store_error as error_of_the_store,
        transaction as open_transaction,
    };
}

/// What expansions name; not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::classify::{Cause, CauseProbe};
    #[cfg(feature = "failpoints")]
    pub use crate::crash::POINTS as CRASH_POINTS;
    pub use crate::engine::Durable;
    pub use crate::flow::Argument;
    pub use crate::handler::*;
    pub use crate::orchestrator::Registered;
    #[cfg(feature = "macros")]
    pub use inventory;
}
