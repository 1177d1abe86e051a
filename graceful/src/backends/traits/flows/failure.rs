//! Why attempts fail, and the groups of failures with one cause.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;

use super::fingerprint;
use crate::{code::Code, sha256::Sha256, step::Step};

/// The longest stored error, in bytes.
const MAX_ERROR: usize = 8192;

/// The longest stored result of a step, in bytes.
const MAX_RESULT: usize = 1024;

/// Shortens a text to at most so many bytes.
fn cut(text: &mut String, longest: usize) {
    let is_end = |place: &usize| text.is_char_boundary(*place);
    text.truncate((0..=longest.min(text.len())).rev().find(is_end).unwrap_or(0));
}

/// Why an attempt failed.
///
/// ```
/// use graceful::{Code, Step, backends::FailureCause};
///
/// let full = |id| FailureCause::new("users::update_user", format!("event: no space for user {id}"));
/// assert_eq!(full(1).group, full(2).group, "numbers make no difference");
/// let of_audit = FailureCause::at_step("users::update_user", Step::Audit, Code::Ok, &*full(1).error);
/// assert_ne!(full(1).group, of_audit.group);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureCause {
    /// The first step that failed; none if no step could run.
    pub step: Option<Step>,
    /// The code of the handler's outcome; none if the flow could not be read.
    pub code: Option<Code>,
    /// The text of the error, at most 8 KiB.
    pub error: String,
    /// The group of failures with this cause.
    pub group: GroupId,
}

impl FailureCause {
    /// Creates the cause of an attempt that could not run a step of a handler, which is named by its identity. A longer error is cut.
    pub fn new(handler: &str, error: impl Into<String>) -> Self {
        Self::of(handler, None, None, error.into())
    }

    /// Creates the cause of an attempt at which a step failed. The code is that of the handler's outcome. A longer error is cut.
    pub fn at_step(handler: &str, step: Step, code: Code, error: impl Into<String>) -> Self {
        Self::of(handler, Some(step), Some(code), error.into())
    }

    fn of(handler: &str, step: Option<Step>, code: Option<Code>, mut error: String) -> Self {
        cut(&mut error, MAX_ERROR);
        let group = GroupId::of(handler, step, code, &error);
        Self { step, code, error, group }
    }

    /// Restores a stored cause, with its stored group.
    pub fn stored(step: Option<Step>, code: Option<Code>, error: impl Into<String>, group: GroupId) -> Self {
        Self { step, code, error: error.into(), group }
    }
}

/// The id of a group of failures: a hash of the handler, the step, the code, and the error without its numbers, ids, addresses and durations.
/// SQLSTATE, HTTP status and `os error N` make a difference.
///
/// Its text has 16 hexadecimal digits. The first two are the version of the algorithm: after a change of it, new failures are in
/// groups of their own.
///
/// ```
/// use graceful::backends::{FailureCause, GroupId};
///
/// let group = FailureCause::new("users::update_user", "disk full").group;
/// assert!(group.to_string().starts_with("01"));
/// assert_eq!(group.to_string().parse(), Ok(group));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(i64);

impl GroupId {
    fn of(handler: &str, step: Option<Step>, code: Option<Code>, error: &str) -> Self {
        let parts = [
            handler,
            step.map_or("", Step::as_str),
            code.map_or("", Code::as_str),
            &fingerprint::normalized(error),
        ];
        let mut bytes = Sha256::of(parts.join("\0").as_bytes()).prefix();
        bytes[0] = fingerprint::VERSION;
        Self(i64::from_be_bytes(bytes))
    }

    /// The number that a store stores; never negative.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// Creates an id from its number.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The error of a text that is not a [`GroupId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseGroupError;

impl fmt::Display for ParseGroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a group has 16 hexadecimal digits")
    }
}

impl std::error::Error for ParseGroupError {}

impl FromStr for GroupId {
    type Err = ParseGroupError;

    fn from_str(text: &str) -> Result<Self, ParseGroupError> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| i64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(ParseGroupError)
    }
}

/// A failed attempt; see [`AttemptOutcome`](super::AttemptOutcome).
///
/// ```
/// use graceful::backends::{AttemptFailure, FailureCause};
/// let failure = AttemptFailure::new(FailureCause::new("users::update_user", "disk full"));
/// assert!(failure.steps.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptFailure {
    /// Why it failed.
    pub cause: FailureCause,
    /// How long the attempt took, by the clock of its process.
    pub took: Duration,
    /// The result of each step of the attempt, as in a report, at most 1 KiB each.
    pub steps: Vec<(Step, String)>,
}

impl AttemptFailure {
    /// Creates a failure that took no time, and ran no step.
    pub fn new(cause: FailureCause) -> Self {
        Self { cause, took: Duration::ZERO, steps: Vec::new() }
    }

    /// Sets the results of the steps. Longer ones are cut.
    #[must_use]
    pub fn steps(mut self, mut steps: Vec<(Step, String)>) -> Self {
        for (_, result) in &mut steps {
            cut(result, MAX_RESULT);
        }
        self.steps = steps;
        self
    }
}

/// A failed attempt, as stored. Attempts that were interrupted by the end of their process are counted, but not stored.
///
/// ```
/// use graceful::backends::{AttemptFailure, FailedAttempt, FailureCause, Timestamp};
///
/// let failure = AttemptFailure::new(FailureCause::new("users::update_user", "disk full"));
/// let attempt = FailedAttempt::new(0, 3, Timestamp::UNIX_EPOCH, failure);
/// assert_eq!((attempt.resubmitted, attempt.number), (0, 3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// How often the flow had been resubmitted.
    pub resubmitted: u32,
    /// The number of the attempt since the flow was stored or resubmitted, from 1.
    pub number: u32,
    /// When it ended, by the store's clock.
    pub at: Timestamp,
    /// Why it failed, and what it did.
    pub failure: AttemptFailure,
}

impl FailedAttempt {
    /// Creates a stored attempt.
    pub fn new(resubmitted: u32, number: u32, at: Timestamp, failure: AttemptFailure) -> Self {
        Self { resubmitted, number, at, failure }
    }
}
