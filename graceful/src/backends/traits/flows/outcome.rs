//! The outcome of an attempt.

use std::time::Duration;

use super::AttemptFailure;

/// The outcome of an attempt.
///
/// ```
/// use graceful::backends::{AttemptFailure, AttemptOutcome, FailureCause};
///
/// let failure = AttemptFailure::new(FailureCause::new("users::update_user", "the disk is full"));
/// let dead = AttemptOutcome::Dead { failure, body: None };
/// assert_ne!(dead, AttemptOutcome::Completed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Every step is done.
    Completed,
    /// The flow is tried again later.
    Retry {
        /// The time until the next attempt, by the store's clock.
        after: Duration,
        /// Why the attempt failed. The store stores it beside the failures of earlier attempts.
        failure: AttemptFailure,
        /// Replaces the stored body, so that completed steps do not run again.
        body: Option<Vec<u8>>,
    },
    /// The flow becomes a dead letter.
    Dead {
        /// Why the attempt failed. The store stores it beside the failures of earlier attempts.
        failure: AttemptFailure,
        /// Replaces the stored body.
        body: Option<Vec<u8>>,
    },
}
