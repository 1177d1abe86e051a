//! The future of a handler: the body, then the steps.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{Active, After, FlowBuilder, after::taken};
use crate::{
    flow::{Answering, Loading},
    handler::Outcome,
    pipeline::{FirstPoll, Foreground, NoTypedHooks, current},
};

pin_project! {
    /// The future of a handler. If it is dropped while its body runs, the handler counts as cancelled. If it is dropped later, the
    /// remaining steps continue in the background.
    ///
    /// `P`, the future of the steps, is a type parameter. If it were named as an associated type of `A`, the compiler would have to prove
    /// bounds of the user's types before it knows their lifetimes, and the future would not be `Send`.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[project = Projection]
    pub enum Run<F, O, X, A, P> {
        #[doc(hidden)]
        Body {
            // The body is dropped first, because what it holds must not outlive the call.
            #[pin]
            body: F,
            active: Option<Active>,
            arms: (O, X, A),
        },
        #[doc(hidden)]
        Rest { rest: Rest<P> },
        Over,
    }
}

/// The part of a call that is not ready when the body has ended.
pub enum Rest<P> {
    /// The steps, with the result that is returned after them.
    Post(P),
    /// The steps, with the panic that continues after them.
    Panicked(Panicked),
}

/// The steps of a panic.
pub struct Panicked(Box<(Foreground<NoTypedHooks>, Panic)>);

pub(super) type Panic = Box<dyn Any + Send>;

impl<F, O, X, A, P> Future for Run<F, O, X, A, P>
where
    F: Future,
    F::Output: Outcome,
    O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
    X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    A: After<F::Output, Post = P>,
    P: Future<Output = F::Output> + Unpin,
{
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (body, active, (ok, err, after)) = match self.as_mut().project() {
            Projection::Body { body, active, arms } => (body, active, arms),
            Projection::Rest { rest } => return rest.poll(cx),
            Projection::Over => panic!("`async fn` resumed after completion"),
        };
        if !active.as_mut().is_some_and(Active::resolve) {
            *active = None;
        }
        let Some(call) = active else { return body.poll(cx) };
        let mut polled = Poll::Pending;
        let permit = if call.is_held() { held(call, *after, cx) } else { Permit::Run };
        let entered = if matches!(permit, Permit::Run) { call.enter_body() } else { None };
        let panicked = match permit {
            // The closure writes the result in place, because returning it would move it once more.
            Permit::Run => catch_unwind(AssertUnwindSafe(|| polled = body.poll(cx))).err(),
            Permit::Refuse(refused) => {
                polled = Poll::Ready(refused);
                None
            }
            Permit::Wait => None,
        };
        call.leave_body(entered);
        if panicked.is_none() && polled.is_pending() {
            call.poll_renewal(cx);
            return Poll::Pending;
        }
        let rest = ended(active.take(), panicked, &mut polled, (ok, err), *after, cx);
        self.go_on(rest);
        polled
    }
}

/// Whether a body may run.
enum Permit<R> {
    Run,
    /// The hold is not known yet.
    Wait,
    /// The declaration requires a hold, and it was not confirmed: the outcome of the call.
    Refuse(R),
}

/// Waits for the hold of a write.
#[inline(never)]
fn held<R: Outcome, A: After<R>>(call: &mut Active, after: A, cx: &mut Context<'_>) -> Permit<R> {
    match call.poll_hold(cx) {
        Poll::Ready(Ok(())) => Permit::Run,
        Poll::Ready(Err(error)) => Permit::Refuse(after.refused(error)),
        Poll::Pending => Permit::Wait,
    }
}

impl<F, O, X, A, P> Run<F, O, X, A, P> {
    /// Gives the call, which was not polled yet, the load that the step `cache` stores, or the reason why nothing of it is stored.
    pub(super) fn loads(self: Pin<&mut Self>, loading: Result<Arc<Loading>, &'static str>) {
        if let Projection::Body { active: Some(active), .. } = self.project() {
            active.loads(loading);
        }
    }

    /// Gives the call of an idempotent handler, which was not polled yet, what takes its answer.
    pub(super) fn answers(self: Pin<&mut Self>, answering: Arc<Answering>) {
        if let Projection::Body { active: Some(active), .. } = self.project() {
            active.answers(answering);
        }
    }

    /// Drops the body. This is a separate function, so that its stack frame, which is as large as the body, does not exist while the body runs.
    #[inline(never)]
    fn go_on(mut self: Pin<&mut Self>, rest: Option<Rest<P>>) {
        self.set(rest.map_or(Self::Over, |rest| Self::Rest { rest }));
    }
}

/// The arms as references, so that the code that reads the result is compiled once per result type and not per handler.
type Arms<'a, R> = (
    &'a dyn Fn(&mut FlowBuilder<'_>, &<R as Outcome>::Ok),
    &'a dyn Fn(&mut FlowBuilder<'_>, &<R as Outcome>::Err),
);

/// Runs the steps after the body has ended, as far as they are ready.
fn ended<R: Outcome, A: After<R>>(
    active: Option<Active>,
    panicked: Option<Panic>,
    polled: &mut Poll<R>,
    arms: Arms<'_, R>,
    after: A,
    cx: &mut Context<'_>,
) -> Option<Rest<A::Post>> {
    let active = active?;
    if let Some(payload) = panicked {
        return Some(Rest::Panicked(self::panicked(active, payload, cx)));
    }
    let Poll::Ready(result) = polled else { return None };
    let ended = match active.is_refused() {
        true => active.unavailable(),
        false => active.returned(result, arms.0, arms.1),
    }?;
    if current::is_locked() {
        *polled = Poll::Ready(after.once(ended, taken(polled)));
        return None;
    }
    after.begin(ended, polled, cx).map(Rest::Post)
}

/// Runs the steps of a panic. It continues when they are ready.
pub(super) fn panicked(active: Active, payload: Panic, cx: &mut Context<'_>) -> Panicked {
    let Some(ended) = active.panicked(&*payload) else { resume_unwind(payload) };
    let FirstPoll::Later(settle) = FirstPoll::begin(ended, cx) else { resume_unwind(payload) };
    Panicked(Box::new((settle, payload)))
}

impl<P: Future + Unpin> Rest<P> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<P::Output> {
        match self {
            Self::Post(post) => Pin::new(post).poll(cx),
            Self::Panicked(Panicked(flow)) => {
                ready!(Pin::new(&mut flow.0).poll(cx));
                resume_unwind(std::mem::replace(&mut flow.1, Box::new(())));
            }
        }
    }
}
