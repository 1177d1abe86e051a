//! Finds what the catalogue says of a handler's types: the schema of its value and the codes of its error. It uses method resolution as
//! [`probe`](super::probe()) does, but needs only the return type and no value.

use std::{marker::PhantomData, ops::Deref};

use serde::Serialize;

use super::Carrier;
use crate::{
    classify::{Classify, ErrorCodes},
    payload_type::PayloadType,
};

/// The return type of a handler, whose value has a schema.
#[derive(Debug)]
pub struct Contracted<R>(ContractedWrapped<R>);

/// A return type whose value wraps one that has a schema, such as `axum::Json<T>`.
#[derive(Debug)]
pub struct ContractedWrapped<R>(ContractedPlain<R>);

/// A return type whose value is serialised.
#[derive(Debug)]
pub struct ContractedPlain<R>(ContractedCarrier<R>);

/// A return type whose value wraps one that is serialised.
#[derive(Debug)]
pub struct ContractedCarrier<R>(ContractedNothing<R>);

/// Any return type.
#[derive(Debug)]
pub struct ContractedNothing<R>(PhantomData<fn() -> R>);

/// Starts the method resolution for a type.
#[must_use]
pub const fn contracted<R>() -> Contracted<R> {
    Contracted(ContractedWrapped(ContractedPlain(ContractedCarrier(ContractedNothing(PhantomData)))))
}

/// A type that the attribute cannot name.
#[must_use]
pub const fn opaque(reason: &'static str) -> PayloadType {
    PayloadType::Opaque(reason)
}

macro_rules! next {
    ($($level:ident => $next:ident;)*) => {$(
        impl<R> Deref for $level<R> {
            type Target = $next<R>;

            fn deref(&self) -> &$next<R> {
                &self.0
            }
        }
    )*};
}

next! {
    Contracted => ContractedWrapped;
    ContractedWrapped => ContractedPlain;
    ContractedPlain => ContractedCarrier;
    ContractedCarrier => ContractedNothing;
}

#[cfg(feature = "schemars")]
impl<T: Serialize + schemars::JsonSchema, E> Contracted<Result<T, E>> {
    pub fn __graceful_type(&self) -> PayloadType {
        PayloadType::Schema(crate::payload_type::SchemaOf::new::<T>())
    }
}

#[cfg(feature = "schemars")]
impl<T: Carrier, E> ContractedWrapped<Result<T, E>>
where
    T::Content: schemars::JsonSchema,
{
    pub fn __graceful_type(&self) -> PayloadType {
        PayloadType::Schema(crate::payload_type::SchemaOf::new::<T::Content>())
    }
}

impl<T: Serialize, E> ContractedPlain<Result<T, E>> {
    pub fn __graceful_type(&self) -> PayloadType {
        PayloadType::Unchecked
    }
}

impl<T: Carrier, E> ContractedCarrier<Result<T, E>> {
    pub fn __graceful_type(&self) -> PayloadType {
        PayloadType::Unchecked
    }
}

impl<R> ContractedNothing<R> {
    pub fn __graceful_type(&self) -> PayloadType {
        PayloadType::Nothing
    }
}

impl<T, E: Classify> Contracted<Result<T, E>> {
    pub fn __graceful_codes(&self) -> ErrorCodes {
        let mut codes = ErrorCodes::default();
        E::__graceful_codes(&mut codes);
        codes
    }
}

/// A problem keeps the code of the error from which it was made.
#[cfg(feature = "axum")]
impl<T> ContractedWrapped<Result<T, crate::axum::Problem>> {
    pub fn __graceful_codes(&self) -> ErrorCodes {
        ErrorCodes::unknown()
    }
}

impl<R> ContractedNothing<R> {
    pub fn __graceful_codes(&self) -> ErrorCodes {
        ErrorCodes::unclassified()
    }
}
