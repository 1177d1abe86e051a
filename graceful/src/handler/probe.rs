//! What a type can do, found by method resolution at the call spec: nothing is demanded of it.
//!
//! A question is a method, and each who can answer derefs to the next: first [`Probe`], whose methods are there for the types
//! that have the trait; then [`Wrapped`], which looks into those that wrap a value; then [`Opaque`], for those that wrap what
//! has nothing to offer; then [`Anything`], which answers for any type. The compiler takes the first method whose bounds hold. The technique is a variant of
//! [autoref specialization](https://github.com/dtolnay/case-studies/tree/master/autoref-specialization) that needs no trait in
//! scope.
//!
//! Each step of the resolution asks the traits in scope as well: a user's `impl<T> Audited for T` with a method `payload` would
//! answer before [`Anything`] does. So the questions have names that are reserved for this crate: `__graceful_…`.

use std::{marker::PhantomData, ops::Deref};

use serde::{Serialize, de::DeserializeOwned};
use smol_str::SmolStr;

use super::{Carrier, Current, FlowBuilder, Value, mismatch};
use crate::{
    classify::Classify,
    flow::{Argument, Payload},
    step::StepError,
};

/// A value, or an error, to ask what it can do.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(Wrapped<'a, T>);

/// What may wrap a value on its way out.
#[derive(Debug)]
pub struct Wrapped<'a, T: ?Sized>(Opaque<'a, T>);

/// What wraps a value of which nothing is known.
#[derive(Debug)]
pub struct Opaque<'a, T: ?Sized>(Anything<'a, T>);

/// What can do nothing in particular.
#[derive(Debug)]
pub struct Anything<'a, T: ?Sized>(&'a T);

/// Asks.
#[inline]
pub fn probe<T: ?Sized>(value: &T) -> Probe<'_, T> {
    Probe(Wrapped(Opaque(Anything(value))))
}

impl<'a, T: ?Sized> Deref for Probe<'a, T> {
    type Target = Wrapped<'a, T>;

    fn deref(&self) -> &Wrapped<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Wrapped<'a, T> {
    type Target = Opaque<'a, T>;

    fn deref(&self) -> &Opaque<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Opaque<'a, T> {
    type Target = Anything<'a, T>;

    fn deref(&self) -> &Anything<'a, T> {
        &self.0
    }
}

impl<T: Serialize + ?Sized> Probe<'_, T> {
    /// The `Ok` value becomes the payload.
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        builder.payload((****self).0);
    }

    pub fn __graceful_needed_payload(&self, builder: &mut FlowBuilder<'_>) {
        self.__graceful_payload(builder);
    }
}

impl<T: Carrier> Wrapped<'_, T> {
    /// What the response carries becomes the payload.
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        self.0.0.0.carried(builder);
    }

    pub fn __graceful_needed_payload(&self, builder: &mut FlowBuilder<'_>) {
        self.__graceful_payload(builder);
    }
}

impl<T: Current> Opaque<'_, T> {
    /// What it carries cannot be serialised, so there is no payload.
    #[expect(clippy::unused_self, reason = "a question is asked by a method")]
    pub fn __graceful_payload(&self, _: &mut FlowBuilder<'_>) {}
}

impl<T: ?Sized> Anything<'_, T> {
    /// What cannot be serialised has no payload.
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        if builder.needs(Argument::Payload) {
            mismatch::value::<T>(builder);
        }
    }

    /// An argument relies on the payload: says what is missing.
    pub fn __graceful_needed_payload(&self, builder: &mut FlowBuilder<'_>)
    where
        T: Value,
    {
        builder.payload(self.0);
    }
}

/// Stores the `Ok` value for the hooks that a relay runs, if its type can be deserialised; it is not unwrapped.
impl<T: ?Sized> Anything<'_, T> {
    pub fn __graceful_needed_value(&self, builder: &mut FlowBuilder<'_>)
    where
        T: Value,
    {
        builder.value(self.0);
    }
}

impl<E: Classify + ?Sized> Probe<'_, E> {
    /// The error says what it means.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        let error = (****self).0;
        let message = error.message();
        builder.classified(error.code(), SmolStr::new(&*message));
    }
}

#[cfg(feature = "axum")]
impl Wrapped<'_, crate::axum::Problem> {
    /// It was classified when it was made.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        let problem = self.0.0.0;
        builder.classified(problem.code(), problem.message());
    }
}

impl<E: ?Sized> Anything<'_, E> {
    /// What is not classified stays internal, with a fixed text: its own text never leaves the process.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        mismatch::error::<E>(builder);
    }
}

/// A last good value, to be read back as a `T`: asked in the same way.
#[derive(Debug)]
pub struct Decode<'a, T>(DecodeWrapped<'a, T>);

/// What may wrap a value on its way out.
#[derive(Debug)]
pub struct DecodeWrapped<'a, T>(DecodeAnything<'a, T>);

/// What cannot be read back.
#[derive(Debug)]
pub struct DecodeAnything<'a, T>(&'a Payload, PhantomData<fn() -> T>);

impl<'a, T> Decode<'a, T> {
    pub(super) fn new(payload: &'a Payload) -> Self {
        Self(DecodeWrapped(DecodeAnything(payload, PhantomData)))
    }
}

impl<'a, T> Deref for Decode<'a, T> {
    type Target = DecodeWrapped<'a, T>;

    fn deref(&self) -> &DecodeWrapped<'a, T> {
        &self.0
    }
}

impl<'a, T> Deref for DecodeWrapped<'a, T> {
    type Target = DecodeAnything<'a, T>;

    fn deref(&self) -> &DecodeAnything<'a, T> {
        &self.0
    }
}

fn decode<T: DeserializeOwned>(payload: &Payload) -> Result<T, StepError> {
    payload.decode().map_err(StepError::caused_by)
}

impl<T: DeserializeOwned> Decode<'_, T> {
    pub fn __graceful_decode(&self) -> Result<T, StepError> {
        decode((***self).0)
    }
}

#[cfg(feature = "axum")]
impl<T: DeserializeOwned> DecodeWrapped<'_, axum::Json<T>> {
    pub fn __graceful_decode(&self) -> Result<axum::Json<T>, StepError> {
        decode(self.0.0).map(axum::Json)
    }
}

#[cfg(feature = "tonic")]
impl<T: DeserializeOwned> DecodeWrapped<'_, tonic::Response<T>> {
    pub fn __graceful_decode(&self) -> Result<tonic::Response<T>, StepError> {
        decode(self.0.0).map(tonic::Response::new)
    }
}

/// What can be a last good value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a last good value: it does not implement `Deserialize`",
    label = "`fallback = last_good` reads the value back, so it needs `serde::Deserialize` without borrows",
    note = "derive `Deserialize` for it, or recover with a function: `fallback = path`"
)]
pub trait Remembered: DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Remembered for T {}

impl<T> DecodeAnything<'_, T> {
    /// Says what is missing.
    pub fn __graceful_decode(&self) -> Result<T, StepError>
    where
        T: Remembered,
    {
        decode(self.0)
    }
}
