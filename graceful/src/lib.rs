//! `graceful` is a procedural-macro framework for Rust services: `#[orchestrate]` runs a pipeline of steps (cache, event, audit, alert,
//! …) after a handler returns, for `Ok` and for `Err`.
//!
//! ```
//! use graceful::{Code, Orchestrator, orchestrate};
//!
//! #[orchestrate(pattern = "user", cache = id, event = "user_updated")]
//! async fn update_user(id: u64) -> Result<u64, Code> {
//!     if id == 0 { Err(Code::Unavailable) } else { Ok(id) }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let orchestrator = Orchestrator::in_memory();
//! // Puts the value into the cache, and emits `user_updated`.
//! orchestrator.scope(update_user(42)).await.unwrap();
//! // Invalidates the key, emits `user_updated.failed`, and fires an alert.
//! orchestrator.scope(update_user(0)).await.unwrap_err();
//! # });
//! ```
//!
//! Both flows run the same nine steps in the same order:
//!
//! | step | success flow | error flow |
//! |---|---|---|
//! | `fallback` | with `fallback = last_good`: remember the value | if declared, recover: a function, or the last good value, turns the `Err` into an `Ok` |
//! | `metadata` | count the flow, and link it to the entity's previous flow | the same, with the error |
//! | `cache` | put the value, or invalidate the key | invalidate the key |
//! | `graph` | relate entity —succeeded→ flow | relate entity —failed→ flow, with the code |
//! | `schedule` | complete the review job that this handler opened for the entity | open a review job, on a server fault |
//! | `event` | emit the event with the value | emit the event `NAME.failed` with code and message |
//! | `nexus` | register a use of the pattern | register a use of `PATTERN.error` |
//! | `audit` | append an audit record | append an audit record |
//! | `alert` | resolve the alert that this handler fired for the entity | fire an alert, on a server fault |
//!
//! [`#[subscribe]`](attr.subscribe.html) makes a function a subscriber: it is called with the events of this and other services, and is an orchestrated
//! handler itself.
//!
//! Start with the [guide](guide::getting_started). The page of [`orchestrate`](attr.orchestrate.html) lists all arguments, and
//! [`Orchestrator`] holds the backends that the steps use.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `macros` (default) | the attributes `#[orchestrate]` and `#[subscribe]`, and `#[derive(Classify)]` |
//! | `actix-web` | `actix_web::Error` and `InternalError` are classified by the status of their response |
//! | `anyhow` | `anyhow::Error` is classified by its chain of causes |
//! | `axum` | `axum::Json<T>` is unwrapped: `T` is the payload; errors become problem details; a server that shuts down in order; enables `tower` |
//! | `catalogue` (default) | the [catalogue] lists the handlers; without it they are hidden from documents |
//! | `eyre` | `eyre::Report` is classified by its chain of causes |
//! | `http` | `http::StatusCode`, and tuples that start with it, are classified |
//! | `metrics` | flows and steps are counted and timed by the installed recorder of the `metrics` facade |
//! | `opentelemetry` | the active OpenTelemetry span becomes [`Context::trace`] and is sent with the event; a flow that a relay runs is linked to it |
//! | `schemars` | the [catalogue] has the schemas of types that implement `JsonSchema` of schemars 1 |
//! | `sqlx` | `sqlx::Error` is classified |
//! | `tonic` | `tonic::Response<T>` is unwrapped: `T` is the payload; errors become a `tonic::Status` with details; a server that shuts down in order; enables `tower` |
//! | `tower` | a layer that fills the [`Context`] of each request; enables `http` |
//!
//! `graceful` supports one version of each of these crates: `actix-web` 4, `anyhow` 1, `axum` 0.8, `eyre` 0.6, `http` 1, `sqlx` 0.9,
//! `tonic` 0.14. A handler whose error or value is of another version logs a warning when it first returns one.

mod cache_stats;
#[cfg(feature = "__testing")]
#[doc(hidden)]
pub mod calling;
mod classify;
mod code;
mod config;
mod context;
mod escape;
mod failpoints;
mod flights;
mod flow;
#[allow(
    missing_docs,
    missing_debug_implementations,
    reason = "for expansions only: hidden, and no public API"
)]
mod handler;
mod identity;
mod integrations;
mod key;
mod locks;
mod manual;
mod marks;
mod orchestrator;
mod outage;
mod payload_type;
mod pipeline;
mod relay;
mod retried;
mod sha256;
mod step;
mod steps;
mod subscribers;
mod text;
pub mod trace;
mod views;

