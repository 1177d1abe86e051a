//! Which type a handler's `Ok` is cached as, for the check at start: asked by method resolution, as [`probe`](super::probe()) is, but
//! of the type alone.

use std::{any::type_name, marker::PhantomData, ops::Deref};

use serde::Serialize;

use super::Carrier;

/// What a handler returns.
#[derive(Debug)]
pub struct CachedOf<R>(CachedWrapped<R>);

/// What may wrap a value on its way out.
#[derive(Debug)]
pub struct CachedWrapped<R>(CachedNothing<R>);

/// What has no payload.
#[derive(Debug)]
pub struct CachedNothing<R>(PhantomData<fn() -> R>);

/// Asks.
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
