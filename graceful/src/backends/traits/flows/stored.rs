//! A flow as stored.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use uuid::Uuid;

use super::FailureCause;
use crate::{
    flow::{Flow, Row, Stored, Undecodable},
    step::StepError,
};

/// The state of a stored flow.
///
/// ```
/// use graceful::backends::FlowState;
/// assert_eq!(FlowState::Dead.as_str(), "dead");
/// assert_eq!("dead".parse(), Ok(FlowState::Dead));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FlowState {
    /// The flow waits for an earlier flow of its entity or for its next attempt, or an attempt is running.
    Queued,
    /// Every step is done. The flow is retained for some time: see [`RelaySettings::retention`](crate::RelaySettings::retention).
    Completed,
    /// The flow is a dead letter.
    Dead,
    /// An operator discarded the flow. It is retained as long as a completed flow.
    Discarded,
}

impl FlowState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Completed, Self::Dead, Self::Discarded];

    /// The name in a listing.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Completed => "completed",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of a text that is not a [`FlowState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseStateError;

impl fmt::Display for ParseStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `queued`, `completed`, `dead` or `discarded`")
    }
}

impl std::error::Error for ParseStateError {}

impl FromStr for FlowState {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, ParseStateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseStateError)
    }
}

/// A stored flow without its body.
///
/// ```
/// use graceful::backends::{FlowState, FlowSummary, Timestamp, Uuid};
///
/// let (id, at) = (Uuid::nil(), Timestamp::UNIX_EPOCH);
/// let flow = FlowSummary::new(id, "users::user:42", "users::update_user", FlowState::Queued, at);
/// assert_eq!((flow.attempts, flow.due, flow.failure), (0, at, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowSummary {
    /// The flow's id.
    pub id: Uuid,
    /// The entity's full name.
    pub entity: String,
    /// The handler's identity, by which a relay finds its hooks.
    pub handler: String,
    /// The state of the flow.
    pub state: FlowState,
    /// Whether an attempt is running: a relay has claimed the flow, and its lease has not expired.
    pub running: bool,
    /// How often the flow was claimed since it was stored or resubmitted.
    pub attempts: u32,
    /// How often the flow was resubmitted.
    pub resubmitted: u32,
    /// When the flow was stored, by the store's clock. It never changes.
    pub stored_at: Timestamp,
    /// When the flow is due, by the store's clock. While an attempt is running, this is the end of its lease.
    pub due: Timestamp,
    /// When the last attempt failed, by the store's clock.
    pub failed_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub failure: Option<FailureCause>,
    /// When the flow was completed or discarded, or became a dead letter, by the store's clock.
    pub ended_at: Option<Timestamp>,
}

impl FlowSummary {
    /// Creates the summary of a flow that was stored at this time, in whole microseconds, and never claimed.
    pub fn new(
        id: Uuid,
        entity: impl Into<String>,
        handler: impl Into<String>,
        state: FlowState,
        stored_at: Timestamp,
    ) -> Self {
        // As in a cursor.
        let stored_at = Timestamp::from_microsecond(stored_at.as_microsecond()).unwrap_or(stored_at);
        Self {
            id,
            entity: entity.into(),
            handler: handler.into(),
            state,
            running: false,
            attempts: 0,
            resubmitted: 0,
            stored_at,
            due: stored_at,
            failed_at: None,
            failure: None,
            ended_at: None,
        }
    }

    /// The version of the flow.
    pub const fn version(&self) -> FlowVersion {
        FlowVersion { resubmitted: self.resubmitted, attempts: self.attempts }
    }

    /// The text of the last failure.
    pub fn error(&self) -> Option<&str> {
        self.failure.as_ref().map(|cause| &*cause.error)
    }
}

/// The version of a stored flow, which changes when an attempt begins and when the flow is resubmitted.
///
/// Its text, e.g. for a form field, has both numbers.
///
/// ```
/// use graceful::backends::FlowVersion;
///
/// let version = FlowVersion::new(1, 3);
/// assert_ne!(version, FlowVersion::new(0, 3));
/// assert_eq!(version.to_string(), "1.3");
/// assert_eq!("1.3".parse(), Ok(version));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowVersion {
    /// How often the flow was resubmitted.
    pub resubmitted: u32,
    /// The number of attempts since.
    pub attempts: u32,
}

impl FlowVersion {
    /// Creates a version.
    pub const fn new(resubmitted: u32, attempts: u32) -> Self {
        Self { resubmitted, attempts }
    }
}

impl fmt::Display for FlowVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.resubmitted, self.attempts)
    }
}

/// The error of a text that is not a [`FlowVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseVersionError;

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the version of a flow is two numbers; expected e.g. `1.3`")
    }
}

impl std::error::Error for ParseVersionError {}

impl FromStr for FlowVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let numbers = text.split_once('.').and_then(|(resubmitted, attempts)| {
            Some(Self::new(resubmitted.parse().ok()?, attempts.parse().ok()?))
        });
        // Each version has one text.
        numbers.filter(|version| version.to_string() == text).ok_or(ParseVersionError)
    }
}

/// A stored flow with its body.
///
/// ```
/// use graceful::backends::{FlowState, FlowStore, Lane, QueuedFlow, Uuid, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let flow = QueuedFlow::new(Uuid::nil(), "e", "", Lane::default(), b"junk".to_vec());
/// let store = memory::Flows::new();
/// store.enqueue(flow).await?;
/// let stored = store.get(Uuid::nil()).await?.unwrap();
/// assert_eq!((stored.summary.state, stored.summary.attempts), (FlowState::Queued, 0));
/// assert!(stored.flow().is_err(), "the body is junk");
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFlow {
    /// All that the store knows of the flow.
    pub summary: FlowSummary,
    /// The encoded flow, with its completed steps, without its id and its handler.
    pub body: Vec<u8>,
}

impl StoredFlow {
    /// Creates a stored flow.
    pub const fn new(summary: FlowSummary, body: Vec<u8>) -> Self {
        Self { summary, body }
    }

    /// Decodes the flow; its id and its handler are those of the summary.
    ///
    /// # Errors
    /// Fails if the body was written by a newer version, or is damaged.
    ///
    /// ```
    /// # use graceful::backends::{FlowState, FlowSummary, StoredFlow, Timestamp, Uuid};
    /// # let (id, at) = (Uuid::nil(), Timestamp::UNIX_EPOCH);
    /// # let summary = FlowSummary::new(id, "users::user:42", "users::update_user", FlowState::Dead, at);
    /// let stored = StoredFlow::new(summary, b"junk".to_vec());
    /// assert!(stored.flow().unwrap_err().message().starts_with("the stored flow cannot be read"));
    /// ```
    pub fn flow(&self) -> Result<Flow, StepError> {
        let row = Row { id: self.summary.id, handler: &self.summary.handler };
        Stored::decode(row, &self.body).map(|stored| stored.flow).map_err(Undecodable::into_error)
    }
}

// The body is omitted, because a payload may contain data that must not be logged.
impl fmt::Debug for StoredFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFlow").field("summary", &self.summary).finish_non_exhaustive()
    }
}
