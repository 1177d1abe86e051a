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

use std::ops::Deref;

use serde::Serialize;

use super::{Carrier, Current, FlowBuilder, Outcome, Value, mismatch};
use crate::{classify::Classify, flow::Argument, text::Text};

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
