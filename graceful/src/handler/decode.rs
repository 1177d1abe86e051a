//! Decodes a stored value as the type of a handler's `Ok`, which it finds by method resolution as [`probe`](super::probe()) does.

use std::{marker::PhantomData, ops::Deref};

use serde::de::DeserializeOwned;

use crate::{flow::Payload, step::StepError};

/// A last good value that is decoded as a `T`, by method resolution.
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
