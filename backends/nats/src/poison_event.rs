//! Events that are not handled.

use std::{error::Error, sync::Arc};

use graceful::{StepError, backends::ReceivedEvent};

/// Why a handler did not handle an event.
///
/// Any error becomes one by `?`, and the event comes again.
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
    /// It never will: the event must not come again.
    ///
    /// ```
    /// # use graceful_nats::Rejected;
    /// let rejected = Rejected::poison("an event of the year 1969");
    /// ```
    pub fn poison(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: StepError::caused_by(error), poison: true }
    }

    /// Whether the event must not come again.
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
        // Of an error of ours, such as of a handler that has panicked or taken too long, the kind is kept.
        let error = error.into().downcast().map_or_else(StepError::caused_by, |error| *error);
        Self { error, poison: false }
    }
}

/// An event that was given up.
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
    /// Its place in the stream, where it can be read again.
    pub sequence: u64,
    /// The subject that it came under.
    pub subject: String,
    /// The event; `None` where it is no CloudEvent.
    pub event: Option<Arc<ReceivedEvent>>,
    /// The attempt in which it was given up: how often the handler was run, or one more where no run came to its end.
    pub attempts: u32,
    /// Why it was given up.
    pub error: StepError,
}
