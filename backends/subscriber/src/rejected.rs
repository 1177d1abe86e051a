//! The errors of handlers.

use std::error::Error;

use graceful::StepError;

/// The error of a handler that did not handle an event.
///
/// Any error converts into it by `?`; the event is then redelivered.
///
/// ```
/// use graceful_subscriber::Rejected;
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
    pub(crate) error: StepError,
    pub(crate) poison: bool,
}

impl Rejected {
    /// Rejects the event for good: it is not redelivered.
    ///
    /// ```
    /// # use graceful_subscriber::Rejected;
    /// let rejected = Rejected::poison("an event of the year 1969");
    /// ```
    pub fn poison(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: StepError::caused_by(error), poison: true }
    }

    /// Whether the event is not redelivered.
    ///
    /// ```
    /// # use graceful_subscriber::Rejected;
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
