//! The future of an idempotent handler: its key is claimed, the body runs, and its answer is stored; or the stored answer is returned.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    State,
    call::{Call, Claim, Decision},
};
use crate::{
    backends::BoxFuture,
    context,
    flow::Payload,
    handler::{After, Decode, FlowBuilder, Outcome, Run},
    pipeline::{
        current,
        idempotent::{CallResult, count},
    },
    step::StepError,
};

pin_project! {
    /// The future of an idempotent handler. If it is dropped while its body runs, its key stays claimed until the lease expires.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Repeated<Run, R, D>
    where
        R: Outcome,
    {
        // `None` after the body was dropped.
        #[pin]
        run: Option<Run>,
        stage: Stage<R>,
        decode: D,
        refuse: fn(StepError) -> R::Err,
    }
}

enum Stage<R> {
    Begun(State),
    Claiming(BoxFuture<Decision<Claim>>, &'static str),
    /// The body runs: with a claim, or alone.
    Running(Option<Claim>),
    Storing(BoxFuture<Result<Payload, StepError>>),
    Releasing(BoxFuture<()>, Option<R>),
}

impl<Run, R: Outcome, D> Repeated<Run, R, D> {
    pub(super) fn new(state: State, run: Run, decode: D, refuse: fn(StepError) -> R::Err) -> Self {
        Self { run: Some(run), stage: Stage::Begun(state), decode, refuse }
    }
}

impl<F, R, O, X, A, P, D> Future for Repeated<Run<F, O, X, A, P>, R, D>
where
    F: Future<Output = R>,
    R: Outcome,
    O: Fn(&mut FlowBuilder<'_>, &R::Ok),
    X: Fn(&mut FlowBuilder<'_>, &R::Err),
    A: After<R, Post = P>,
    P: Future<Output = R> + Unpin,
    D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError>,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let refused = |error| Poll::Ready(R::from_err((this.refuse)(error)));
        loop {
            match this.stage {
                Stage::Begun(state) => match std::mem::replace(state, State::Plain) {
                    State::Plain => *this.stage = Stage::Running(None),
                    State::Refused(error) => return refused(error),
                    State::Call(call) if current::is_locked() => return refused(call.within_a_transaction()),
                    State::Call(call) => *this.stage = claiming(call),
                },
                Stage::Claiming(claiming, handler) => match ready!(claiming.as_mut().poll(cx)) {
                    Decision::Run(claim) => {
                        if let Some(run) = this.run.as_mut().as_pin_mut() {
                            run.answers(claim.answering.clone());
                        }
                        *this.stage = Stage::Running(Some(claim));
                    }
                    Decision::Replay(value) => {
                        return match replayed(&value, handler, &*this.decode) {
                            Ok(value) => Poll::Ready(R::from_ok(value)),
                            Err(error) => refused(error),
                        };
                    }
                    Decision::Refuse(error) => return refused(error),
                },
                Stage::Running(claim) => {
                    if let Some(expired) = claim.as_ref().filter(|claim| claim.lease.poll_lost(cx).is_ready())
                    {
                        let error = expired.expired();
                        this.run.set(None);
                        *this.stage = Stage::Running(None);
                        return refused(error);
                    }
                    let run = this.run.as_mut().as_pin_mut().expect("a future is not polled after its end");
                    let result = ready!(run.poll(cx));
                    *this.stage = match claim.take() {
                        None => return Poll::Ready(result),
                        Some(claim) if result.as_result().is_ok() => Stage::Storing(Box::pin(claim.store())),
                        Some(claim) => Stage::Releasing(Box::pin(claim.release()), Some(result)),
                    };
                }
                Stage::Storing(storing) => {
                    // The first caller gets what repetitions will get.
                    let decoded = ready!(storing.as_mut().poll(cx))
                        .and_then(|value| (this.decode)(Decode::new(&value)));
                    return match decoded {
                        Ok(value) => Poll::Ready(R::from_ok(value)),
                        Err(error) => refused(error),
                    };
                }
                Stage::Releasing(releasing, result) => {
                    ready!(releasing.as_mut().poll(cx));
                    return Poll::Ready(result.take().expect("a future is not polled after its end"));
                }
            }
        }
    }
}

fn claiming<R>(call: Box<Call>) -> Stage<R> {
    let handler = call.handler();
    Stage::Claiming(Box::pin(call.claim()), handler)
}

/// The answer of an earlier call. One that cannot be decoded is an error, because the body has run.
pub(super) fn replayed<T>(
    value: &Payload,
    handler: &'static str,
    decode: impl Fn(Decode<'_, T>) -> Result<T, StepError>,
) -> Result<T, StepError> {
    match decode(Decode::new(value)) {
        Ok(value) => {
            count(handler, CallResult::Replayed);
            context::replayed();
            Ok(value)
        }
        Err(error) => {
            count(handler, CallResult::NotStorable);
            Err(StepError::new(format_args!(
                "the stored answer of an idempotent call cannot be decoded: {}",
                error.message()
            )))
        }
    }
}

impl<Run, R: Outcome, D> fmt::Debug for Repeated<Run, R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated").finish_non_exhaustive()
    }
}
