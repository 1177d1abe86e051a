//! The future of a handler: the body, then what follows it.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    After, Draft,
    enter::{Active, AfterPanic},
};
use crate::{
    Outcome,
    engine::{Engine, Settled},
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
        state: State<F, O, X, A, P>,
    }

    impl<F, O, X, A, P> PinnedDrop for Run<F, O, X, A, P> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let StateProjection::Body { active, .. } = this.state.as_mut().project() else { return };
            let Some(active) = active.take().filter(|active| active.polled) else { return };
            // The body goes first: what it holds must not outlive the call.
            let dropped = catch_unwind(AssertUnwindSafe(|| this.state.set(State::Over)));
            if let Some(ended) = active.cancelled() {
                Engine::new(ended).detach();
            }
            if let Err(payload) = dropped {
                resume_unwind(payload);
            }
        }
    }
}

pin_project! {
    #[project = StateProjection]
    #[project_replace = StateReplaced]
    enum State<F, O, X, A, P> {
        Body {
            #[pin]
            body: F,
            active: Option<Active>,
            arms: (O, X, A),
        },
        Post { post: P },
        Panicked { flow: AfterPanic },
        Over,
    }
}

impl<F, O, X, A, P> Run<F, O, X, A, P> {
    #[inline]
    pub(super) fn new(active: Option<Active>, body: F, arms: (O, X, A)) -> Self {
        Self { state: State::Body { body, active, arms } }
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut state = self.project().state;
        let mut polled = Poll::Pending;
        let panicked = match state.as_mut().project() {
            StateProjection::Body { body, active, .. } => {
                if !active.as_mut().is_some_and(Active::resolve) {
                    *active = None;
                    return body.poll(cx);
                }
                // Written from inside, since each way out would be another move of the result.
                catch_unwind(AssertUnwindSafe(|| polled = body.poll(cx))).err()
            }
            StateProjection::Post { post } => return Pin::new(post).poll(cx),
            StateProjection::Panicked { flow } => {
                ready!(Pin::new(&mut flow.0).poll(cx));
                let payload = std::mem::replace(&mut flow.1, Box::new(()));
                resume_unwind(payload);
            }
            StateProjection::Over => panic!("`async fn` resumed after completion"),
        };
        if panicked.is_none() && polled.is_pending() {
            return Poll::Pending;
        }
        let StateReplaced::Body { active: Some(active), arms: (ok, err, after), .. } =
            state.as_mut().project_replace(State::Over)
        else {
            unreachable!("a body that something follows ends once")
        };
        if let Some(payload) = panicked {
            let Some(ended) = active.panicked() else { resume_unwind(payload) };
            let Settled::Later(settle) = Settled::begin(ended, cx) else { resume_unwind(payload) };
            state.set(State::Panicked { flow: Box::new((settle, payload)) });
        } else if let Poll::Ready(result) = &polled
            && let Some(ended) = active.returned(result, ok, err)
            && let Some(post) = after.begin(ended, &mut polled, cx)
        {
            state.set(State::Post { post });
        }
        polled
    }
}
