//! Finds out which traits a type implements, by method resolution at the call, so that the types of handlers need no bounds.
//!
//! The expansion calls a method on [`Probe`], and the compiler takes the first method whose bounds hold. Each type here derefs to the
//! next: the methods of [`Probe`] exist for types that implement the trait; those of [`Wrapped`] for types that wrap a value which
//! does; those of [`Opaque`] for types that wrap another value; those of [`Anything`] for every type. The technique is a variant of
//! [autoref specialization](https://github.com/dtolnay/case-studies/tree/master/autoref-specialization) that needs no trait in
//! scope.
//!
//! At each type the compiler also considers the traits in scope: a user's `impl<T> Audited for T` with a method `payload` would be
//! found before that of [`Anything`]. So the methods have names that are reserved for this crate: `__graceful_…`.

use std::{marker::PhantomData, ops::Deref};

use serde::{Serialize, de::DeserializeOwned};

use super::{Carrier, Current, FlowBuilder, Outcome, Value, mismatch};
use crate::{
    classify::Classify,
    flow::{Argument, Payload},
    step::StepError,
    text::Text,
};

/// A value or an error whose traits are looked up; the first level.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(Wrapped<'a, T>);

/// The second level: types that wrap a value, such as `axum::Json<T>`.
#[derive(Debug)]
pub struct Wrapped<'a, T: ?Sized>(Opaque<'a, T>);

/// The third level: types that wrap a value which does not implement the trait.
#[derive(Debug)]
pub struct Opaque<'a, T: ?Sized>(Anything<'a, T>);

/// The last level: any type.
#[derive(Debug)]
pub struct Anything<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Anything<'a, T> {
    pub(super) const fn value(&self) -> &'a T {
        self.0
    }
}

/// Starts the method resolution for a value.
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

    /// The value that a reader returns becomes the payload, with which a hit is answered.
    pub fn __graceful_needed_read(&self, builder: &mut FlowBuilder<'_>) {
        self.__graceful_payload(builder);
    }

    /// The value that a reader returns is cached beside another payload.
    pub fn __graceful_needed_cached(&self, builder: &mut FlowBuilder<'_>) {
        builder.cache_value((****self).0);
    }
}

impl<T: Outcome> Probe<'_, T> {
    /// Whether a handler has returned `Ok`.
    pub fn __graceful_is_ok(&self) -> bool {
        (****self).0.as_result().is_ok()
    }
}

impl<T: Carrier> Wrapped<'_, T> {
    /// The content of the response becomes the payload.
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        self.0.0.0.carried(builder);
    }

    pub fn __graceful_needed_payload(&self, builder: &mut FlowBuilder<'_>) {
        self.__graceful_payload(builder);
    }

    /// A hit is answered with the response, wrapped again; one that is more than its content is not cached.
    pub fn __graceful_needed_read(&self, builder: &mut FlowBuilder<'_>) {
        self.__graceful_payload(builder);
        self.refused(builder);
    }

    pub fn __graceful_needed_cached(&self, builder: &mut FlowBuilder<'_>) {
        if !self.refused(builder) {
            self.0.0.0.cached(builder);
        }
    }

    fn refused(&self, builder: &mut FlowBuilder<'_>) -> bool {
        let more = self.0.0.0.more_than_carried();
        if let Some(reason) = more {
            builder.not_cached(reason);
        }
        more.is_some()
    }
}

impl<T: Current> Opaque<'_, T> {
    /// The content of the response is not `Serialize`, so there is no payload.
    #[expect(clippy::unused_self, reason = "a question is asked by a method")]
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        builder.no_payload();
    }
}

impl<T: ?Sized> Anything<'_, T> {
    /// The handler returns no `Result`, which is reported there.
    pub const fn __graceful_is_ok(&self) -> bool {
        false
    }

    /// The value is not `Serialize`, so there is no payload.
    pub fn __graceful_payload(&self, builder: &mut FlowBuilder<'_>) {
        if builder.needs(Argument::Payload) {
            builder.no_payload();
            mismatch::value::<T>(builder);
        }
    }

    /// An argument needs the payload, so a missing `Serialize` is a compiler error.
    pub fn __graceful_needed_payload(&self, builder: &mut FlowBuilder<'_>)
    where
        T: Value,
    {
        builder.payload(self.0);
    }

    /// A reader's value is stored, so a missing `Serialize` is a compiler error.
    pub fn __graceful_needed_read(&self, builder: &mut FlowBuilder<'_>)
    where
        T: Value,
    {
        builder.payload(self.0);
    }

    pub fn __graceful_needed_cached(&self, builder: &mut FlowBuilder<'_>)
    where
        T: Value,
    {
        builder.cache_value(self.0);
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
    /// Takes code and message from the error.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        let error = (****self).0;
        let message = error.message();
        builder.classified(error.code(), Text::from(&*message));
    }
}

#[cfg(feature = "axum")]
impl Wrapped<'_, crate::axum::Problem> {
    /// Takes code and message that were stored when the problem was made.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        let problem = self.0.0.0;
        builder.classified(problem.code(), problem.message());
    }
}

