//! What alerts and review jobs have in common: storms, and the filter and the cursor of their pages.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use super::{
    CursorError,
    query::{FilterError, TextForm},
};
use crate::{flow::Incident, key::Part};

/// How many single alerts, and how many single review jobs, of one [storm](Incident::storm) are open before further ones are counted on its
/// summary.
pub const STORM_LIMIT: usize = 20;

/// Selects open alerts or review jobs by their incidents. An empty filter selects all.
///
/// The summary of a [storm](Incident::storm) counts the failures of all tenants, so it belongs to no tenant: an empty `tenant` selects it,
/// and the name of a tenant does not.
///
/// ```
/// use graceful::{Code, Incident, Key, backends::IncidentFilter};
///
/// let filter = IncidentFilter::parse([("tenant", "acme")])?;
/// assert_eq!(filter.to_string(), "tenant=acme");
/// assert_eq!(IncidentFilter::parse(filter.pairs())?, filter);
///
/// let incident = Incident::new(Key::new("shop", Some("acme"), "order", "42"), "pay");
/// assert!(filter.selects(&incident));
/// assert!(!filter.selects(&incident.storm(Code::Internal)));
/// # Ok::<(), graceful::backends::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncidentFilter {
    /// The tenant; empty for the entities without a tenant and for the summaries of storms.
    pub tenant: Option<String>,
    /// The entity's full name, such as `users::user:42`; all incidents of the entity are selected, whatever their owner. The full name of a
    /// summary, such as `users::user:INTERNAL:storm`, selects the summary.
    pub entity: Option<String>,
}

impl IncidentFilter {
    /// The keys of the text form.
    pub const KEYS: [&'static str; 2] = ["tenant", "entity"];

    /// Parses keys and values, e.g. of a URL or a command line.
    ///
    /// # Errors
    /// Fails for a key that is unknown or repeated, and for an entity that is empty. So a mistake never selects more incidents. `tenant` may be
    /// empty.
    ///
    /// ```
    /// use graceful::backends::IncidentFilter;
    /// let error = IncidentFilter::parse([("entty", "users::user:42")]).unwrap_err();
    /// assert_eq!(error.to_string(), "`entty` is not a filter; did you mean `entity`?");
    /// ```
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
    /// use graceful::backends::IncidentFilter;
    /// let filter = IncidentFilter::parse([("tenant", "a:b")])?;
    /// assert_eq!(filter.tenant_part().as_deref(), Some("a%3Ab"));
    /// # Ok::<(), graceful::backends::FilterError>(())
    /// ```
    pub fn tenant_part(&self) -> Option<String> {
        self.tenant.as_deref().map(|tenant| Part(tenant).to_string())
    }

    /// Whether the filter selects the alert or the review job of an incident.
    ///
    /// ```
    /// use graceful::{Incident, Key, backends::IncidentFilter};
    ///
    /// let incident = Incident::new(Key::new("users", None, "user", "42"), "update_user");
    /// assert!(IncidentFilter::parse([("entity", "users::user:42"), ("tenant", "")])?.selects(&incident));
    /// assert!(!IncidentFilter::parse([("entity", "users::user:4")])?.selects(&incident));
    /// # Ok::<(), graceful::backends::FilterError>(())
    /// ```
    pub fn selects(&self, incident: &Incident) -> bool {
        let entity = incident.entity();
        self.tenant.as_deref().is_none_or(|tenant| entity.tenant() == tenant)
            && self.entity.as_deref().is_none_or(|name| entity.to_string() == name)
    }
}

impl TextForm for IncidentFilter {
    const NAMES: &'static [&'static str] = &Self::KEYS;
    const MAY_BE_EMPTY: &'static [&'static str] = &["tenant"];

    fn values(&self) -> Vec<Option<String>> {
        vec![self.tenant.clone(), self.entity.clone()]
    }

    fn assign(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "tenant" => self.tenant = Some(value.to_owned()),
            _ => self.entity = Some(value.to_owned()),
        }
        Ok(())
    }
}

impl fmt::Display for IncidentFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f)
    }
}

/// The place of a page of open alerts or review jobs, which are in the order of the time at which they were opened and of the names of their
/// incidents: neither changes while they are open. Times count in microseconds. A cursor is a place, and can be used with any filter.
///
/// ```
/// use graceful::{
///     Incident, Key,
///     backends::{IncidentCursor, Timestamp},
/// };
///
/// let incident = Incident::new(Key::new("users", None, "user", "42"), "update_user");
/// let cursor = IncidentCursor::new(Timestamp::from_second(7)?, &incident);
/// assert_eq!(cursor.to_string(), "7000000.users::user:42#update_user");
/// assert_eq!(cursor.to_string().parse(), Ok(cursor));
/// assert!("seven".parse::<IncidentCursor>().is_err());
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentCursor {
    micros: i64,
    incident: String,
}

impl IncidentCursor {
    /// Creates the cursor behind the alert or job of an incident that was opened at this time.
    pub fn new(opened_at: Timestamp, incident: &Incident) -> Self {
        Self { micros: opened_at.as_microsecond(), incident: incident.to_string() }
    }

    /// The time of opening, in microseconds since 1970.
    pub const fn micros(&self) -> i64 {
        self.micros
    }

    /// The name of the incident.
    pub fn incident(&self) -> &str {
        &self.incident
    }
}

impl fmt::Display for IncidentCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.micros, self.incident)
    }
}

impl FromStr for IncidentCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (micros, incident) = text.split_once('.').ok_or(CursorError::MALFORMED)?;
        // A name is encoded, so it contains nothing else.
        match (micros.parse(), incident.bytes().all(|byte| byte.is_ascii_graphic())) {
            (Ok(micros), true) => Ok(Self { micros, incident: incident.to_owned() }),
            _ => Err(CursorError::MALFORMED),
        }
    }
}
