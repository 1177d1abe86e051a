//! Runs the steps between the end of the body and the answer to the caller, for handlers without hooks that borrow the result.

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

/// Runs the steps between the end of the body and the answer to the caller.
pub trait After<R: Outcome>: Copy {
    /// The future of the steps that are not ready at once.
    type Post: Future<Output = R> + Unpin;

    /// Runs the steps. Usually all are ready at once; then the result, which may be large, is not moved. Otherwise the result moves into
    /// the returned future, and `result` becomes `Pending`.
    #[doc(hidden)]
    fn begin(self, ended: Ended, result: &mut Poll<R>, cx: &mut Context<'_>) -> Option<Self::Post>;

    /// Runs the steps for a caller that cannot wait.
    #[doc(hidden)]
    fn once(self, ended: Ended, result: R) -> R;

    /// The outcome of a call whose body did not run, because the declaration requires a hold.
    ///
    /// # Panics
    /// Panics if the declaration requires no step.
    #[doc(hidden)]
    fn refused(self, error: StepError) -> R;
}

/// What [`refused`](After::refused) expects.
pub(super) const REQUIRED: &str = "a call is refused if its declaration requires a step";

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

    fn refused(self, error: StepError) -> R {
        R::from_err(self.required.expect(REQUIRED)(error))
    }
}

/// Holds the result until the steps are ready.
pub struct PlainPost<R: Outcome> {
    settle: Foreground<NoTypedHooks>,
    result: Option<R>,
    required: Option<fn(StepError) -> R::Err>,
}

/// The result is never pinned, so it may be moved.
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

/// Takes the result, which must be ready.
pub(super) fn taken<R>(result: &mut Poll<R>) -> R {
    match std::mem::replace(result, Poll::Pending) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("steps follow a result"),
    }
}
