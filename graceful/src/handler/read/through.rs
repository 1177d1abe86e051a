//! The future of a reader: the cache, then the body if it must run.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    Call, Decision, Extension, NO_ORCHESTRATOR, State, UNREADABLE,
    call::{Loaded, Stale},
};
use crate::{
    backends::{BoxFuture, Ended, Reply},
    flow::{Loading, Payload},
    handler::{After, Decode, FlowBuilder, Outcome, Run},
    pipeline::{Orchestrator, current, read_through::body::Body},
    step::StepError,
};

pin_project! {
    /// The future of a reader. If it is dropped, those who wait for its load run it themselves.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Through<Run, D> {
        #[pin]
        run: Run,
        stage: Stage,
        decode: D,
    }
}

enum Stage {
    Begun(State),
    Deciding(BoxFuture<Decision>),
    /// An entry that cannot be decoded is invalidated, so that the next call stores its load.
    Forgetting(Reply<Ended>),
    /// The body runs: as a load, or alone.
    Running(Option<Running>),
}

/// A body that loads.
struct Running {
    orchestrator: Orchestrator,
    loading: Result<Arc<Loading>, &'static str>,
    body: Arc<Body>,
    stale: Option<Stale>,
    extension: Extension,
}

impl<Run, D> Through<Run, D> {
    pub(super) fn new(state: State, run: Run, decode: D) -> Self {
        Self { run, stage: Stage::Begun(state), decode }
    }
}

impl<F, O, X, A, P, D> Future for Through<Run<F, O, X, A, P>, D>
where
    F: Future,
    F::Output: Outcome,
    O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
    X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    A: After<F::Output, Post = P>,
    P: Future<Output = F::Output> + Unpin,
    D: Fn(Decode<'_, <F::Output as Outcome>::Ok>) -> Result<<F::Output as Outcome>::Ok, StepError>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.stage {
                // It stays where it is, because moving it costs more than what else is done here.
                Stage::Begun(State::Hit(found)) => match (this.decode)(Decode::new(&found.value)) {
                    Ok(value) => return Poll::Ready(Outcome::from_ok(value)),
                    Err(error) => *this.stage = Stage::Forgetting(found.forget(&error)),
                },
                Stage::Begun(state) => match std::mem::replace(state, State::Plain(NO_ORCHESTRATOR)) {
                    State::Plain(reason) => {
                        this.run.as_mut().loads(Err(reason));
                        *this.stage = Stage::Running(None);
                    }
                    found @ State::Hit(_) => *this.stage = Stage::Begun(found),
                    State::Call(call, reply) => *this.stage = Stage::Deciding(Box::pin(call.decide(reply))),
                    State::Eager(spec, names, on) => {
                        let orchestrator = on.or_else(current::orchestrator);
                        let begun = orchestrator.map(|orchestrator| Call::begin(&orchestrator, spec, &names));
                        *this.stage = Stage::Begun(begun.unwrap_or(State::Plain(NO_ORCHESTRATOR)));
                    }
                },
                Stage::Deciding(deciding) => match ready!(deciding.as_mut().poll(cx)) {
                    Decision::Hit(found) => match (this.decode)(Decode::new(&found.value)) {
                        Ok(value) => return Poll::Ready(Outcome::from_ok(value)),
                        Err(error) => *this.stage = Stage::Forgetting(found.forget(&error)),
                    },
                    Decision::Load(loaded) => {
                        this.run.as_mut().loads(loaded.loading.clone());
                        *this.stage = Stage::Running(Some(Running::new(*loaded)));
                    }
                },
                Stage::Forgetting(reply) => {
                    // If it fails, the next call finds the entry once more.
                    let _ = ready!(Pin::new(reply).poll(cx));
                    this.run.as_mut().loads(Err(UNREADABLE));
                    *this.stage = Stage::Running(None);
                }
                Stage::Running(None) => return this.run.poll(cx),
                Stage::Running(Some(running)) => {
                    let entered = running.body.enter();
                    let polled = this.run.as_mut().poll(cx);
                    drop(entered);
                    let Poll::Ready(result) = polled else {
                        if let Ok(loading) = &running.loading {
                            running.extension.poll(&running.orchestrator, loading, cx);
                        }
                        return Poll::Pending;
                    };
                    if let Ok(loading) = &running.loading {
                        loading.check(|value| (this.decode)(Decode::new(value)));
                    }
                    let recalled = running.recalled(result.as_result().is_err());
                    let recalled = recalled.and_then(|value| (this.decode)(Decode::new(&value)).ok());
                    return Poll::Ready(recalled.map_or(result, Outcome::from_ok));
                }
            }
        }
    }
}

impl Running {
    fn new(Loaded { orchestrator, loading, lease, body, stale }: Loaded) -> Self {
        Self { orchestrator, loading, body, stale, extension: Extension::new(lease) }
    }

    /// The entry that was to be refreshed, if the body has failed.
    fn recalled(&mut self, has_failed: bool) -> Option<Payload> {
        self.stale.take().filter(|_| has_failed).map(Stale::recall)
    }
}

impl<Run, D> fmt::Debug for Through<Run, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Through").finish_non_exhaustive()
    }
}
