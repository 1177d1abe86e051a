//! Queries of stored flows, and their answers.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::{FlowFilter, FlowState, FlowSummary};
use crate::backends::traits::query::{Cursor, Page, Query};

/// A page of stored flows to read, the newest first; see [`FlowStore::flows`](super::FlowStore::flows).
pub type FlowQuery = Query<FlowFilter, Uuid>;

/// The place of a page of stored flows.
pub type FlowCursor = Cursor<Uuid>;

impl FlowQuery {
    /// Selects the page from all flows of a store, at this time by the store's clock. It reads all of them: for a store with few flows.
    ///
    /// ```
    /// use graceful::backends::{FlowFilter, FlowQuery, FlowState, FlowSummary, Timestamp, Uuid};
    ///
    /// let now = Timestamp::UNIX_EPOCH;
    /// let flow = |id| FlowSummary::new(Uuid::from_u128(id), "users::user:42", "", FlowState::Queued, now);
    /// let page = FlowQuery::new(FlowFilter::default(), 1).select([flow(1), flow(2)], now);
    /// assert_eq!(page.items, [flow(2)]);
    /// assert!(page.next.is_some());
    /// ```
    pub fn select(&self, flows: impl IntoIterator<Item = FlowSummary>, now: Timestamp) -> Page<FlowSummary> {
        let selected = flows.into_iter().filter(|flow| self.filter().selects(flow, now));
        self.page_of(selected.map(|flow| ((flow.stored_at, flow.id), flow)))
    }
}

/// A number of flows, which is counted up to a limit.
///
/// ```
/// use graceful::backends::Count;
/// assert_eq!(Count::exact(7).to_string(), "7");
/// assert_eq!(Count::at_least(1000).to_string(), "1000+");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// The number.
    pub number: u64,
    /// Whether there may be more.
    pub more: bool,
}

impl Count {
    /// The exact number.
    pub const fn exact(number: u64) -> Self {
        Self { number, more: false }
    }

    /// A lower bound.
    pub const fn at_least(number: u64) -> Self {
        Self { number, more: true }
    }

    /// The number up to a limit.
    pub fn capped(number: u64, cap: u64) -> Self {
        Self { number: number.min(cap), more: number > cap }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, if self.more { "+" } else { "" })
    }
}

/// The work of a store at one time; see [`FlowStore::lag`](super::FlowStore::lag).
///
/// ```
/// use graceful::backends::Lag;
/// assert_eq!(Lag::default().queued.number, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// The queued flows, including those that are running.
    pub queued: Count,
    /// The flows that a relay is running.
    pub running: Count,
    /// The dead letters.
    pub dead: Count,
    /// For how long the oldest flow that could be claimed has been due, by the store's clock.
    pub oldest_due: Option<Duration>,
}

impl Lag {
    /// Counts all flows of a store, without the age of the oldest one. It reads all of them: for a store with few flows.
    ///
    /// ```
    /// use graceful::backends::Lag;
    /// assert_eq!(Lag::of([], 1000), Lag::default());
    /// ```
    pub fn of(flows: impl IntoIterator<Item = FlowSummary>, cap: u64) -> Self {
        let (mut queued, mut running, mut dead) = (0, 0, 0);
        for flow in flows {
            queued += u64::from(flow.state == FlowState::Queued);
            running += u64::from(flow.running);
            dead += u64::from(flow.state == FlowState::Dead);
        }
        let capped = |number| Count::capped(number, cap);
        Self { queued: capped(queued), running: capped(running), dead: capped(dead), oldest_due: None }
    }
}
