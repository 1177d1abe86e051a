//! What the queries of flows and of audit records share: pages, cursors and the text form of filters.

mod filter;

use std::{cmp::Reverse, fmt, str::FromStr};

use jiff::Timestamp;

pub use self::filter::{FilterError, Moment};
pub(super) use self::filter::{TextForm, invalid, is_between, moment, parsed};
use crate::sha256::Sha256;

/// A page to read of what a filter selects, the newest first: a [`FlowQuery`](super::FlowQuery) or an [`AuditQuery`](super::AuditQuery). Items of one
/// time are in the order of `K`.
///
/// ```
/// use graceful::backends::{AuditFilter, AuditQuery, FlowFilter, FlowQuery, FlowState};
///
/// let query = FlowQuery::new(FlowFilter::from(FlowState::Dead), 50);
/// assert!(query.after().is_none());
/// let query = AuditQuery::new(AuditFilter::parse([("actor", "ada")])?, 50);
/// assert_eq!(query.limit(), 50);
/// # Ok::<(), graceful::backends::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<F, K> {
    filter: F,
    limit: usize,
    after: Option<Cursor<K>>,
}

impl<F: fmt::Display, K: Copy> Query<F, K> {
    /// Creates a query of the first page, with at most this number of items.
    pub fn new(filter: impl Into<F>, limit: usize) -> Self {
        Self { filter: filter.into(), limit, after: None }
    }

    /// Reads the page after a cursor.
    ///
    /// # Errors
    /// Fails if the cursor belongs to another filter.
    pub fn continued(self, after: Cursor<K>) -> Result<Self, CursorError> {
        if after.filter != hash(&self.filter) {
            return Err(CursorError { is_foreign: true });
        }
        Ok(Self { after: Some(after), ..self })
    }

    /// The filter.
    pub const fn filter(&self) -> &F {
        &self.filter
    }

    /// The maximum number of items.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The place of the last item of the page before.
    pub fn after(&self) -> Option<(Timestamp, K)> {
        self.after.map(|cursor| (cursor.at, cursor.key))
    }

    /// The cursor behind an item.
    pub fn cursor(&self, at: Timestamp, key: K) -> Cursor<K> {
        Cursor { at, key, filter: hash(&self.filter) }
    }

    /// The page of items that the filter selects, each with its place.
    pub(super) fn page_of<T>(&self, selected: impl Iterator<Item = ((Timestamp, K), T)>) -> Page<T, Cursor<K>>
    where
        K: Ord,
    {
        let after = self.after();
        let mut items: Vec<_> =
            selected.filter(|(place, _)| after.is_none_or(|after| *place < after)).collect();
        items.sort_unstable_by_key(|(place, _)| Reverse(*place));
        let Page { items, next } = Page::cut(items, self.limit, |((at, key), _)| self.cursor(*at, *key));
        Page { items: items.into_iter().map(|(_, item)| item).collect(), next }
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
pub struct Page<T, C = super::FlowCursor> {
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

/// The place of a page in the answer to a query: a [`FlowCursor`](super::FlowCursor) or an [`AuditCursor`](super::AuditCursor). Its text contains no data,
/// except for the time and the number or id of the last item.
///
/// ```
/// use graceful::backends::{FlowCursor, FlowQuery, FlowState, Timestamp, Uuid};
///
/// let query = FlowQuery::new(FlowState::Dead, 50);
/// let cursor = query.cursor(Timestamp::UNIX_EPOCH, Uuid::nil());
/// assert_eq!(cursor.to_string().parse::<FlowCursor>(), Ok(cursor));
/// let error = FlowQuery::new(FlowState::Queued, 50).continued(cursor).unwrap_err();
/// assert_eq!(error.to_string(), "the cursor belongs to another filter");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K> {
    at: Timestamp,
    key: K,
    filter: u64,
}

fn hash(filter: &impl fmt::Display) -> u64 {
    u64::from_be_bytes(Sha256::of(filter.to_string().as_bytes()).prefix())
}

impl<K: fmt::Display> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{:x}", self.at.as_microsecond(), self.key, self.filter)
    }
}

impl<K: FromStr> FromStr for Cursor<K> {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let at = Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?;
            let key = parts.next()?.parse().ok()?;
            let filter = u64::from_str_radix(parts.next()?, 16).ok()?;
            Some(Self { at, key, filter })
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
