//! The part of a flow that its caller waits for, by delivery mode.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Background, Ended, FlowReport, FlowRun, NoTypedHooks, StepResult, TypedHooks,
    background::{Refused, in_lane},
    durable,
    run::{Caller, Pipeline},
};
use crate::{
    backends::BoxFuture,
    flow::Delivery,
    step::{Step, StepError},
};

/// Ends when the response may be returned. If it is dropped before, the flow continues in the background.
pub(crate) struct Foreground<T> {
    run: FlowRun,
    typed: T,
    /// What the caller waits for after the steps: that the flow is on disk; or, if the queue is full, that the flow has run in its order.
    turn: Option<BoxFuture<FlowReport>>,
    /// The failure of a `required` step, while the other steps wait for their turn.
    required: Option<StepError>,
}

/// A flow whose steps were polled once.
pub(crate) enum FirstPoll {
    /// The response may be returned, with the failure of a `required` step if there is one.
    Now(Option<StepError>),
    Later(Foreground<NoTypedHooks>),
}

impl FirstPoll {
    /// Polls the steps of a flow without typed hooks. If all are ready at once, as usual, nothing is allocated.
    pub(crate) fn begin(ended: Ended, cx: &mut Context<'_>) -> Self {
        let mut pipeline = Pipeline::new(ended);
        let ready = pipeline.poll(cx, &mut NoTypedHooks).is_ready();
        if ready && pipeline.flow.delivery() == Delivery::Inline {
            pipeline.notify_observers();
            return Self::Now(pipeline.required_failure());
        }
        let mut settle = Foreground::new(FlowRun::of(pipeline), NoTypedHooks);
        if !ready {
            return Self::Later(settle);
        }
        match Pin::new(&mut settle).poll(cx) {
            Poll::Ready(report) => Self::Now(report.required_failure().cloned()),
            Poll::Pending => Self::Later(settle),
        }
    }

    /// Polls once, for a caller that cannot wait. Steps that are not ready continue in the background.
    ///
    /// # Errors
    /// A `required` step has failed, or is not ready.
    pub(crate) fn once(ended: Ended) -> Result<(), StepError> {
        let required = match Self::begin(ended, &mut Context::from_waker(Waker::noop())) {
            Self::Now(required) => required,
            Self::Later(settle) => settle.required(),
        };
        required.map_or(Ok(()), Err)
    }
}

impl<T: TypedHooks> Foreground<T> {
    pub(crate) fn new(run: FlowRun, typed: T) -> Self {
        Self { run, typed, turn: None, required: None }
    }

    /// Returns an error if a caller that waits no longer cannot get an `Ok`.
    pub(crate) fn required(&self) -> Option<StepError> {
        self.required.clone().or_else(|| self.run.required())
    }

    /// Polls as the future does, for a caller that needs no report. Returns the failure of a `required` step, if there is one.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<StepError>> {
        if self.turn.is_none() && self.run.flow().delivery() == Delivery::Inline {
            ready!(self.run.pipeline().poll(cx, &mut self.typed));
            return Poll::Ready(self.run.answer());
        }
        Pin::new(self).poll(cx).map(|report| report.required_failure().cloned())
    }
}

/// Typed hooks are boxed, and nothing else is pinned.
impl<T> Unpin for Foreground<T> {}

impl<T: TypedHooks> Future for Foreground<T> {
    type Output = FlowReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FlowReport> {
        let this = &mut *self;
        if this.turn.is_none() {
            let pipeline = this.run.pipeline();
            ready!(pipeline.poll(cx, &mut this.typed));
            match pipeline.flow.delivery() {
                Delivery::Inline => return Poll::Ready(this.run.conclude()),
                Delivery::Durable => {
                    this.required = pipeline.required_failure();
                    this.turn = Some(Box::pin(durable::store(this.run.take())));
                }
                Delivery::Background => {
                    let so_far = pipeline.report("queued");
                    pipeline.go_on_with_the_rest();
                    match Background::offer(this.run.take()) {
                        Ok(()) => return Poll::Ready(so_far),
                        // The lane would wait for itself, so the flow takes its turn without its caller.
                        Err(Refused::Full(_)) if in_lane() => return Poll::Ready(so_far),
                        Err(refused) => {
                            this.required = so_far.required_failure().cloned();
                            this.turn = Some(refused.turn(so_far));
                        }
                    }
                }
            }
        }
        this.turn.as_mut().map_or(Poll::Pending, |turn| turn.as_mut().poll(cx))
    }
}

/// The fallback runs in the handler's future.
impl Pipeline {
    pub(super) fn recover(&mut self) {
        self.watch.begin(Step::Fallback, &self.flow, &self.orchestrator);
        self.recovering = true;
    }

    /// Records the result of the fallback, and whether it gave the caller an `Ok`.
    pub(super) fn recovered(&mut self, result: StepResult, applied: bool) {
        self.recovering = false;
        self.record(Step::Fallback, result);
        Arc::make_mut(&mut self.flow).fallback_applied = applied;
    }
}

impl Refused {
    /// The future for which the caller waits instead. If it is dropped, the flow continues.
    fn turn(self, so_far: FlowReport) -> BoxFuture<FlowReport> {
        match self {
            Self::Full(turn) => Box::pin(async move { turn.await.unwrap_or(so_far) }),
            Self::Closed(mut run) => {
                run.pipeline().caller = Caller::Waits;
                Box::pin(run)
            }
        }
    }
}
