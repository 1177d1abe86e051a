//! What a type can do, found by method resolution at the call site: nothing is demanded of it.
//!
//! Each question is asked as `(&Probe(value)).question(draft)`. The compiler takes the first answer that fits: the inherent
//! method where the type has the trait, then a trait method of `Probe`, then one of `&Probe`, which answers for any type.
//! The technique is known as [autoref specialization](https://github.com/dtolnay/case-studies/tree/master/autoref-specialization).

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use smol_str::SmolStr;

use super::{Draft, Value};
use crate::{Classify, Payload, StepError};

/// A value, or an error, to ask what it can do.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> Probe<'_, T> {
    pub fn payload(&self, draft: &mut Draft<'_>) {
        draft.payload(self.0);
    }

    pub fn needed_payload(&self, draft: &mut Draft<'_>) {
        self.payload(draft);
    }
}

/// The `Ok` value becomes the payload, if it can be; `needed_payload` says what is missing where it cannot.
#[doc(hidden)]
#[macro_export]
macro_rules! __payload {
    ($draft:ident, $value:ident, $method:ident) => {{
        use $crate::__private::{LookInside as _, PayloadOfAnything as _};
        (&$crate::__private::Probe($value)).$method($draft)
    }};
}

/// The error is classified, if it can be.
#[doc(hidden)]
#[macro_export]
macro_rules! __classify {
    ($draft:ident, $error:ident) => {{
        use $crate::__private::ClassifyAnything as _;
        (&$crate::__private::Probe($error)).classify($draft)
    }};
}

/// The last good value is read back.
#[doc(hidden)]
#[macro_export]
macro_rules! __decode {
    ($value:ident) => {{
        use $crate::__private::{DecodeInside as _, DecodeNothing as _};
        (&$value).decode()
    }};
}

/// What wraps a value on its way out.
pub trait LookInside {
    fn payload(&self, draft: &mut Draft<'_>);
    fn needed_payload(&self, draft: &mut Draft<'_>) {
        self.payload(draft);
    }
}

#[cfg(feature = "axum")]
impl<T: Serialize> LookInside for Probe<'_, axum::Json<T>> {
    fn payload(&self, draft: &mut Draft<'_>) {
        draft.payload(&self.0.0);
    }
}

#[cfg(feature = "tonic")]
impl<T: Serialize> LookInside for Probe<'_, tonic::Response<T>> {
    fn payload(&self, draft: &mut Draft<'_>) {
        draft.payload(self.0.get_ref());
    }
}

/// What cannot be serialised has no payload.
pub trait PayloadOfAnything<T: ?Sized> {
    fn payload(&self, draft: &mut Draft<'_>);
    fn needed_payload(&self, draft: &mut Draft<'_>)
    where
        T: Value;
}

impl<T: ?Sized> PayloadOfAnything<T> for &Probe<'_, T> {
    fn payload(&self, _: &mut Draft<'_>) {}

    fn needed_payload(&self, draft: &mut Draft<'_>)
    where
        T: Value,
    {
        draft.payload(self.0);
    }
}

impl<E: Classify + ?Sized> Probe<'_, E> {
    pub fn classify(&self, draft: &mut Draft<'_>) {
        let message = self.0.message();
        draft.classified(self.0.code(), SmolStr::new(&*message));
    }
}

/// What is not classified stays internal, with a fixed text: its own text never leaves the process.
pub trait ClassifyAnything {
    fn classify(&self, draft: &mut Draft<'_>);
}

impl<E: ?Sized> ClassifyAnything for &Probe<'_, E> {
    fn classify(&self, _: &mut Draft<'_>) {}
}

/// A last good value, to be read back as a `T`.
#[derive(Debug)]
pub struct Decode<'a, T>(&'a Payload, PhantomData<fn() -> T>);

impl<'a, T> Decode<'a, T> {
    pub(super) fn new(payload: &'a Payload) -> Self {
        Self(payload, PhantomData)
    }
}

impl<T: DeserializeOwned> Decode<'_, T> {
    pub fn decode(&self) -> Result<T, StepError> {
        self.0.decode().map_err(StepError::caused_by)
    }
}

/// What wraps a value on its way out.
pub trait DecodeInside<T> {
    fn decode(&self) -> Result<T, StepError>;
}

#[cfg(feature = "axum")]
impl<T: DeserializeOwned> DecodeInside<axum::Json<T>> for Decode<'_, axum::Json<T>> {
    fn decode(&self) -> Result<axum::Json<T>, StepError> {
        self.0.decode().map(axum::Json).map_err(StepError::caused_by)
    }
}

#[cfg(feature = "tonic")]
impl<T: DeserializeOwned> DecodeInside<tonic::Response<T>> for Decode<'_, tonic::Response<T>> {
    fn decode(&self) -> Result<tonic::Response<T>, StepError> {
        self.0.decode().map(tonic::Response::new).map_err(StepError::caused_by)
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

/// Says what is missing.
pub trait DecodeNothing<T> {
    fn decode(&self) -> Result<T, StepError>
    where
        T: Remembered;
}

impl<T> DecodeNothing<T> for &Decode<'_, T> {
    fn decode(&self) -> Result<T, StepError>
    where
        T: Remembered,
    {
        (**self).decode()
    }
}
