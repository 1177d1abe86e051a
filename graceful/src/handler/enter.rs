//! Enters a handler: finds the orchestrator, and evaluates the expressions that are known before the body runs.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{Active, FlowBuilder, HandlerSpec, Once, Returns, builder::Fill};
use crate::{
    handler::Outcome,
    pipeline::{Orchestrator, current},
    step::StepError,
};

/// A type that `on = …` accepts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestrator",
    label = "expected an `Orchestrator`, an `Option` of one, or a reference to either",
    note = "`on` names the orchestrator to use, such as `on = self.orchestrator`"
)]
pub trait Source {
    fn orchestrator(&self) -> Option<Orchestrator>;
}

#[diagnostic::do_not_recommend]
impl Source for Orchestrator {
    fn orchestrator(&self) -> Option<Orchestrator> {
        Some(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source> Source for Option<S> {
    fn orchestrator(&self) -> Option<Orchestrator> {
        self.as_ref().and_then(Source::orchestrator)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source + ?Sized> Source for &S {
    fn orchestrator(&self) -> Option<Orchestrator> {
        S::orchestrator(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Source + ?Sized> Source for Arc<S> {
    fn orchestrator(&self) -> Option<Orchestrator> {
        S::orchestrator(self)
    }
}

/// A call that has begun; without an orchestrator it is the plain call.
#[derive(Debug)]
pub struct Entered(pub(super) Option<Active>);

/// Makes the future of a call in the given place. What `make` borrows while it runs is not part of the future.
#[inline]
pub fn call<'p, T: IntoFuture>(
    mut place: Pin<&'p mut Option<T::IntoFuture>>,
    spec: &'static HandlerSpec,
    make: impl FnOnce(&'static HandlerSpec) -> T,
) -> Pin<&'p mut T::IntoFuture> {
    place.set(Some(make(spec).into_future()));
    place.as_pin_mut().unwrap_or_else(|| unreachable!("it is there"))
}

/// Enters a handler with the task's or the process' orchestrator.
#[inline]
pub fn enter(spec: &'static HandlerSpec, mut fill: impl FnMut(&mut FlowBuilder<'_>)) -> Entered {
    Entered(begin_current(spec, &mut fill))
}

/// Enters a handler with the orchestrator that its declaration names.
pub fn enter_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut fill: impl FnMut(&mut FlowBuilder<'_>),
) -> Entered {
    Entered(begin(on.orchestrator(), spec, &mut fill))
}

/// Enters a function that returns a future. When the future is polled, the function's parameters are gone, but only then is it known
/// whether there is an orchestrator. So the expressions are evaluated at the call, if the process has any orchestrator.
pub fn enter_eager(spec: &'static HandlerSpec, mut fill: impl FnMut(&mut FlowBuilder<'_>)) -> Entered {
    if !Orchestrator::any_exists() {
        spec.without_an_orchestrator();
        return Entered(None);
    }
    Entered(Active::new(spec, None, &mut fill))
}

#[inline]
fn begin_current(spec: &'static HandlerSpec, fill: Fill<'_>) -> Option<Active> {
    if !Orchestrator::any_exists() {
        spec.without_an_orchestrator();
        return None;
    }
    begin(current::orchestrator(), spec, fill)
}

fn begin(orchestrator: Option<Orchestrator>, spec: &'static HandlerSpec, fill: Fill<'_>) -> Option<Active> {
    if orchestrator.is_none() {
        spec.without_an_orchestrator();
    }
    Active::new(spec, Some(orchestrator?), fill)
}

impl Entered {
    /// An async body: `ok` and `err` read its result.
    #[inline]
    pub fn run<F, O, X>(self, body: F, ok: O, err: X) -> <F::Output as Outcome>::Run<F, O, X>
    where
        F: Future<Output: Outcome>,
        O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    {
        F::Output::run(self.0, body, ok, err)
    }

    /// An async body whose result a hook borrows, or whose answer depends on a step.
    #[inline]
    pub fn prepare<F, O, X>(self, body: F, ok: O, err: X) -> <F::Output as Outcome>::Prepared<F, O, X>
    where
        F: Future<Output: Outcome>,
        O: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<F::Output as Outcome>::Err),
    {
        F::Output::prepare(self.0, body, ok, err)
    }

    /// A body that is not async: it returns a `Result`, or a boxed future of one.
    pub fn call<B, V, O, X>(
        self,
        body: &mut Once<B>,
        ok: O,
        err: X,
    ) -> <V::Outcome as Outcome>::Prepared<&mut Once<B>, O, X>
    where
        B: FnOnce() -> V,
        V: Returns,
        O: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
    {
        V::Outcome::prepare(self.0, body, ok, err)
    }
}

/// Turns the outcome into an `Err` if a `required` step has failed.
pub(super) fn required<R: Outcome>(
    result: R,
    failure: Option<StepError>,
    into: Option<fn(StepError) -> R::Err>,
) -> R {
    match (failure, into) {
        (Some(error), Some(into)) => R::from_err(into(error)),
        _ => result,
    }
}
