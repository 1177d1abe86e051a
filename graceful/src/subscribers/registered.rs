//! The registered data of a subscriber. Each subscriber is registered by its expansion.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    panic::Location,
    pin::Pin,
    time::Duration,
};

use super::{event_data::Needed, incoming::Incoming};
use crate::{step::StepError, text::text};

/// The registered data of one subscriber, in a static.
#[doc(hidden)]
#[derive(Debug)]
pub struct Subscriber {
    pub(crate) identity: &'static str,
    pub(crate) was: &'static [&'static str],
    pub(crate) event: &'static str,
    pub(crate) pattern: &'static str,
    /// Empty means any.
    pub(crate) service: &'static str,
    /// A new subscriber begins with the oldest event, not with the next one.
    pub(crate) from_start: bool,
    pub(crate) attempts: u32,
    pub(crate) timeout: Duration,
    pub(crate) transaction: Option<fn() -> (TypeId, &'static str)>,
    pub(crate) needs: &'static [fn() -> Option<Needed>],
    pub(crate) call: Call,
    at: &'static Location<'static>,
}

/// Calls the handler; fails if a parameter cannot be created from the event.
pub type Call = for<'a> fn(Delivery<'a>) -> Result<HandlerFuture<'a>, StepError>;

/// The future of a handler: whether it has returned `Ok`.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// An event for one attempt.
#[doc(hidden)]
#[derive(Debug)]
pub struct Delivery<'a> {
    pub event: &'a Incoming<'a>,
    pub transaction: Option<&'a mut (dyn Any + Send)>,
}

impl<'a> Delivery<'a> {
    /// Takes the transaction, which has this type.
    ///
    /// # Errors
    /// Fails if there is none, or it has another type; the check at start finds that before.
    pub fn transaction<T: Any>(&mut self) -> Result<&'a mut T, StepError> {
        let transaction =
            self.transaction.take().and_then(|transaction| (transaction as &mut dyn Any).downcast_mut());
        transaction.ok_or_else(|| StepError::new(text!("there is no open `{}`", type_name::<T>())))
    }
}

/// The type of a transaction, with its name.
pub fn transaction_type<T: Any>() -> (TypeId, &'static str) {
    (TypeId::of::<T>(), type_name::<T>())
}

/// The number of attempts before an event is parked, unless the subscriber sets it.
const ATTEMPTS: u32 = 10;

/// The time budget of an attempt, unless the subscriber sets it.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Subscriber {
    /// Creates the data; the location of the caller is that of the attribute.
    #[must_use]
    #[track_caller]
    pub const fn new(identity: &'static str, event: &'static str, pattern: &'static str, call: Call) -> Self {
        Self {
            identity,
            was: &[],
            event,
            pattern,
            service: "",
            from_start: false,
            attempts: ATTEMPTS,
            timeout: TIMEOUT,
            transaction: None,
            needs: &[],
            call,
            at: Location::caller(),
        }
    }

    #[must_use]
    pub const fn was(mut self, was: &'static [&'static str]) -> Self {
        self.was = was;
        self
    }

    #[must_use]
    pub const fn service(mut self, service: &'static str) -> Self {
        self.service = service;
        self
    }

    #[must_use]
    pub const fn from_start(mut self) -> Self {
        self.from_start = true;
        self
    }

    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    #[must_use]
    pub const fn timeout_ms(mut self, timeout: u64) -> Self {
        self.timeout = Duration::from_millis(timeout);
        self
    }

    #[must_use]
    pub const fn transaction(mut self, of: fn() -> (TypeId, &'static str)) -> Self {
        self.transaction = Some(of);
        self
    }

    #[must_use]
    pub const fn needs(mut self, needs: &'static [fn() -> Option<Needed>]) -> Self {
        self.needs = needs;
        self
    }

    /// Whether `path` is its identity, or that of a module around it.
    pub(super) fn is_in(&self, path: &str) -> bool {
        self.identity.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// The identity with file and line.
impl fmt::Display for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}:{})", self.identity, self.at.file(), self.at.line())
    }
}

#[cfg(feature = "macros")]
inventory::collect!(Subscriber);

/// The subscribers of the program, by identity.
pub(super) fn all() -> Vec<&'static Subscriber> {
    #[cfg(feature = "macros")]
    let mut all: Vec<_> = inventory::iter::<Subscriber>.into_iter().collect();
    #[cfg(not(feature = "macros"))]
    let mut all: Vec<&'static Subscriber> = Vec::new();
    // The order of the linker is arbitrary.
    all.sort_unstable_by_key(|subscriber| (subscriber.identity, subscriber.at.file(), subscriber.at.line()));
    all
}
