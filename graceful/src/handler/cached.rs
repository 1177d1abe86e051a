//! Finds the type as which a handler's `Ok` is cached, for the check at start. It uses method resolution as [`probe`](super::probe())
//! does, but needs only the type and no value.

use std::{any::type_name, marker::PhantomData, ops::Deref};

use serde::Serialize;

use super::Carrier;

/// The return type of a handler.
#[derive(Debug)]
pub struct CachedOf<R>(CachedWrapped<R>);

/// A type that may wrap the payload, such as `axum::Json<T>`.
#[derive(Debug)]
pub struct CachedWrapped<R>(CachedNothing<R>);

/// A type without a payload.
#[derive(Debug)]
pub struct CachedNothing<R>(PhantomData<fn() -> R>);

/// Starts the method resolution for a type.
#[must_use]
pub const fn cached<R>() -> CachedOf<R> {
    CachedOf(CachedWrapped(CachedNothing(PhantomData)))
}

impl<R> Deref for CachedOf<R> {
    type Target = CachedWrapped<R>;

    fn deref(&self) -> &CachedWrapped<R> {
        &self.0
    }
}

impl<R> Deref for CachedWrapped<R> {
    type Target = CachedNothing<R>;

    fn deref(&self) -> &CachedNothing<R> {
        &self.0
    }
}

impl<T: Serialize, E> CachedOf<Result<T, E>> {
    pub fn __graceful_type(&self) -> &'static str {
        type_name::<T>()
    }
}

impl<T: Carrier, E> CachedWrapped<Result<T, E>> {
    pub fn __graceful_type(&self) -> &'static str {
        T::carried_type()
    }
}

impl<R> CachedNothing<R> {
    pub fn __graceful_type(&self) -> &'static str {
        ""
    }
}
