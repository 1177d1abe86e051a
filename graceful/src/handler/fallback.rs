//! Fallbacks, which turn an `Err` into an `Ok`: a function, or the last good value.

use std::{
    future::{Future, Ready},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::Decode;
use crate::{
    backends::Reply,
    flow::{Flow, Payload},
    handler::Outcome,
    pipeline::Orchestrator,
    step::{Step, StepError},
    steps,
};

/// Turns an `Err` into an `Ok`.
pub trait Fallback<R: Outcome> {
    #[doc(hidden)]
    const DECLARED: bool = true;
    type Future: Future<Output = Result<Option<R::Ok>, StepError>>;
    fn recover(
        &self,
        orchestrator: &Orchestrator,
        flow: Arc<Flow>,
        result: Arc<R>,
    ) -> Asked<R::Ok, Self::Future>;
}

/// The answer of a fallback: ready, or pending.
#[derive(Debug)]
pub enum Asked<T, F> {
    /// Ready at once, e.g. from a cache in memory.
    Now(Result<Option<T>, StepError>),
    /// Pending.
    Later(F),
}

impl<R, V, Fut> Fallback<R> for V
where
    R: Outcome,
    V: Fn(Arc<Flow>, Arc<R>) -> Fut,
    Fut: Future<Output = Result<Option<R::Ok>, StepError>>,
{
    type Future = Fut;

    fn recover(&self, _: &Orchestrator, flow: Arc<Flow>, result: Arc<R>) -> Asked<R::Ok, Fut> {
        Asked::Later(self(flow, result))
    }
}

/// For a handler with typed hooks and no fallback.
#[derive(Clone, Copy, Debug)]
pub struct NoFallback;

impl<R: Outcome> Fallback<R> for NoFallback {
    const DECLARED: bool = false;
    type Future = Ready<Result<Option<R::Ok>, StepError>>;

    fn recover(&self, _: &Orchestrator, _: Arc<Flow>, _: Arc<R>) -> Asked<R::Ok, Self::Future> {
        Asked::Now(Ok(None))
    }
}

/// Recovers with the last good value, which `D` decodes.
#[derive(Clone, Copy, Debug)]
pub struct LastGood<D>(pub D);

impl<R, D> Fallback<R> for LastGood<D>
where
    R: Outcome,
    D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError> + Clone,
{
    type Future = Recalled<R::Ok, D>;

    fn recover(&self, orchestrator: &Orchestrator, flow: Arc<Flow>, _: Arc<R>) -> Asked<R::Ok, Self::Future> {
        if orchestrator.cache().is_none() {
            return Asked::Now(Err(orchestrator.no_backend(Step::Fallback, &flow)));
        }
        match steps::fallback::last_good(orchestrator.backends(), &flow) {
            Reply::Ready(Some(answer)) => Asked::Now(answer.and_then(|value| decoded(value, &self.0))),
            reply => Asked::Later(Recalled { reply, decode: self.0.clone(), value: PhantomData }),
        }
    }
}

fn decoded<T>(
    value: Option<Payload>,
    decode: impl Fn(Decode<'_, T>) -> Result<T, StepError>,
) -> Result<Option<T>, StepError> {
    value.map(|value| decode(Decode::new(&value))).transpose()
}

/// The future of the last good value.
#[derive(Debug)]
pub struct Recalled<T, D> {
    reply: Reply<Option<Payload>>,
    decode: D,
    value: PhantomData<fn() -> T>,
}

impl<T, D> Unpin for Recalled<T, D> {}

impl<T, D> Future for Recalled<T, D>
where
    D: Fn(Decode<'_, T>) -> Result<T, StepError>,
{
    type Output = Result<Option<T>, StepError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let value = ready!(Pin::new(&mut self.reply).poll(cx))?;
        Poll::Ready(decoded(value, &self.decode))
    }
}
