//! The pipeline: it runs the steps of a flow, of either arm, and reports their results.

mod attempt;
mod background;
mod budget;
pub(crate) mod contract;
pub(crate) mod current;
mod durable;
mod end;
mod foreground;
mod health;
pub(crate) mod idempotent;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
mod observe;
mod orchestrator;
mod overrides;
mod purge;
pub(crate) mod read_through;
pub(crate) mod registered;
pub(crate) mod registry;
mod relay_handle;
mod relay_settings;
mod report;
mod run;
mod stats;
mod telemetry;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use self::run::{Caller, Pipeline};
pub(crate) use self::{
    attempt::Attempt,
    background::Background,
    budget::Budget,
    current::{MAX_DEPTH, too_deep},
    durable::to_insert,
    foreground::{FirstPoll, Foreground},
    health::{LastProbe, SubscriberFaults},
    observe::{CAUSE, Observer},
    orchestrator::{ALIVE, Inner, WeakOrchestrator},
    overrides::{HookResult, Hooks, NoTypedHooks, Overrides, Start, TypedHooks},
    purge::purge,
    registry::Missed,
    relay_handle::{RelayHandle, Reviewer},
    stats::Counters,
    telemetry::caller,
};
pub use self::{
    contract::Contract,
    health::{Health, HealthStatus},
    orchestrator::Orchestrator,
    overrides::{Durable, FlowHook, Hook},
    registered::Registered,
    relay_settings::RelaySettings,
    report::{FlowReport, StepResult},
    stats::Stats,
};
use crate::{
    flow::Flow,
    step::{Step, StepError},
};

/// A flow whose call has ended, and the orchestrator that runs its steps.
#[derive(Clone, Debug)]
pub struct Ended {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) flow: Arc<Flow>,
    pub(crate) overrides: Overrides,
}

/// A running flow. It cannot be lost: if it is dropped before its end it continues in the background, and if it is dropped there
/// because the runtime ends, it reports the steps that were not done.
pub struct FlowRun(Option<Box<Pipeline>>);

const ENDS_ONCE: &str = "a flow ends once";

impl FlowRun {
    pub(crate) fn new(ended: Ended) -> Self {
        Self::of(Pipeline::new(ended))
    }

    /// The same, for a caller who gets the report, with the durations of the steps.
    pub(crate) fn timed(ended: Ended) -> Self {
        Self::of(Pipeline::timed(ended, true))
    }

    fn of(pipeline: Pipeline) -> Self {
        Self(Some(Box::new(pipeline)))
    }

    /// Takes the flow out, so that dropping `self` has no effect.
    fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    fn pipeline(&mut self) -> &mut Pipeline {
        self.0.as_mut().expect(ENDS_ONCE)
    }

    pub(crate) fn flow(&self) -> &Arc<Flow> {
        &self.0.as_ref().expect(ENDS_ONCE).flow
    }

    pub(crate) fn orchestrator(&self) -> &Orchestrator {
        &self.0.as_ref().expect(ENDS_ONCE).orchestrator
    }

    /// Whether a relay could run the remaining steps.
    fn is_portable(&self) -> bool {
        self.0.as_deref().is_some_and(Pipeline::is_portable)
    }

    /// Marks the step `fallback` as running in the handler's future.
    pub(crate) fn recover(&mut self) {
        self.pipeline().recover();
    }

    /// Runs code of the fallback, inside the span of its step.
    pub(crate) fn recovering<R>(&self, run: impl FnOnce() -> R) -> R {
        match self.0.as_ref().and_then(|pipeline| pipeline.watch.step(Step::Fallback)) {
            None => run(),
            Some(span) => span.in_scope(run),
        }
    }

    /// Records the result of the fallback, and whether it gave the caller an `Ok`.
    pub(crate) fn recovered(&mut self, result: StepResult, applied: bool) {
        self.pipeline().recovered(result, applied);
    }

    /// Returns an error if a caller that waits no longer cannot get an `Ok`.
    pub(crate) fn required(&self) -> Option<StepError> {
        self.0.as_deref().and_then(Pipeline::required)
    }

    /// Ends the flow: notifies counters, log and observers.
    fn conclude(&mut self) -> FlowReport {
        let pipeline = self.0.take().expect(ENDS_ONCE);
        pipeline.notify_observers();
        pipeline.report("not run")
    }

    /// The same without a report. Returns only the failure of a `required` step.
    fn answer(&mut self) -> Option<StepError> {
        let pipeline = self.0.take().expect(ENDS_ONCE);
        pipeline.notify_observers();
        pipeline.required_failure()
    }

    /// Continues the flow without its caller.
    pub(crate) fn detach(mut self) {
        self.pipeline().go_on_with_the_rest();
        Background::take(self);
    }

    /// Polls the flow once, because there is no runtime in which it could continue.
    fn run_once(mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        if self.pipeline().poll(&mut cx, &mut NoTypedHooks).is_ready() {
            self.conclude();
        }
    }
}

/// Runs the whole flow without its caller.
impl Future for FlowRun {
    type Output = FlowReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FlowReport> {
        ready!(self.pipeline().poll(cx, &mut NoTypedHooks));
        Poll::Ready(self.conclude())
    }
}

impl Drop for FlowRun {
    fn drop(&mut self) {
        let Some(mut pipeline) = self.0.take() else { return };
        if pipeline.kept {
            return;
        }
        if pipeline.caller == Caller::Waits {
            return Self(Some(pipeline)).detach();
        }
        pipeline.abandon();
        Self(Some(pipeline)).conclude();
    }
}

impl std::fmt::Debug for FlowRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FlowRun").field(&self.0.as_ref().map(|pipeline| &pipeline.flow)).finish()
    }
}
