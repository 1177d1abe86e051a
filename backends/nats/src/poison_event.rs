//! Poison events, and the errors of handlers.

use std::{error::Error, sync::Arc};

use graceful::{StepError, backends::ReceivedEvent};

/// The error of a handler that did not handle an event.
///
/// Any error converts into it by `?`; the event is then redelivered.
///
/// ```
/// use graceful_nats::Rejected;
///
/// fn age(text: &str) -> Result<u8, Rejected> {
///     Ok(text.parse::<u8>()?)
/// }
///
/// assert!(!age("x").unwrap_err().is_poison());
/// assert!(Rejected::poison("no such currency").is_poison());
/// ```
#[derive(Debug)]
pub struct Rejected {
    pub(super) error: StepError,
    pub(super) poison: bool,
}

impl Rejected {
    /// Rejects the event for good: it is not redelivered.
    ///
    /// ```
    /// # use graceful_nats::Rejected;
    /// let rejected = Rejected::poison("an event of the year 1969");
    /// ```
    pub fn poison(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: StepError::caused_by(error), poison: true }
    }

    /// Whether the event is not redelivered.
    ///
    /// ```
    /// # use graceful_nats::Rejected;
    /// assert!(Rejected::poison("never").is_poison());
    /// ```
    pub fn is_poison(&self) -> bool {
        self.poison
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Rejected {
    fn from(error: E) -> Self {
        // Preserves the kind of a `StepError`, e.g. of a handler that has panicked or timed out.
        let error = error.into().downcast().map_or_else(StepError::caused_by, |error| *error);
        Self { error, poison: false }
    }
}

/// An event that a subscriber does not try again.
///
/// ```no_run
/// # use graceful_nats::{Filter, Subscriber};
/// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
/// let subscriber = Subscriber::connect("nats://127.0.0.1", "greeter", &Filter::new()).await?;
/// let subscriber = subscriber.on_poison(|poison| println!("{poison:?}"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoisonEvent {
    /// The event's sequence number in the stream, by which it can be read again.
    pub sequence: u64,
    /// The subject of the event.
    pub subject: String,
    /// The event; `None` if the message is not a CloudEvent.
    pub event: Option<Arc<ReceivedEvent>>,
    /// The number of attempts: how often the handler was run, or one more if each run was interrupted.
    pub attempts: u32,
    /// The error of the last attempt.
    pub error: StepError,
}
