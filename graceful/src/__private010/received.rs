//! Finds what the catalogue says of a subscriber's parameters: the schema of the event's value. It uses method resolution as
//! [`contracted`](super::contracted()) does. It is here because handlers do not know subscribers.

use std::{marker::PhantomData, ops::Deref};

use crate::{payload_type::PayloadType, subscribers::EventData};

/// A parameter whose value has a schema.
pub struct Received<P>(ReceivedPlain<P>);

/// A parameter whose value is deserialised.
pub struct ReceivedPlain<P>(ReceivedNothing<P>);

/// Any parameter.
pub struct ReceivedNothing<P>(PhantomData<fn() -> P>);

/// Starts the method resolution for a type.
#[must_use]
pub const fn received<P>() -> Received<P> {
    Received(ReceivedPlain(ReceivedNothing(PhantomData)))
}

impl<P> Deref for Received<P> {
    type Target = ReceivedPlain<P>;

    fn deref(&self) -> &ReceivedPlain<P> {
        &self.0
    }
}

impl<P> Deref for ReceivedPlain<P> {
    type Target = ReceivedNothing<P>;

    fn deref(&self) -> &ReceivedNothing<P> {
        &self.0
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> Received<EventData<T>> {
    pub fn __graceful_type(&self) -> Option<PayloadType> {
        Some(PayloadType::Schema(crate::payload_type::SchemaOf::new::<T>()))
    }
}

impl<T> ReceivedPlain<EventData<T>> {
    pub fn __graceful_type(&self) -> Option<PayloadType> {
        Some(PayloadType::Unchecked)
    }
}

impl<P> ReceivedNothing<P> {
    pub fn __graceful_type(&self) -> Option<PayloadType> {
        None
    }
}
