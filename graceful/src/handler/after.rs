//! What happens between the body's end and the caller's answer, where no hook borrows the result.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::enter::required;
use crate::{
    FlowReport, Outcome, StepError,
    engine::{Engine, NoTypedHooks, Settle},
};

/// What happens between the body's end and the caller's answer.
pub trait After<R: Outcome> {
    /// For as long as steps are not ready.
    type Post: Future<Output = R> + Unpin;

    /// Runs the steps; most are ready at once.
    #[doc(hidden)]
    fn begin(self, engine: Engine, result: R, cx: &mut Context<'_>) -> Begun<R, Self::Post>;

    /// Runs the steps for a caller that cannot wait.
    #[doc(hidden)]
    fn once(self, engine: Engine, result: R) -> R;
}

/// Done, or not yet.
#[derive(Debug)]
pub enum Begun<R, P> {
    Ready(R),
    Post(P),
}

/// No hook borrows the result.
#[derive(Debug)]
pub struct Plain<E> {
    /// How a `required` step's failure becomes the handler's error.
    pub(super) required: Option<fn(StepError) -> E>,
}

impl<R: Outcome> After<R> for Plain<R::Err> {
    type Post = Box<PlainPost<R>>;

    fn begin(self, engine: Engine, result: R, cx: &mut Context<'_>) -> Begun<R, Self::Post> {
        let mut settle = Settle::new(engine, NoTypedHooks);
        match Pin::new(&mut settle).poll(cx) {
            Poll::Ready(report) => Begun::Ready(answer(result, &report, self.required)),
            Poll::Pending => {
                Begun::Post(Box::new(PlainPost { settle, result: Some(result), required: self.required }))
            }
        }
    }

    fn once(self, engine: Engine, result: R) -> R {
        required(result, Settle::new(engine, NoTypedHooks).once().err(), self.required)
    }
}

/// Steps are not ready, and the result waits for them.
pub struct PlainPost<R: Outcome> {
    settle: Settle<NoTypedHooks>,
    result: Option<R>,
    required: Option<fn(StepError) -> R::Err>,
}

/// The result is moved, never pinned.
impl<R: Outcome> Unpin for PlainPost<R> {}

impl<R: Outcome> Future for PlainPost<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let report = ready!(Pin::new(&mut self.settle).poll(cx));
        let result = self.result.take().expect("a future is not polled after its end");
        Poll::Ready(answer(result, &report, self.required))
    }
}

impl<R: Outcome> std::fmt::Debug for PlainPost<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainPost").finish_non_exhaustive()
    }
}

pub(super) fn answer<R: Outcome>(result: R, report: &FlowReport, into: Option<fn(StepError) -> R::Err>) -> R {
    required(result, report.required_failure().cloned(), into)
}
