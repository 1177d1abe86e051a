//! Groups of failures with one cause.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Count, FailureCause, FlowFilter, FlowState, FlowSummary};

/// The queued and dead flows whose last attempt failed for one cause; see [`FlowStore::groups`](super::FlowStore::groups).
///
/// ```
/// use graceful::backends::{Count, FailureCause, FailureGroup, Timestamp, Uuid};
///
/// let (handler, at) = ("users::update_user", Timestamp::UNIX_EPOCH);
/// let group = FailureGroup::new(handler, FailureCause::new(handler, "disk full"), at, at, Uuid::nil());
/// assert_eq!((group.dead, group.retrying), (Count::default(), Count::default()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureGroup {
    /// The identity of the handler.
    pub handler: String,
    /// The cause of the newest failure.
    pub cause: FailureCause,
    /// The number of dead letters.
    pub dead: Count,
    /// The number of queued flows that will be tried again.
    pub retrying: Count,
    /// The oldest of the flows' last failures; with a filter of flows, that of the examined ones.
    pub first: Timestamp,
    /// The newest failure.
    pub last: Timestamp,
    /// The flow with the newest failure.
    pub example: Uuid,
}

impl FailureGroup {
    /// Creates a group without flows.
    pub fn new(
        handler: impl Into<String>,
        cause: FailureCause,
        first: Timestamp,
        last: Timestamp,
        example: Uuid,
    ) -> Self {
        let (dead, retrying) = (Count::default(), Count::default());
        Self { handler: handler.into(), cause, dead, retrying, first, last, example }
    }

    /// Adds the flows of a part of the group.
    fn merge(&mut self, other: Self) {
        let sum = |a: Count, b: Count| Count { number: a.number + b.number, more: a.more || b.more };
        (self.dead, self.retrying) = (sum(self.dead, other.dead), sum(self.retrying, other.retrying));
        self.first = self.first.min(other.first);
        if other.last > self.last {
            (self.last, self.example, self.cause) = (other.last, other.example, other.cause);
        }
    }
}

/// Failure groups, the largest first.
///
/// ```
/// use graceful::backends::{FailureGroups, FlowFilter, Timestamp};
///
/// let groups = FailureGroups::of([], &FlowFilter::default(), 1000, Timestamp::UNIX_EPOCH);
/// assert!(groups.groups.is_empty() && !groups.more);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureGroups {
    /// The groups.
    pub groups: Vec<FailureGroup>,
    /// Whether there may be more groups, or more flows of these groups in another state: the store has not examined all.
    pub more: bool,
}

impl FailureGroups {
    /// Merges the parts of groups, counts each group up to `cap`, and sorts the groups.
    pub fn merged(parts: impl IntoIterator<Item = FailureGroup>, cap: u64, more: bool) -> Self {
        let mut groups = HashMap::<_, FailureGroup>::new();
        for part in parts {
            match groups.entry(part.cause.group) {
                Entry::Occupied(mut group) => group.get_mut().merge(part),
                Entry::Vacant(place) => drop(place.insert(part)),
            }
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        for count in groups.iter_mut().flat_map(|group| [&mut group.dead, &mut group.retrying]) {
            if count.number > cap {
                *count = Count::at_least(cap);
            }
        }
        let size = |group: &FailureGroup| (group.dead.number + group.retrying.number, group.cause.group);
        groups.sort_unstable_by_key(|group| Reverse(size(group)));
        Self { groups, more }
    }

    /// Groups all flows of a store that the filter selects and whose last attempt failed. It reads all of them: for a store with few
    /// flows.
    pub fn of(
        flows: impl IntoIterator<Item = FlowSummary>,
        filter: &FlowFilter,
        cap: u64,
        now: Timestamp,
    ) -> Self {
        let parts = flows.into_iter().filter(|flow| filter.selects(flow, now)).filter_map(|flow| {
            let (cause, at) = (flow.failure?, flow.failed_at?);
            let mut group = FailureGroup::new(flow.handler, cause, at, at, flow.id);
            match flow.state {
                FlowState::Dead => group.dead = Count::exact(1),
                FlowState::Queued => group.retrying = Count::exact(1),
                _ => return None,
            }
            Some(group)
        });
        Self::merged(parts, cap, false)
    }
}
