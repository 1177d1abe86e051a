//! The items of an operation.

use std::fmt;

use uuid::Uuid;

use crate::backends::{Action, FlowState, FlowSummary, FlowVersion};

/// What an operation has done with one flow of its list.
///
/// ```
/// use graceful::backends::ItemState;
/// assert_eq!(ItemState::Skipped.to_string(), "skipped");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ItemState {
    /// The operation has not come to it.
    Left,
    /// The flow was resubmitted, and its first attempt has not finished.
    Waiting,
    /// The flow was changed. The first attempt of a resubmitted one did not fail.
    Done,
    /// The flow was resubmitted, and its first attempt failed.
    Failed,
    /// The flow was not changed, for a reason.
    Skipped,
}

impl ItemState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Left, Self::Waiting, Self::Done, Self::Failed, Self::Skipped];

    /// The state of a flow that an operation has just changed.
    pub const fn changed_by(action: Action) -> Self {
        match action {
            Action::Resubmit => Self::Waiting,
            Action::Discard | Action::Postpone(_) => Self::Done,
        }
    }

    /// The state of a flow that was resubmitted when it had this version, by what it is now; none if it was purged.
    ///
    /// ```
    /// use graceful::backends::{FlowState, FlowSummary, ItemState, Timestamp, Uuid};
    ///
    /// let mut flow = FlowSummary::new(Uuid::nil(), "users::user:42", "", FlowState::Dead, Timestamp::UNIX_EPOCH);
    /// let version = flow.version();
    /// (flow.state, flow.resubmitted) = (FlowState::Queued, 1);
    /// assert_eq!(ItemState::of_resubmitted(Some(&flow), version), ItemState::Waiting);
    /// flow.state = FlowState::Completed;
    /// assert_eq!(ItemState::of_resubmitted(Some(&flow), version), ItemState::Done);
    /// ```
    pub fn of_resubmitted(found: Option<&FlowSummary>, version: FlowVersion) -> Self {
        match found {
            Some(flow) if flow.resubmitted == version.resubmitted + 1 => match (flow.state, flow.failed_at) {
                (FlowState::Dead, _) | (FlowState::Queued, Some(_)) => Self::Failed,
                (FlowState::Queued, None) => Self::Waiting,
                _ => Self::Done,
            },
            // It has ended since, or was resubmitted once more.
            _ => Self::Done,
        }
    }

    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A flow to add to the list of an operation, as it was when somebody selected it; see [`Operations::select`](super::Operations::select).
///
/// ```
/// use graceful::backends::{SelectedFlow, Uuid};
/// assert_eq!(SelectedFlow::missing(Uuid::nil()).seen, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedFlow {
    /// The id of the flow.
    pub flow: Uuid,
    /// Its state and version; none if there is no such flow.
    pub seen: Option<(FlowState, FlowVersion)>,
}

impl SelectedFlow {
    /// Selects a flow as it is.
    pub const fn of(flow: &FlowSummary) -> Self {
        Self { flow: flow.id, seen: Some((flow.state, flow.version())) }
    }

    /// Selects a flow that somebody saw in this state and version. The operation skips it if it has changed since.
    pub const fn seen(flow: Uuid, state: FlowState, version: FlowVersion) -> Self {
        Self { flow, seen: Some((state, version)) }
    }

    /// A flow that does not exist. The operation skips it.
    pub const fn missing(flow: Uuid) -> Self {
        Self { flow, seen: None }
    }
}

/// One flow in the list of an operation.
///
/// ```
/// use graceful::backends::{ItemState, OperationItem, Uuid};
/// let item = OperationItem::new(Uuid::nil(), ItemState::Skipped, Some("the flow is completed".into()));
/// assert_eq!(item.reason.as_deref(), Some("the flow is completed"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationItem {
    /// The id of the flow.
    pub flow: Uuid,
    /// What was done with it.
    pub state: ItemState,
    /// Why it was skipped.
    pub reason: Option<String>,
}

impl OperationItem {
    /// Creates an item.
    pub const fn new(flow: Uuid, state: ItemState, reason: Option<String>) -> Self {
        Self { flow, state, reason }
    }
}
