//! Queries of audit records.

use std::fmt;

use jiff::Timestamp;

use super::AuditRecord;
use crate::{
    backends::traits::query::{Cursor, FilterError, Moment, Page, Query, TextForm, is_between, moment},
    key::Part,
};

/// Selects audit records. An empty filter selects all.
///
/// ```
/// use graceful::backends::AuditFilter;
///
/// let filter = AuditFilter::parse([("actor", "ada"), ("since", "2h")])?;
/// assert_eq!(filter.to_string(), "actor=ada since=7200s");
/// assert_eq!(AuditFilter::parse(filter.pairs())?, filter);
/// let error = AuditFilter::parse([("acter", "ada")]).unwrap_err();
/// assert_eq!(error.to_string(), "`acter` is not a filter; did you mean `actor`?");
/// # Ok::<(), graceful::backends::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditFilter {
    /// The actor.
    pub actor: Option<String>,
    /// The entity's full name.
    pub entity: Option<String>,
    /// The tenant; empty for the records of entities without a tenant.
    pub tenant: Option<String>,
    /// Selects records of this time or later. The time of a record is that of the machine on which the handler ended.
    pub since: Option<Moment>,
    /// Selects records from before this time.
    pub until: Option<Moment>,
}

impl AuditFilter {
    /// The keys of the text form.
    pub const KEYS: [&'static str; 5] = ["actor", "entity", "tenant", "since", "until"];

    /// Parses keys and values, e.g. of a URL or a command line. A time is RFC 3339 (`2026-01-31T10:00:00Z`) or a duration before now (`2h`,
    /// `7d`).
    ///
    /// # Errors
    /// Fails for a key that is unknown or repeated, and for a value that is empty or malformed. So a mistake never selects more records. Only
    /// `tenant` may be empty.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, FilterError> {
        Self::parsed(pairs)
    }

    /// The keys and values that [`parse`](Self::parse) reads.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        self.named()
    }

    /// The second part of the full names of the tenant's entities.
    ///
    /// ```
    /// use graceful::backends::AuditFilter;
    /// assert_eq!(AuditFilter::parse([("tenant", "a:b")])?.tenant_part().as_deref(), Some("a%3Ab"));
    /// # Ok::<(), graceful::backends::FilterError>(())
    /// ```
    pub fn tenant_part(&self) -> Option<String> {
        self.tenant.as_deref().map(|tenant| Part(tenant).to_string())
    }

    /// Whether the filter selects a record, at this time by the log's clock.
    ///
    /// ```
    /// use graceful::{Key, backends::{AuditFilter, AuditRecord, Timestamp}};
    ///
    /// let record = AuditRecord::new(Key::new("users", None, "user", "42"), "update_user", "user updated");
    /// assert!(AuditFilter::parse([("entity", "users::user:42")])?.selects(&record, Timestamp::UNIX_EPOCH));
    /// assert!(!AuditFilter::parse([("actor", "ada")])?.selects(&record, Timestamp::UNIX_EPOCH));
    /// # Ok::<(), graceful::backends::FilterError>(())
    /// ```
    pub fn selects(&self, record: &AuditRecord, now: Timestamp) -> bool {
        self.actor.as_deref().is_none_or(|actor| record.actor.as_deref() == Some(actor))
            && self.entity.as_deref().is_none_or(|entity| record.entity.to_string() == entity)
            && self.tenant.as_deref().is_none_or(|tenant| record.entity.tenant() == tenant)
            && is_between(record.at, self.since, self.until, now)
    }
}

impl TextForm for AuditFilter {
    const NAMES: &'static [&'static str] = &Self::KEYS;
    const MAY_BE_EMPTY: &'static [&'static str] = &["tenant"];

    fn values(&self) -> Vec<Option<String>> {
        let [since, until] = [self.since, self.until].map(|moment| moment.map(|moment| moment.to_string()));
        vec![self.actor.clone(), self.entity.clone(), self.tenant.clone(), since, until]
    }

    fn assign(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "actor" => self.actor = Some(value.to_owned()),
            "entity" => self.entity = Some(value.to_owned()),
            "tenant" => self.tenant = Some(value.to_owned()),
            "since" => self.since = Some(moment(key, value)?),
            _ => self.until = Some(moment(key, value)?),
        }
        Ok(())
    }
}

impl fmt::Display for AuditFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f)
    }
}

/// A page of audit records to read, the newest first; see [`AuditLog::query`](super::AuditLog::query). Its second parameter is the number of a record
/// in the log.
pub type AuditQuery = Query<AuditFilter, i64>;

/// The place of a page of audit records.
pub type AuditCursor = Cursor<i64>;

impl AuditQuery {
    /// Selects the page from all records of a log, with their numbers, at this time by the log's clock. It reads all of them: for a log
    /// with few records.
    ///
    /// ```
    /// use graceful::{Key, backends::{AuditFilter, AuditQuery, AuditRecord, Timestamp}};
    ///
    /// let record = AuditRecord::new(Key::new("users", None, "user", "42"), "update_user", "user updated");
    /// let page = AuditQuery::new(AuditFilter::default(), 1).select([(1, &record), (2, &record)], Timestamp::UNIX_EPOCH);
    /// assert_eq!(page.items, [record.clone()]);
    /// assert!(page.next.is_some());
    /// ```
    pub fn select<'r>(
        &self,
        records: impl IntoIterator<Item = (i64, &'r AuditRecord)>,
        now: Timestamp,
    ) -> Page<AuditRecord, AuditCursor> {
        let selected = records.into_iter().filter(|(_, record)| self.filter().selects(record, now));
        let whole = |at: Timestamp| Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let page = self.page_of(selected.map(|(number, record)| ((whole(record.at), number), record)));
        Page { items: page.items.into_iter().cloned().collect(), next: page.next }
    }
}
