//! The part of a flow that its caller waits for, by delivery mode.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Background, Ended, Engine, FlowReport, NoTypedHooks, TypedHooks,
    background::{Refused, in_lane},
    durable,
    run::{Caller, Machine},
};
use crate::{Delivery, StepError, backends::BoxFuture};

/// Ends when the response may leave. Dropped before, the flow goes on in the background.
pub(crate) struct Settle<T> {
    engine: Engine,
    typed: T,
    /// What the caller waits for besides: that the flow is on disk; or, where the queue is full, for its turn, so that the
    /// order per entity holds.
    turn: Option<BoxFuture<FlowReport>>,
    /// What a `required` step came to, once the rest waits for its turn.
    required: Option<StepError>,
}

/// A flow whose steps were polled once.
pub(crate) enum Settled {
    /// The response may leave; why a `required` step failed, if one did.
    Now(Option<StepError>),
    Later(Settle<NoTypedHooks>),
}

impl Settled {
    /// Polls the steps of a flow without typed hooks. Most are ready at once, and then nothing of it was allocated.
    pub(crate) fn begin(ended: Ended, cx: &mut Context<'_>) -> Self {
        let mut machine = Machine::new(ended);
        let ready = machine.poll(cx, &mut NoTypedHooks).is_ready();
        if ready && machine.flow.delivery() == Delivery::Inline {
            machine.tell();
            return Self::Now(machine.required_failure());
        }
        let mut settle = Settle::new(Engine::of(machine), NoTypedHooks);
        if !ready {
            return Self::Later(settle);
        }
        match Pin::new(&mut settle).poll(cx) {
            Poll::Ready(report) => Self::Now(report.required_failure().cloned()),
            Poll::Pending => Self::Later(settle),
        }
    }

    /// Polls once, for a caller that cannot wait. What is not ready then goes on in the background.
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

impl<T: TypedHooks> Settle<T> {
    pub(crate) fn new(engine: Engine, typed: T) -> Self {
        Self { engine, typed, turn: None, required: None }
    }

    /// Why a caller that does not wait any longer cannot be given an `Ok`.
    pub(crate) fn required(&self) -> Option<StepError> {
        self.required.clone().or_else(|| self.engine.required())
    }

    /// As the future, for a caller that needs no report: why it cannot be given an `Ok`.
    pub(crate) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<StepError>> {
        if self.turn.is_none() && self.engine.flow().delivery() == Delivery::Inline {
            ready!(self.engine.machine().poll(cx, &mut self.typed));
            return Poll::Ready(self.engine.answer());
        }
        Pin::new(self).poll(cx).map(|report| report.required_failure().cloned())
    }
}

/// Nothing in it is pinned in place: typed hooks are boxed.
impl<T> Unpin for Settle<T> {}

impl<T: TypedHooks> Future for Settle<T> {
    type Output = FlowReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FlowReport> {
        let this = &mut *self;
        if this.turn.is_none() {
            let machine = this.engine.machine();
            ready!(machine.poll(cx, &mut this.typed));
            match machine.flow.delivery() {
                Delivery::Inline => return Poll::Ready(this.engine.conclude()),
                Delivery::Durable => {
                    this.required = machine.required_failure();
                    this.turn = Some(Box::pin(durable::store(this.engine.take())));
                }
                Delivery::Background => {
                    let so_far = machine.report("queued");
                    machine.go_on_with_the_rest();
                    match Background::offer(this.engine.take()) {
                        Ok(()) => return Poll::Ready(so_far),
                        // The lane would wait for itself: the flow takes its turn without its caller.
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

impl Refused {
    /// What the caller waits for instead; it may go at any time, and the flow goes on.
    fn turn(self, so_far: FlowReport) -> BoxFuture<FlowReport> {
        match self {
            Self::Full(turn) => Box::pin(async move { turn.await.unwrap_or(so_far) }),
            Self::Closed(mut engine) => {
                engine.machine().caller = Caller::Waits;
                Box::pin(engine)
            }
        }
    }
}
