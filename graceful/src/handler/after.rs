//! What happens between the body's end and the caller's answer, where no hook borrows the result.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::enter::required;
use crate::{
    handler::Outcome,
    pipeline::{Ended, FirstPoll, Foreground, NoTypedHooks},
    step::StepError,
};

/// What happens between the body's end and the caller's answer.
pub trait After<R: Outcome>: Copy {
    /// For as long as steps are not ready.
    type Post: Future<Output = R> + Unpin;

    /// Runs the steps; most are ready at once, and then the result stays where it is, since it may be large. Else it waits in
    /// what is answered, and leaves `Pending`.
    #[doc(hidden)]
    fn begin(self, ended: Ended, result: &mut Poll<R>, cx: &mut Context<'_>) -> Option<Self::Post>;

    /// Runs the steps for a caller that cannot wait.
    #[doc(hidden)]
    fn once(self, ended: Ended, result: R) -> R;
}

/// No hook borrows the result.
#[derive(Debug)]
pub struct Plain<E> {
    /// How a `required` step's failure becomes the handler's error.
    pub(super) required: Option<fn(StepError) -> E>,
}

// By hand, since an error need not be `Copy`.
impl<E> Clone for Plain<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Plain<E> {}

impl<R: Outcome> After<R> for Plain<R::Err> {
    type Post = Box<PlainPost<R>>;

    fn begin(self, ended: Ended, result: &mut Poll<R>, cx: &mut Context<'_>) -> Option<Self::Post> {
        match FirstPoll::begin(ended, cx) {
            FirstPoll::Now(None) => None,
            FirstPoll::Now(Some(failure)) => {
                if let Some(into) = self.required {
                    *result = Poll::Ready(R::from_err(into(failure)));
                }
                None
            }
            FirstPoll::Later(settle) => {
                let result = taken(result);
                Some(Box::new(PlainPost { settle, result: Some(result), required: self.required }))
            }
        }
    }

    fn once(self, ended: Ended, result: R) -> R {
        required(result, FirstPoll::once(ended).err(), self.required)
    }
}

/// Steps are not ready, and the result waits for them.
pub struct PlainPost<R: Outcome> {
    settle: Foreground<NoTypedHooks>,
    result: Option<R>,
    required: Option<fn(StepError) -> R::Err>,
}

/// The result is moved, never pinned.
impl<R: Outcome> Unpin for PlainPost<R> {}

impl<R: Outcome> Future for PlainPost<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let failure = ready!(self.settle.poll_answer(cx));
        let result = self.result.take().expect("a future is not polled after its end");
        Poll::Ready(required(result, failure, self.required))
    }
}

impl<R: Outcome> std::fmt::Debug for PlainPost<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainPost").finish_non_exhaustive()
    }
}

/// The result, which was there.
pub(super) fn taken<R>(result: &mut Poll<R>) -> R {
    match std::mem::replace(result, Poll::Pending) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("steps follow a result"),
    }
}
