//! Queries of stored flows, and their answers.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::{FlowFilter, FlowState, FlowSummary};
use crate::sha256::Sha256;

/// A page of stored flows to read, the newest first; see [`FlowStore::flows`](super::FlowStore::flows).
///
/// ```
/// use graceful::backends::{FlowFilter, FlowQuery, FlowState};
///
/// let query = FlowQuery::new(FlowFilter::from(FlowState::Dead), 50);
/// assert!(query.after().is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowQuery {
    filter: FlowFilter,
    limit: usize,
    after: Option<FlowCursor>,
}

impl FlowQuery {
    /// Creates a query of the first page, with at most this number of flows.
    pub fn new(filter: impl Into<FlowFilter>, limit: usize) -> Self {
        Self { filter: filter.into(), limit, after: None }
    }

    /// Reads the page after a cursor.
    ///
    /// # Errors
    /// Fails if the cursor belongs to another filter.
    pub fn continued(self, after: FlowCursor) -> Result<Self, CursorError> {
        if after.filter != hash(&self.filter) {
            return Err(CursorError { is_foreign: true });
        }
        Ok(Self { after: Some(after), ..self })
    }

    /// The filter.
    pub const fn filter(&self) -> &FlowFilter {
        &self.filter
    }

    /// The maximum number of flows.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The time of storing and the id of the last flow of the page before.
    pub fn after(&self) -> Option<(Timestamp, Uuid)> {
        self.after.map(|cursor| (cursor.stored_at, cursor.id))
    }

    /// The cursor behind a flow.
    pub fn cursor(&self, stored_at: Timestamp, id: Uuid) -> FlowCursor {
        FlowCursor { stored_at, id, filter: hash(&self.filter) }
    }

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
        let after = self.after();
        let is_later = |flow: &FlowSummary| after.is_none_or(|after| (flow.stored_at, flow.id) < after);
        let mut items: Vec<_> =
            flows.into_iter().filter(|flow| is_later(flow) && self.filter.selects(flow, now)).collect();
        items.sort_unstable_by_key(|flow| std::cmp::Reverse((flow.stored_at, flow.id)));
        Page::cut(items, self.limit, |flow| self.cursor(flow.stored_at, flow.id))
    }
}

/// A part of the answer to a query.
///
/// ```
/// use graceful::backends::Page;
/// let page = Page { items: vec![1, 2], next: None::<()> };
/// assert_eq!(page.items.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C = FlowCursor> {
    /// The items. There can be fewer than the limit, or none, although there are more: a query examines a bounded number of rows.
    pub items: Vec<T>,
    /// The cursor of the next page; none if this is the last one.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes a page of items in its order, of which one more than the limit was read if there are more.
    ///
    /// ```
    /// use graceful::backends::Page;
    /// let page = Page::cut(vec![1, 2, 3], 2, |last| *last);
    /// assert_eq!((page.items, page.next), (vec![1, 2], Some(2)));
    /// ```
    pub fn cut(mut items: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

/// The place of a page in the answer to a query. Its text contains no data of a flow, except for its id and its time.
///
/// ```
/// use graceful::backends::{FlowCursor, FlowFilter, FlowQuery, FlowState, Timestamp, Uuid};
///
/// let query = FlowQuery::new(FlowState::Dead, 50);
/// let cursor = query.cursor(Timestamp::UNIX_EPOCH, Uuid::nil());
/// assert_eq!(cursor.to_string().parse::<FlowCursor>(), Ok(cursor));
/// let error = FlowQuery::new(FlowState::Queued, 50).continued(cursor).unwrap_err();
/// assert_eq!(error.to_string(), "the cursor belongs to another filter");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowCursor {
    stored_at: Timestamp,
    id: Uuid,
    filter: u64,
}

fn hash(filter: &FlowFilter) -> u64 {
    u64::from_be_bytes(Sha256::of(filter.to_string().as_bytes()).prefix())
}

impl fmt::Display for FlowCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{:x}", self.stored_at.as_microsecond(), self.id.simple(), self.filter)
    }
}

impl FromStr for FlowCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let stored_at = Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?;
            let id = Uuid::try_parse(parts.next()?).ok()?;
            let filter = u64::from_str_radix(parts.next()?, 16).ok()?;
            Some(Self { stored_at, id, filter })
        };
        parse().ok_or(CursorError::MALFORMED)
    }
}

/// The error of a cursor that is malformed, or belongs to another filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CursorError {
    is_foreign: bool,
}

impl CursorError {
    pub(crate) const MALFORMED: Self = Self { is_foreign: false };
}

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_foreign {
            true => "the cursor belongs to another filter",
            false => "not a cursor",
        })
    }
}

impl std::error::Error for CursorError {}

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
