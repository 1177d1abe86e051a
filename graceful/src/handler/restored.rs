//! What a relay needs from a durable handler: its identity, and typed views of stored flows for its hooks.

use std::{
    any::type_name,
    future::{Ready, ready},
    marker::PhantomData,
    ops::Deref,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::HookOf;
use crate::{
    flow::{Argument, Flow},
    identity::without_generics,
    pipeline::HookResult,
    step::StepError,
    views::Success,
};

/// A function that returns the full path of the function around the item `__graceful_here`, without generic arguments.
pub const fn identity<T: Copy>(_: T) -> fn() -> &'static str {
    identity_of::<T>
}

fn identity_of<T>() -> &'static str {
    function_around(type_name::<T>())
}

/// With a constant path, all but the search in [`without_generics`] is done by the compiler.
#[inline]
fn function_around(mut path: &'static str) -> &'static str {
    for inner in ["::__graceful_here", "::__GRACEFUL_DURABLE"] {
        path = path.strip_suffix(inner).unwrap_or(path);
    }
    // Every failure calls this, and `trim_end_matches` would prepare a search of the whole text.
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    without_generics(path)
}

/// A value that can be decoded from a stored flow for a typed hook.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be restored for this hook: it does not implement `Deserialize`",
    label = "a relay runs the hooks of a durable handler, so what they take needs `serde::Deserialize` without borrows",
    note = "derive `Deserialize` for it, or take the `Flow`: `STEP(with = path)`"
)]
pub trait Restored: DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Restored for T {}

/// A hook of the success arm, for values that a relay restores. A hook of a wrong type is reported in the handler, so here it derefs
/// to a type that accepts anything.
#[derive(Debug)]
pub struct Restores<'a, F, T, Kind>(F, RestoresAnything<T, Kind>, PhantomData<fn(&'a T)>);

/// Has no type parameters, so that none must be inferred.
#[derive(Debug)]
pub struct RestoresAnything<T, Kind>(PhantomData<fn(T) -> Kind>);

pub fn restores<'a, F, T, Kind>(function: F) -> Restores<'a, F, T, Kind> {
    Restores(function, RestoresAnything(PhantomData), PhantomData)
}

impl<F, T, Kind> Deref for Restores<'_, F, T, Kind> {
    type Target = RestoresAnything<T, Kind>;

    fn deref(&self) -> &RestoresAnything<T, Kind> {
        &self.1
    }
}

impl<'a, T, Kind, F: HookOf<'a, Success<'a, T>, Kind>> Restores<'a, F, T, Kind> {
    /// The `Ok` value of a stored flow.
    pub fn __graceful_value(&self, flow: &Flow) -> Result<T, StepError>
    where
        T: Restored,
    {
        let (value, argument) = match &flow.values.value {
            Some(value) => (value, Argument::Value),
            None => (&flow.values.payload, Argument::Payload),
        };
        if let Some(fault) = flow.fault(&[argument]) {
            return Err(fault);
        }
        value.decode().map_err(StepError::caused_by)
    }

    pub fn __graceful_start(self, view: &'a Success<'a, T>) -> F::Future {
        self.0.start(view)
    }
}

#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "a question is asked by a method, and answered alike"
)]
impl RestoresAnything<(), ()> {
    pub fn __graceful_value(&self, _: &Flow) -> Result<(), StepError> {
        Ok(())
    }

    pub fn __graceful_start(&self, _: &Success<'_, ()>) -> Ready<HookResult> {
        ready(Ok(()))
    }
}

/// The typed view of a stored flow.
pub fn success<'a, T>(flow: &Arc<Flow>, value: &'a T) -> Success<'a, T> {
    Success::new(flow, value)
}
