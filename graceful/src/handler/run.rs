//! The future of a handler: the body, then what follows it.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    After, Begun, Draft,
    enter::{Active, AfterPanic},
};
use crate::{
    Outcome,
    engine::{NoTypedHooks, Settle},
};

pin_project! {
    /// The future of a handler. Dropped while its body runs, the handler counts as cancelled; dropped after, the steps that
    /// are left go on in the background.
    ///
    /// `P`, what follows the body, is a parameter of its own: were it named through `A`, the compiler would have to prove
    /// things of the user's types before it knows their lifetimes, and the future would not be `Send`.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Run<F, O, X, A, P> {
        #[pin]
        state: State<F, P>,
        active: Option<Active>,
        arms: Option<(O, X, A)>,
    }

    impl<F, O, X, A, P> PinnedDrop for Run<F, O, X, A, P> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(active) = this.active.take() else { return };
            if active.polled {
                // The body goes first: what it holds must not outlive the call.
                let dropped = catch_unwind(AssertUnwindSafe(|| this.state.set(State::Over)));
                if let Some(engine) = active.cancelled() {
                    engine.detach();
                }
                if let Err(payload) = dropped {
                    resume_unwind(payload);
                }
            }
        }
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, P> {
        Body { #[pin] body: F },
        Post { post: P },
        Panicked { flow: AfterPanic },
        Over,
    }
}

impl<F, O, X, A, P> Run<F, O, X, A, P> {
    pub(super) fn new(active: Option<Active>, body: F, arms: (O, X, A)) -> Self {
        Self { state: State::Body { body }, active, arms: Some(arms) }
    }

    /// The body has ended: what follows it.
    fn over(self: Pin<&mut Self>) -> Option<(Active, (O, X, A))> {
        let mut this = self.project();
        this.state.set(State::Over);
        this.active.take().zip(this.arms.take())
    }
}

impl<F, O, X, A, P> Future for Run<F, O, X, A, P>
where
    F: Future,
    F::Output: Outcome,
    O: FnOnce(&mut Draft<'_>, &<F::Output as Outcome>::Ok),
    X: FnOnce(&mut Draft<'_>, &<F::Output as Outcome>::Err),
    A: After<F::Output, Post = P>,
    P: Future<Output = F::Output> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.as_mut().project();
        let ended = match this.state.project() {
            StateProjection::Body { body } => {
                if !this.active.as_mut().is_some_and(Active::resolve) {
                    *this.active = None;
                    return body.poll(cx);
                }
                match catch_unwind(AssertUnwindSafe(|| body.poll(cx))) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(result)) => Ok(result),
                    Err(payload) => Err(payload),
                }
            }
            StateProjection::Post { post } => return Pin::new(post).poll(cx),
            StateProjection::Panicked { flow } => {
                ready!(Pin::new(&mut flow.0).poll(cx));
                let payload = std::mem::replace(&mut flow.1, Box::new(()));
                resume_unwind(payload);
            }
            StateProjection::Over => panic!("`async fn` resumed after completion"),
        };
        let Some((active, (ok, err, after))) = self.as_mut().over() else {
            unreachable!("a body that something follows ends once")
        };
        match ended {
            Ok(result) => match active.returned(&result, ok, err) {
                None => Poll::Ready(result),
                Some(engine) => match after.begin(engine, result, cx) {
                    Begun::Ready(result) => Poll::Ready(result),
                    Begun::Post(post) => {
                        self.project().state.set(State::Post { post });
                        Poll::Pending
                    }
                },
            },
            Err(payload) => {
                let Some(engine) = active.panicked() else { resume_unwind(payload) };
                let mut settle = Settle::new(engine, NoTypedHooks);
                if Pin::new(&mut settle).poll(cx).is_ready() {
                    resume_unwind(payload);
                }
                self.project().state.set(State::Panicked { flow: Box::new((settle, payload)) });
                Poll::Pending
            }
        }
    }
}
