//! What a handler contributes to the contract of its program, in a static: data, and functions that only a catalogue calls.

use crate::{classify::ErrorCodes, payload_type::PayloadType};

/// What the contract of the program says of one handler. Each method is one fact.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Contract {
    pub(crate) identity: fn() -> &'static str,
    /// The name of the package; empty if it was not compiled by Cargo.
    pub(crate) package: &'static str,
    /// The features of the package, by name, and whether each is enabled.
    pub(crate) features: &'static [(&'static str, bool)],
    /// The former identities.
    pub(crate) was: &'static [&'static str],
    pub(crate) is_background: bool,
    /// The event that it reads, if it is a subscriber.
    pub(crate) subscribes: Option<&'static str>,
    /// What the parameters of a subscriber take of the event's `data.result`; `None` for a parameter that takes nothing of it.
    pub(crate) receives: &'static [fn() -> Option<PayloadType>],
    /// The names of the event on success and on failure; empty where a static cannot name them.
    pub(crate) event: Option<(&'static str, &'static str)>,
    /// What the event carries, if there is one.
    pub(crate) emits: Option<fn() -> PayloadType>,
    /// What the program reads back, if it reads anything.
    pub(crate) stores: Option<fn() -> PayloadType>,
    /// `None` if a static cannot name the error type.
    pub(crate) errors: Option<fn() -> ErrorCodes>,
}

impl Contract {
    pub const fn new(
        identity: fn() -> &'static str,
        package: &'static str,
        features: &'static [(&'static str, bool)],
    ) -> Self {
        Self {
            identity,
            package,
            features,
            was: &[],
            is_background: false,
            subscribes: None,
            receives: &[],
            event: None,
            emits: None,
            stores: None,
            errors: None,
        }
    }

    pub const fn was(mut self, was: &'static [&'static str]) -> Self {
        self.was = was;
        self
    }

    pub const fn subscribes(mut self, event: &'static str) -> Self {
        self.subscribes = Some(event);
        self
    }

    pub const fn receives(mut self, parameters: &'static [fn() -> Option<PayloadType>]) -> Self {
        self.receives = parameters;
        self
    }

    pub const fn background(mut self) -> Self {
        self.is_background = true;
        self
    }

    pub const fn event(mut self, emitted: &'static str, failed: &'static str) -> Self {
        self.event = Some((emitted, failed));
        self
    }

    pub const fn emits(mut self, payload: fn() -> PayloadType) -> Self {
        self.emits = Some(payload);
        self
    }

    pub const fn stores(mut self, value: fn() -> PayloadType) -> Self {
        self.stores = Some(value);
        self
    }

    pub const fn errors(mut self, codes: fn() -> ErrorCodes) -> Self {
        self.errors = Some(codes);
        self
    }
}
