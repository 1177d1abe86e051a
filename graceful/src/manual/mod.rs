//! The manual path, which runs the same flow and pipeline without the attribute.

mod cache;
mod cached_read;

use std::sync::Arc;

use serde::Serialize;

pub use self::{
    cache::{AsKey, touch},
    cached_read::CachedRead,
};
use crate::{
    code::Code,
    config::OrchestrationConfig,
    context::Context,
    flow::{Argument, Cached, CallOutcome, Declared, Flow, Origin, Progress, Writing},
    handler::{Terms, writing},
    pipeline::{Ended, FlowReport, FlowRun, Foreground, NoTypedHooks, Orchestrator, current},
    step::StepError,
    views::{Failure, Success},
};

impl<'a, T: ?Sized> Success<'a, T> {
    /// Creates a success from its code, a message and the value.
    ///
    /// ```
    /// use graceful::{Code, Success};
    /// let success = Success::wrap(Code::Ok, "user updated", "ada");
    /// assert_eq!((success.code(), success.value()), (Code::Ok, "ada"));
    /// ```
    pub fn wrap(code: Code, message: &str, value: &'a T) -> Self {
        Self::new(&wrapped(CallOutcome::Ok, code, message), value)
    }

    /// Runs the success flow, and returns its report.
    ///
    /// If it is dropped after the first poll and before its end, the flow continues in the background.
    ///
    /// ```
    /// use graceful::{Code, OrchestrationConfig, Orchestrator, Step, Success};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(report.step(Step::Metadata).is_done());
    /// # });
    /// ```
    pub async fn orchestrate(self, config: &OrchestrationConfig) -> FlowReport
    where
        T: Serialize,
    {
        let mut flow = declared(self.flow(), config);
        if flow.values.payload.is_null() && !flow.values.faults.has(Argument::Payload) {
            flow.values.payload = flow.values.serialise(Argument::Payload, self.value());
        }
        run(flow, config).await
    }
}

impl<'a, E: ?Sized> Failure<'a, E> {
    /// Creates a failure from its code, a message that clients may see, and the cause, which never leaves the process.
    ///
    /// ```
    /// use graceful::{Code, Failure};
    /// let failure = Failure::wrap(Code::Internal, "something failed", "disk full");
    /// assert_eq!(failure.flow().message(), "something failed");
    /// ```
    pub fn wrap(code: Code, message: &str, error: &'a E) -> Self {
        Self::new(&wrapped(CallOutcome::Err, code, message), error)
    }

    /// Runs the error flow, and returns its report.
    ///
    /// If it is dropped after the first poll and before its end, the flow continues in the background.
    ///
    /// ```
    /// use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, Step};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).on(&Orchestrator::in_memory());
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Alert).to_string(), "fired");
    /// # });
    /// ```
    pub async fn orchestrate(self, config: &OrchestrationConfig) -> FlowReport {
        let mut flow = declared(self.flow(), config);
        flow.values.drop_payloads();
        run(flow, config).await
    }
}

/// A flow with its outcome, before the declaration is applied.
fn wrapped(ending: CallOutcome, code: Code, message: &str) -> Arc<Flow> {
    let mut flow = Flow::begin(Declared::default(), Origin::unknown());
    flow.context = Context::of_call();
    (flow.code, flow.message) = (code, message.into());
    flow.end(ending);
    Arc::new(flow)
}

fn declared(wrapped: &Flow, config: &OrchestrationConfig) -> Flow {
    let parent = current::parent();
    let mut values = config.values.clone();
    values.named_at_entry = values.entity().is_some();
    Flow {
        declaration: Declared::Owned(Arc::clone(&config.declaration)),
        values,
        parent: parent.map(|parent| parent.id),
        depth: parent.map_or(0, |parent| parent.depth.saturating_add(1)),
        ..wrapped.clone()
    }
}

async fn run(mut flow: Flow, config: &OrchestrationConfig) -> FlowReport {
    let orchestrator = config.orchestrator.clone().or_else(current::orchestrator);
    let Some(orchestrator) = orchestrator else {
        return FlowReport::skipped(&Arc::new(flow), "no orchestrator");
    };
    flow.origin = Arc::clone(orchestrator.origin());
    let flow = Arc::new(flow);
    if !config.when {
        return FlowReport::skipped(&flow, "`when` is false");
    }
    if let Some(fault) = flow.declaration.fault() {
        return FlowReport::refused(&flow, &StepError::new(fault));
    }
    let flow = ended_write(flow, &orchestrator);
    let ended = Ended { orchestrator, flow, overrides: config.overrides() };
    Foreground::new(FlowRun::timed(ended), NoTypedHooks).await
}

/// Lets the flow end a write, if its pattern is read through the cache. What has happened before the flow was not held, so its value is not
/// put.
fn ended_write(mut flow: Arc<Flow>, orchestrator: &Orchestrator) -> Arc<Flow> {
    if orchestrator.holds_any()
        && let Some(writing) = writing(&flow, orchestrator, Terms { in_transaction: false, alone: false })
    {
        Arc::make_mut(&mut flow).values.cached =
            Cached::writes(Writing { progress: Progress::Begun, ..writing });
    }
    flow
}