impl<E: ?Sized> Anything<'_, E> {
    /// An error that is not classified stays `Internal` with a fixed text, because its own text must not leave the process.
    pub fn __graceful_classify(&self, builder: &mut FlowBuilder<'_>) {
        mismatch::error::<E>(builder);
    }
}

/// A last good value that is decoded as a `T`, by the same method resolution.
#[derive(Debug)]
pub struct Decode<'a, T>(DecodeWrapped<'a, T>);

/// The second level: types that wrap a value, such as `axum::Json<T>`.
#[derive(Debug)]
pub struct DecodeWrapped<'a, T>(DecodeAnything<'a, T>);

/// The last level: types that cannot be decoded.
#[derive(Debug)]
pub struct DecodeAnything<'a, T>(&'a Payload, PhantomData<fn() -> T>);

impl<'a, T> DecodeAnything<'a, T> {
    pub(super) const fn payload(&self) -> &'a Payload {
        self.0
    }
}

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

    pub fn __graceful_read(&self) -> Result<T, StepError> {
        decode((***self).0)
    }
}

#[cfg(feature = "axum")]
impl<T: DeserializeOwned> DecodeWrapped<'_, axum::Json<T>> {
    pub fn __graceful_decode(&self) -> Result<axum::Json<T>, StepError> {
        decode(self.0.0).map(axum::Json)
    }

    pub fn __graceful_read(&self) -> Result<axum::Json<T>, StepError> {
        self.__graceful_decode()
    }
}

#[cfg(feature = "tonic")]
impl<T: DeserializeOwned> DecodeWrapped<'_, tonic::Response<T>> {
    pub fn __graceful_decode(&self) -> Result<tonic::Response<T>, StepError> {
        decode(self.0.0).map(tonic::Response::new)
    }

    pub fn __graceful_read(&self) -> Result<tonic::Response<T>, StepError> {
        self.__graceful_decode()
    }
}

/// A type that can be a last good value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a last good value: it does not implement `Deserialize`",
    label = "`fallback = last_good` reads the value back, so it needs `serde::Deserialize` without borrows",
    note = "derive `Deserialize` for it, or recover with a function: `fallback = path`"
)]
pub trait Remembered: DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Remembered for T {}

/// A type that can be read from the cache.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the cache: it does not implement `Deserialize`",
    label = "a hit is answered with the stored value, so `{Self}` needs `serde::Deserialize` without borrows",
    note = "derive `Deserialize` for it, or remove `read`; of a response only its content is cached, so return a `Json<T>` or a \
            `tonic::Response<T>` without other parts"
)]
pub trait ReadBack: DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> ReadBack for T {}

impl<T> DecodeAnything<'_, T> {
    /// Reports the missing `Deserialize`.
    pub fn __graceful_decode(&self) -> Result<T, StepError>
    where
        T: Remembered,
    {
        decode(self.0)
    }

    /// Reports the missing `Deserialize`.
    pub fn __graceful_read(&self) -> Result<T, StepError>
    where
        T: ReadBack,
    {
        decode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_read_from_what_was_stored() {
        let stored = Payload::of(&Some(7)).unwrap();
        assert_eq!(Decode::<Option<u64>>::new(&stored).__graceful_read().unwrap(), Some(7));
        assert_eq!(Decode::<u64>::new(&stored).__graceful_read().unwrap(), 7);
        assert!(Decode::<String>::new(&stored).__graceful_read().is_err());
        assert_eq!(Decode::<Option<u64>>::new(&Payload::NULL).__graceful_read().unwrap(), None);
    }

    #[cfg(all(feature = "axum", feature = "tonic"))]
    #[test]
    fn wrapped_value_is_read_from_its_content() {
        let stored = Payload::of(&7).unwrap();
        assert_eq!(Decode::<axum::Json<u64>>::new(&stored).__graceful_read().unwrap().0, 7);
        let response = Decode::<tonic::Response<u64>>::new(&stored).__graceful_read().unwrap();
        assert_eq!(response.into_inner(), 7);
    }
}
