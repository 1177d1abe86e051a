//! The signatures of hooks and fallbacks; a function that does not match is reported at the argument's token.
//!
//! Each trait has two implementations, one of them for types of a trait that no type implements. As long as the compiler has a choice
//! between implementations, it reports that the trait is not implemented, with our message, and not the bound that failed.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomData,
    ops::Deref,
    sync::Arc,
};

use crate::{flow::Flow, handler::Outcome, pipeline::HookResult, step::StepError, views::Failure};

/// A hook: a function that replaces an arm of a step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook of this step",
    label = "expected an `async fn(&{View}) -> Result<(), StepError>`",
    note = "`STEP = path` and `STEP(with = path)` take the `Flow`, `STEP(ok = path)` the `Success`, `STEP(err = path)` the \
            `Failure`, each by reference"
)]
pub trait HookOf<'a, View: ?Sized, Kind> {
    type Future: Future<Output = HookResult>;
    fn start(self, view: &'a View) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'a, View: ?Sized + 'a, F, Fut> HookOf<'a, View, (Fut,)> for F
where
    F: FnOnce(&'a View) -> Fut,
    Fut: Future<Output = HookResult>,
{
    type Future = Fut;

    fn start(self, view: &'a View) -> Fut {
        self(view)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, View: ?Sized, F: Nothing> HookOf<'a, View, ()> for F {
    type Future = Ready<HookResult>;

    fn start(self, _: &'a View) -> Self::Future {
        self.never()
    }
}

/// Starts a hook. The view is the first parameter, so that its type is known when the function is checked.
pub fn hook<'a, View: ?Sized, Kind, F: HookOf<'a, View, Kind>>(view: &'a View, function: F) -> F::Future {
    function.start(view)
}

/// A hook of the error arm, for flows without an error value. A hook of a wrong type is reported where there is a value, so here it
/// derefs to a type that accepts anything.
#[derive(Debug)]
pub struct Detached<'a, F, E, Kind>(F, DetachedAnything<E, Kind>, PhantomData<fn(&'a E)>);

/// Has no type parameters, so that none must be inferred.
#[derive(Debug)]
pub struct DetachedAnything<E, Kind>(PhantomData<fn(E) -> Kind>);

pub fn detached<'a, F, E, Kind>(function: F) -> Detached<'a, F, E, Kind> {
    Detached(function, DetachedAnything(PhantomData), PhantomData)
}

impl<F, E, Kind> Deref for Detached<'_, F, E, Kind> {
    type Target = DetachedAnything<E, Kind>;

    fn deref(&self) -> &DetachedAnything<E, Kind> {
        &self.1
    }
}

impl<'a, E, Kind, F: HookOf<'a, Failure<'a, E>, Kind>> Detached<'a, F, E, Kind> {
    pub fn __graceful_view(&self, flow: &Arc<Flow>) -> Failure<'a, E> {
        Failure::of_flow(flow)
    }

    pub fn __graceful_start(self, view: &'a Failure<'a, E>) -> F::Future {
        self.0.start(view)
    }
}

#[expect(clippy::unused_self, reason = "a question is asked by a method")]
impl DetachedAnything<(), ()> {
    pub fn __graceful_view(&self, flow: &Arc<Flow>) -> Failure<'static, ()> {
        Failure::of_flow(flow)
    }

    pub fn __graceful_start(&self, _: &Failure<'_, ()>) -> Ready<HookResult> {
        ready(Ok(()))
    }
}

/// A function that turns an `Err` into an `Ok`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fallback of this handler",
    label = "expected an `async fn(&{View}) -> Option<{T}>`",
    note = "a fallback takes the `Failure` by reference, and returns `Some(value)`, or `None` if it has no value"
)]
pub trait FallbackOf<'a, View, T, Kind> {
    type Future: Future;
    fn start(self, view: &'a View) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<'a, View: 'a, T, F, Fut> FallbackOf<'a, View, T, (Fut,)> for F
where
    F: FnOnce(&'a View) -> Fut,
    Fut: Future,
{
    type Future = Fut;

    fn start(self, view: &'a View) -> Fut {
        self(view)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, View, T, F: Nothing> FallbackOf<'a, View, T, ()> for F {
    type Future = Ready<Option<T>>;

    fn start(self, _: &'a View) -> Self::Future {
        self.never()
    }
}

/// Starts a fallback.
pub fn recover<'a, R, View, Kind, F>(_: &R, view: &'a View, function: F) -> F::Future
where
    R: Outcome,
    F: FallbackOf<'a, View, R::Ok, Kind>,
{
    function.start(view)
}

/// The return type of a fallback.
#[diagnostic::on_unimplemented(
    message = "a fallback of this handler returns `Option<{T}>`, but this one returns `{Self}`",
    label = "the handler's `Ok` value is of type `{T}`",
    note = "return `Some(value)`, or `None` if there is no value"
)]
pub trait Answer<T> {
    fn answer(self) -> Option<T>;
}

#[diagnostic::do_not_recommend]
impl<T> Answer<T> for Option<T> {
    fn answer(self) -> Self {
        self
    }
}

/// Converts the answer of a fallback.
pub fn recovered<R: Outcome, A: Answer<R::Ok>>(_: &R, answer: A) -> Result<Option<R::Ok>, StepError> {
    Ok(answer.answer())
}

/// A trait without implementations.
pub trait Nothing {
    fn never<T>(self) -> T;
}
