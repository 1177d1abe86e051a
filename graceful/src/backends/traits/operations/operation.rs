//! Operations on many flows.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::ItemState;
use crate::{backends::Action, flow::new_id};

/// An operation to prepare; see [`Operations::prepare`](super::Operations::prepare).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewOperation {
    /// The id, a UUID of version 7: operations are listed in the order of their ids.
    pub id: Uuid,
    /// What is to be done.
    pub action: Action,
    /// Which flows, for people: the text of a filter, or a number of ids.
    pub selection: String,
    /// Who acts.
    pub operator: String,
    /// Whether somebody has verified the operator's name.
    pub verified: bool,
}

impl NewOperation {
    /// Creates an operation with a new id, whose operator nobody has verified.
    ///
    /// ```
    /// use graceful::backends::{Action, NewOperation};
    /// let operation = NewOperation::new(Action::Discard, "state=dead handler=pay", "ada");
    /// assert!(!operation.verified);
    /// ```
    pub fn new(action: Action, selection: impl Into<String>, operator: impl Into<String>) -> Self {
        let (selection, operator) = (selection.into(), operator.into());
        Self { id: new_id(Timestamp::now()), action, selection, operator, verified: false }
    }
}

/// The state of an operation.
///
/// ```
/// use graceful::backends::OperationState;
/// assert_eq!(OperationState::Stopped.to_string(), "stopped");
/// assert!(OperationState::Expired.is_ended() && !OperationState::Running.is_ended());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationState {
    /// Its list is not complete.
    Preparing,
    /// Its list is fixed, and nobody has confirmed it.
    Prepared,
    /// It was confirmed, and has not ended.
    Running,
    /// It has come to the end of its list.
    Completed,
    /// An operator has cancelled it.
    Cancelled,
    /// It has ended after 100 failures in a row.
    Stopped,
    /// It was not confirmed within an hour.
    Expired,
}

impl OperationState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Preparing,
        Self::Prepared,
        Self::Running,
        Self::Completed,
        Self::Cancelled,
        Self::Stopped,
        Self::Expired,
    ];

    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Prepared => "prepared",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing happens in this state any more.
    pub const fn is_ended(self) -> bool {
        !matches!(self, Self::Preparing | Self::Prepared | Self::Running)
    }
}

impl fmt::Display for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operation, and how far it has come.
///
/// ```
/// use graceful::backends::{Action, NewOperation, Operation, OperationState, Timestamp};
///
/// let new = NewOperation::new(Action::Discard, "state=dead", "ada");
/// let mut operation = Operation::new(new, OperationState::Running, Timestamp::UNIX_EPOCH);
/// (operation.selected, operation.done, operation.skipped) = (10, 5, 2);
/// assert_eq!(operation.left(), 3);
/// assert_eq!(operation.to_string(), "discarded 5 of 10 flows, 2 skipped, 3 left");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The id.
    pub id: Uuid,
    /// What is to be done.
    pub action: Action,
    /// Which flows, for people.
    pub selection: String,
    /// Who acts.
    pub operator: String,
    /// Whether somebody has verified the operator's name.
    pub verified: bool,
    /// The state.
    pub state: OperationState,
    /// When its preparation began, by the store's clock.
    pub prepared_at: Timestamp,
    /// When it ended, by the store's clock.
    pub ended_at: Option<Timestamp>,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// Whether somebody has verified the name of who cancelled it.
    pub cancelled_by_verified: bool,
    /// The number of flows in its list.
    pub selected: u64,
    /// How many of them are older than a completed flow of their entity: resubmitting them may bring an old state back.
    pub older: u64,
    /// How many flows were changed. The first attempts of resubmitted ones did not fail.
    pub done: u64,
    /// How many flows were resubmitted without a finished first attempt.
    pub waiting: u64,
    /// How many flows were resubmitted and failed in their first attempts.
    pub failed: u64,
    /// How many flows were skipped, each for a reason.
    pub skipped: u64,
    /// How many flows have failed one after the other: their first attempts, or the store's attempts to change them.
    pub failures_in_a_row: u64,
}

impl Operation {
    /// An operation ends after this number of failures in a row. It is also the maximum number of flows that are resubmitted without a finished
    /// first attempt.
    pub const MAX_FAILURES: u64 = 100;

    /// How many operations are listed for one flow.
    pub const LISTED_PER_FLOW: usize = 20;

    /// How long a prepared operation can be started.
    pub const EXPIRES_AFTER: Duration = Duration::from_secs(3600);

