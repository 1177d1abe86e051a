//! Actions of operators on flows, and the result on one flow.

use std::{fmt, time::Duration};

use super::FlowState;

/// A change of a flow by an operator.
///
/// ```
/// use graceful::backends::{Action, FlowState};
/// assert_eq!(Action::Resubmit.to_string(), "resubmit");
/// assert_eq!(Action::Resubmit.states(), [FlowState::Dead]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Queues dead letters again.
    Resubmit,
    /// Discards dead letters, or queued flows without a running attempt.
    Discard,
    /// Makes queued flows due at this time from now.
    Postpone(Duration),
}

impl Action {
    /// The name of the action.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resubmit => "resubmit",
            Self::Discard => "discard",
            Self::Postpone(_) => "postpone",
        }
    }

    /// What the action has done with a flow.
    ///
    /// ```
    /// # use graceful::backends::Action;
    /// assert_eq!(Action::Discard.past(), "discarded");
    /// ```
    pub const fn past(self) -> &'static str {
        match self {
            Self::Resubmit => "resubmitted",
            Self::Discard => "discarded",
            Self::Postpone(_) => "postponed",
        }
    }

    /// The states to whose flows the action applies. A filter without a state selects the first.
    pub const fn states(self) -> &'static [FlowState] {
        match self {
            Self::Resubmit => &[FlowState::Dead],
            Self::Discard => &[FlowState::Dead, FlowState::Queued],
            Self::Postpone(_) => &[FlowState::Queued],
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of an action on one flow, such as [`FlowStore::resubmit`](super::FlowStore::resubmit).
///
/// ```
/// use graceful::backends::{ActionResult, FlowState};
/// assert_eq!(ActionResult::Refused(FlowState::Completed).to_string(), "the flow is completed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionResult {
    /// The flow has been changed.
    Done,
    /// There is no such flow.
    NotFound,
    /// The action does not apply to a flow in this state.
    Refused(FlowState),
    /// An attempt is running.
    Running,
    /// The flow has another version than the one that was selected.
    Changed,
}

impl ActionResult {
    /// Whether the flow has been changed.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }

    /// The result of an action that has changed nothing, by the state of the flow.
    ///
    /// ```
    /// use graceful::backends::ActionResult;
    /// assert_eq!(ActionResult::refused(None), ActionResult::NotFound);
    /// ```
    pub const fn refused(found: Option<(FlowState, bool)>) -> Self {
        match found {
            None => Self::NotFound,
            Some((_, true)) => Self::Running,
            Some((state, false)) => Self::Refused(state),
        }
    }
}

impl fmt::Display for ActionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::NotFound => f.write_str("no such flow"),
            Self::Refused(state) => write!(f, "the flow is {state}"),
            Self::Running => f.write_str("an attempt is running"),
            Self::Changed => f.write_str("the flow has changed since it was selected"),
        }
    }
}
