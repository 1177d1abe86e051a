//! The nine steps, and their failures.

mod error;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::error::contain;
pub use self::error::{StepError, StepErrorKind};

/// One of the nine steps that follow a handler; see the table in the crate's documentation.
///
/// ```
/// use graceful::Step;
/// assert_eq!(Step::ALL.map(Step::as_str)[5], "event");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Step {
    /// Success: stores the last good value. Error: recovers.
    Fallback,
    /// Updates the entity's counters and its chain of flows.
    Metadata,
    /// Success: puts the value. Error: invalidates the key.
    Cache,
    /// Relates the entity to the flow.
    Graph,
    /// Success: completes the review job. Error: opens it.
    Schedule,
    /// Success: emits the event. Error: emits its `.failed` counterpart.
    Event,
    /// Success: registers the pattern. Error: registers `pattern.error`.
    Nexus,
    /// Appends an audit record.
    Audit,
    /// Success: resolves the alert. Error: fires it.
    Alert,
}

impl Step {
    /// All nine steps, in the order of a report.
    ///
    /// ```
    /// assert_eq!(graceful::Step::ALL.len(), 9);
    /// ```
    pub const ALL: [Self; 9] = [
        Self::Fallback,
        Self::Metadata,
        Self::Cache,
        Self::Graph,
        Self::Schedule,
        Self::Event,
        Self::Nexus,
        Self::Audit,
        Self::Alert,
    ];

    /// The name of the attribute's argument for this step.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Metadata => "metadata",
            Self::Cache => "cache",
            Self::Graph => "graph",
            Self::Schedule => "schedule",
            Self::Event => "event",
            Self::Nexus => "nexus",
            Self::Audit => "audit",
            Self::Alert => "alert",
        }
    }
}

/// A set of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Steps(u16);

impl Steps {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn of(steps: &[Step]) -> Self {
        let (mut set, mut index) = (Self::NONE, 0);
        // A `const fn` has no iterators.
        while index < steps.len() {
            set.insert(steps[index]);
            index += 1;
        }
        set
    }

    pub(crate) const fn contains(self, step: Step) -> bool {
        self.0 & 1 << step as u16 != 0
    }

    pub(crate) const fn insert(&mut self, step: Step) {
        self.0 |= 1 << step as u16;
    }

    pub(crate) const fn remove(&mut self, step: Step) {
        self.0 &= !(1 << step as u16);
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn first(self) -> Option<Step> {
        Step::ALL.get(self.0.trailing_zeros() as usize).copied()
    }

    /// In their order.
    pub(crate) fn iter(mut self) -> impl Iterator<Item = Step> {
        std::iter::from_fn(move || {
            let step = self.first()?;
            self.remove(step);
            Some(step)
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