    /// Creates an operation without flows.
    pub fn new(new: NewOperation, state: OperationState, prepared_at: Timestamp) -> Self {
        let NewOperation { id, action, selection, operator, verified } = new;
        Self {
            id,
            action,
            selection,
            operator,
            verified,
            state,
            prepared_at,
            ended_at: None,
            cancelled_by: None,
            cancelled_by_verified: false,
            selected: 0,
            older: 0,
            done: 0,
            waiting: 0,
            failed: 0,
            skipped: 0,
            failures_in_a_row: 0,
        }
    }

    /// How many flows it has not come to.
    pub const fn left(&self) -> u64 {
        self.selected.saturating_sub(self.changed() + self.skipped)
    }

    /// How many flows it has changed.
    pub const fn changed(&self) -> u64 {
        self.done + self.waiting + self.failed
    }

    /// Counts that one flow of the list has come from one state to another.
    ///
    /// ```
    /// # use graceful::backends::{Action, ItemState, NewOperation, Operation, OperationState, Timestamp};
    /// # let new = NewOperation::new(Action::Resubmit, "state=dead", "ada");
    /// let mut operation = Operation::new(new, OperationState::Running, Timestamp::UNIX_EPOCH);
    /// operation.count(ItemState::Left, ItemState::Waiting);
    /// operation.count(ItemState::Waiting, ItemState::Failed);
    /// assert_eq!((operation.waiting, operation.failed, operation.failures_in_a_row), (0, 1, 1));
    /// ```
    pub const fn count(&mut self, from: ItemState, to: ItemState) {
        if matches!(from, ItemState::Waiting) {
            self.waiting = self.waiting.saturating_sub(1);
        }
        match to {
            ItemState::Left => {}
            ItemState::Waiting => self.waiting += 1,
            ItemState::Done => {
                self.done += 1;
                self.failures_in_a_row = 0;
            }
            ItemState::Failed => {
                self.failed += 1;
                self.failures_in_a_row += 1;
            }
            ItemState::Skipped => self.skipped += 1,
        }
    }

    /// Counts a flow that the store fails to change.
    ///
    /// ```
    /// # use graceful::backends::{Action, NewOperation, Operation, OperationState, Timestamp};
    /// # let new = NewOperation::new(Action::Discard, "state=dead", "ada");
    /// let mut operation = Operation::new(new, OperationState::Running, Timestamp::UNIX_EPOCH);
    /// operation.count_refused();
    /// assert_eq!((operation.skipped, operation.failures_in_a_row), (1, 1));
    /// ```
    pub const fn count_refused(&mut self) {
        self.skipped += 1;
        self.failures_in_a_row += 1;
    }

    /// Whether there were too many failures, one after the other.
    pub const fn is_failing(&self) -> bool {
        self.failures_in_a_row >= Self::MAX_FAILURES
    }

    /// How many flows the operation may change now, at most `limit`.
    ///
    /// ```
    /// # use graceful::backends::{Action, NewOperation, Operation, OperationState, Timestamp};
    /// # let new = NewOperation::new(Action::Resubmit, "state=dead", "ada");
    /// let mut operation = Operation::new(new, OperationState::Running, Timestamp::UNIX_EPOCH);
    /// (operation.waiting, operation.failures_in_a_row) = (60, 30);
    /// assert_eq!(operation.room(50), 10);
    /// ```
    pub fn room(&self, limit: usize) -> usize {
        if self.action != Action::Resubmit {
            return limit;
        }
        let taken = self.waiting.saturating_add(self.failures_in_a_row);
        limit.min(usize::try_from(Self::MAX_FAILURES.saturating_sub(taken)).unwrap_or(usize::MAX))
    }
}

/// What was done, as a sentence.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {} flows", self.action.past(), self.changed(), self.selected)?;
        for (number, what) in [
            (self.failed, "failed again"),
            (self.waiting, "not tried yet"),
            (self.skipped, "skipped"),
            (self.left(), "left"),
        ] {
            if number > 0 {
                write!(f, ", {number} {what}")?;
            }
        }
        match self.state {
            OperationState::Stopped => f.write_str(" (stopped after 100 failures in a row)"),
            OperationState::Cancelled => match &self.cancelled_by {
                Some(operator) => write!(f, " (cancelled by {operator})"),
                None => f.write_str(" (cancelled)"),
            },
            _ => Ok(()),
        }
    }
}

/// A claimed operation. Only the holder of the newest claim can go on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationClaim {
    /// The id of the operation.
    pub id: Uuid,
    /// The token of the claim.
    pub token: Uuid,
}

impl OperationClaim {
    /// Creates a claim.
    pub const fn new(id: Uuid, token: Uuid) -> Self {
        Self { id, token }
    }
}
