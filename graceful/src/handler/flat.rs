//! A plain handler as one future. Its block evaluates the declaration's expressions itself, as its first statement, so no parameter is moved
//! before the body runs. What follows the body is compiled once per result type.

use std::{
    future::Future,
    mem::{forget, replace},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{
    Active, After, FlowBuilder, HandlerSpec, Outcome, Plain,
    after::{PlainPost, taken},
    entering::{Asked, Entered},
    run::{Panic, Rest, panicked},
};
use crate::{
    flow::CallOutcome,
    pipeline::{Orchestrator, current},
};

/// A future that is pending once: until it is known whether the body may run.
#[derive(Debug)]
pub struct Gate {
    is_open: bool,
}

/// Makes the gate between the expressions and the body.
#[inline]
pub const fn gate() -> Gate {
    Gate { is_open: false }
}

impl Future for Gate {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match replace(&mut self.is_open, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// Reads the result of a body. It captures nothing.
pub type ReadOutcome<T, E> = fn(&mut FlowBuilder<'_>, Result<&T, &E>);

/// Reads a result by a function for each arm. An expression that uses `result` is in a function whose parameter that is, since the
/// compiler would suggest to change a variable of this name.
#[inline]
pub fn either<T, E>(
    builder: &mut FlowBuilder<'_>,
    outcome: Result<&T, &E>,
    ok: impl FnOnce(&mut FlowBuilder<'_>, &T),
    err: impl FnOnce(&mut FlowBuilder<'_>, &E),
) {
    match outcome {
        Ok(value) => ok(builder, value),
        Err(error) => err(builder, error),
    }
}

pin_project! {
    /// The future of a plain handler. If it is dropped while its body runs, the handler counts as cancelled. If it is dropped later, the
    /// remaining steps continue in the background.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Flat<F, T, E> {
        // The body is dropped first, because what it holds must not outlive the call.
        #[pin]
        pub(super) body: F,
        pub(super) stage: Stage<Result<T, E>>,
        pub(super) read: ReadOutcome<T, E>,
    }
}

/// The future of the steps that were not ready at once.
type Steps<R> = Rest<Box<PlainPost<R>>>;

/// Where a call stands.
pub enum Stage<R: Outcome> {
    /// It was not polled yet.
    New(&'static HandlerSpec),
    /// Nothing follows the body.
    Plain,
    /// The body has begun.
    Called(Active),
    /// The body has ended.
    Rest(Steps<R>),
    Over,
}

/// A plain handler, before its future is made.
#[derive(Clone, Copy, Debug)]
pub struct Declared(pub &'static HandlerSpec);

impl Declared {
    /// Makes the future of the handler. `R` is a parameter of its own, since the compiler needs longer if all else projects from `F`.
    #[inline]
    pub fn flat<R: Outcome, F: Future<Output = R>>(self, body: F, read: R::Read) -> R::Flat<F> {
        R::flat(self.0, body, read)
    }
}

impl<F, T, E> Future for Flat<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.as_mut().project();
        match this.stage.is_plain() {
            true => this.body.poll(cx),
            false => self.followed(cx),
        }
    }
}

impl<R: Outcome> Stage<R> {
    /// Whether nothing follows the body. The first poll of a future decides this, if the process has no orchestrator at all.
    #[inline]
    fn is_plain(&mut self) -> bool {
        if let Self::New(spec) = *self
            && !Orchestrator::any_exists()
        {
            spec.without_an_orchestrator();
            // There is nothing to drop in it.
            forget(replace(self, Self::Plain));
        }
        matches!(self, Self::Plain)
    }
}

impl<F, T, E> Flat<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    /// A separate function, so that [`poll`](Future::poll) has no variables of its own.
    #[inline(never)]
    fn followed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        followed(this.stage, &mut |cx| this.body.as_mut().poll(cx), *this.read, cx)
    }
}

/// Polls the body. This is a reference, so that what follows the body is compiled once per result type and not per handler.
type Body<'a, R> = &'a mut dyn FnMut(&mut Context<'_>) -> Poll<R>;

/// Polls a handler that may have an orchestrator: the body, then the steps.
#[inline(never)]
fn followed<T, E>(
    stage: &mut Stage<Result<T, E>>,
    body: Body<'_, Result<T, E>>,
    read: ReadOutcome<T, E>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, E>> {
    if let Stage::Rest(rest) = stage {
        return rest.poll(cx);
    }
    let mut polled = Poll::Pending;
    let (mut active, mut panicked, mut runs) = match replace(stage, Stage::Over) {
        Stage::Called(active) => (active, None, true),
        Stage::New(spec) => {
            let Some(orchestrator) = current::orchestrator() else {
                spec.without_an_orchestrator();
                *stage = Stage::Plain;
                return body(cx);
            };
            let asked = Asked::block(spec, orchestrator);
            // The closure writes the result in place, because returning it would move it once more.
            let panicked = catch_unwind(AssertUnwindSafe(|| polled = body(cx))).err();
            let Some(Entered { mut active, in_body }) = asked.answer() else {
                *stage = Stage::Plain;
                if let Some(payload) = panicked {
                    resume_unwind(payload);
                }
                return polled;
            };
            active.leave_body(in_body);
            // A body that must wait has not begun.
            let waits = active.is_held();
            (active, panicked, waits)
        }
        Stage::Plain | Stage::Rest(_) | Stage::Over => panic!("`async fn` resumed after completion"),
    };
    // Only a call whose declaration requires a hold is refused, and such a handler is not plain.
    runs = runs && !(active.is_held() && active.poll_hold(cx).is_pending());
    if runs {
        let entered = active.enter_body();
        panicked = catch_unwind(AssertUnwindSafe(|| polled = body(cx))).err();
        active.leave_body(entered);
    }
    if panicked.is_none() && polled.is_pending() {
        active.poll_renewal(cx);
        *stage = Stage::Called(active);
        return Poll::Pending;
    }
    if let Some(rest) = ended(active, panicked, &mut polled, read, cx) {
        *stage = Stage::Rest(rest);
    }
    polled
}

/// Runs the steps after the body has ended, as far as they are ready.
fn ended<T, E>(
    active: Active,
    panic: Option<Panic>,
    polled: &mut Poll<Result<T, E>>,
    read: ReadOutcome<T, E>,
    cx: &mut Context<'_>,
) -> Option<Steps<Result<T, E>>> {
    if let Some(payload) = panic {
        return Some(Rest::Panicked(panicked(active, payload, cx)));
    }
    let Poll::Ready(result) = polled else { return None };
    let outcome = if result.is_ok() { CallOutcome::Ok } else { CallOutcome::Err };
    let ended = active.read(outcome, &mut |builder| read(builder, result.as_ref()))?;
    let after = Plain { required: None };
    if current::is_locked() {
        *polled = Poll::Ready(after.once(ended, taken(polled)));
        return None;
    }
    after.begin(ended, polled, cx).map(Rest::Post)
}
