//! Pauses.

use std::fmt;

use jiff::Timestamp;

/// What is paused.
///
/// ```
/// use graceful::backends::PauseTarget;
/// assert_eq!(PauseTarget::Handler("orders::pay".into()).to_string(), "handler orders::pay");
/// assert_eq!(PauseTarget::Relays.to_string(), "relays");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PauseTarget {
    /// All relays of the store.
    Relays,
    /// The durable flows of a handler, by the handler's identity.
    Handler(String),
    /// A subscriber, by its name.
    Subscriber(String),
}

impl PauseTarget {
    /// Every kind of target.
    pub const KINDS: [&'static str; 3] = ["relays", "handler", "subscriber"];

    /// The kind of the target.
    ///
    /// ```
    /// # use graceful::backends::PauseTarget;
    /// assert_eq!(PauseTarget::Subscriber("greeter".into()).kind(), "subscriber");
    /// ```
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Relays => "relays",
            Self::Handler(_) => "handler",
            Self::Subscriber(_) => "subscriber",
        }
    }

    /// The name of the handler or the subscriber; empty for the relays.
    pub fn name(&self) -> &str {
        match self {
            Self::Relays => "",
            Self::Handler(name) | Self::Subscriber(name) => name,
        }
    }

    /// Creates a target from its kind and name.
    ///
    /// ```
    /// # use graceful::backends::PauseTarget;
    /// assert_eq!(PauseTarget::of("relays", ""), Some(PauseTarget::Relays));
    /// assert_eq!(PauseTarget::of("handler", ""), None);
    /// ```
    pub fn of(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "relays" => name.is_empty().then_some(Self::Relays),
            "handler" => (!name.is_empty()).then(|| Self::Handler(name.to_owned())),
            "subscriber" => (!name.is_empty()).then(|| Self::Subscriber(name.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for PauseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relays => f.write_str("relays"),
            Self::Handler(name) | Self::Subscriber(name) => write!(f, "{} {name}", self.kind()),
        }
    }
}

/// A pause: what, by whom, when and why.
///
/// ```
/// use graceful::backends::{Pause, PauseTarget, Timestamp};
/// let pause = Pause::new(PauseTarget::Relays, "ada", "the broker is replaced", Timestamp::UNIX_EPOCH);
/// assert_eq!(pause.operator, "ada");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// What is paused.
    pub target: PauseTarget,
    /// Who paused it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When, by the store's clock.
    pub at: Timestamp,
}

impl Pause {
    /// Creates a pause.
    pub fn new(
        target: PauseTarget,
        operator: impl Into<String>,
        reason: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self { target, operator: operator.into(), reason: reason.into(), at }
    }
}