pub mod backends;
pub mod catalogue;
pub mod idempotency;
pub mod operations;
// Its examples are tests of the package `graceful-tests`, which has the backends that they use.
#[cfg(all(doc, not(doctest)))]
pub mod guide;

pub use self::{
    cache_stats::CacheStats,
    classify::Classify,
    code::Code,
    config::OrchestrationConfig,
    context::Context,
    flow::{
        CallOutcome, Delivery, EmittedData, Event, Flow, Incident, LastError, Metadata, Payload, Severity,
    },
    handler::Outcome,
    key::Key,
    manual::{AsKey, CachedRead, touch},
    orchestrator::{Backend, BuilderChange, OrchestratorBuilder},
    pipeline::{
        FlowHook, FlowReport, Health, HealthStatus, Hook, Orchestrator, RelaySettings, Stats, StepResult,
    },
    sha256::Sha256,
    step::{Step, StepError, StepErrorKind},
    subscribers::{EventData, State, Subscribers},
    text::Text,
    views::{Failure, Success},
};

/// The errors of building, installing, configuring and parsing. A step's failure is a [`StepError`].
pub mod error {
    pub use crate::{
        code::ParseCodeError,
        key::ParseKeyError,
        orchestrator::{BuildError, ConfigError, InstallError, UnmetRequirement},
        subscribers::SubscribeError,
    };
}

/// The values of step options, for the setters of [`OrchestrationConfig`].
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

#[cfg(feature = "macros")]
#[doc = include_str!("subscribe.md")]
pub use graceful_macros::subscribe;

/// The traits that `#[orchestrate]` requires of types, under the names that the compiler's errors show. Each is
/// implemented for all types that its error message lists; do not implement them yourself.
pub mod bounds {
    pub use crate::backends::Transaction as OpenTransaction;
    pub use crate::handler::{
        Answer as FallbackAnswer, Awaitable, Borrowed as BorrowedTransaction, ErrorOfRefusal, ErrorOfStep,
        ErrorOfStore, FallbackOf, Fields, Finish, HookOf, Kept, Named, NamesCall, NamesEntities, ReadBack,
        Remembered, RepeatableAnswer, Restored, Returns, Shown, Source as OrchestratorSource, StorableAnswer,
        Value as Storable, Version as CacheVersion,
    };
    pub use crate::subscribers::FromEvent;
    // A compiler error also names the function that needs a bound, so these names are unambiguous.
    #[doc(hidden)]
    pub use crate::handler::{
        AnyIds as AnyEntities, AnyKey as AnyIdempotencyKey, Anything as AnyResult,
        DecodeAnything as AnyPayload, Entered as EnteredCall, FlowBuilder as CallDraft,
        Prepared as PreparedCall, Restores as RestoredHook, SendsNot as CallThatCannotWait,
        boxed as boxed_hooks, called as called_body, enter_on as enter_on_orchestrator,
        hole as hole_of_a_key, hook as hook_of_a_step, ids as ids_of_entities, kept as kept_parameter,
        recover as fallback_of_a_handler, recovered as answer_of_a_fallback, refusal as error_of_a_refusal,
        required_error as error_of_a_step, shown as hole_of_a_text, store_error as error_of_the_store,
        transaction as open_transaction,
    };
}

/// The items that expansions refer to; not part of the public API.
#[doc(hidden)]
pub mod __private010 {
    #[allow(
        missing_docs,
        missing_debug_implementations,
        reason = "for expansions only: hidden, and no public API"
    )]
    mod received;

    pub use self::received::{Received, ReceivedNothing, ReceivedPlain, received};
    pub use crate::classify::{Cause, CauseProbe, CodesOf, ErrorCodes};
    #[cfg(feature = "failpoints")]
    pub use crate::failpoints::POINTS as CRASH_POINTS;
    #[cfg(feature = "__testing")]
    pub use crate::flow::Sample;
    pub use crate::flow::{AlertOn, Argument, Delivery, OnErr, OnOk, Severity};
    pub use crate::handler::*;
    pub use crate::payload_type::PayloadType;
    pub use crate::pipeline::{Contract, Durable, Registered};
    pub use crate::step::Step;
    pub use crate::subscribers::{
        Delivery as EventDelivery, FromEvent, HandlerFuture, Needed, Subscriber, transaction_type,
    };
    #[cfg(feature = "macros")]
    pub use inventory;
}
