//! What alerts and review jobs have in common: storms, and the cursor of their pages.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use super::CursorError;
use crate::flow::Incident;

/// How many single alerts, and how many single review jobs, of one [storm](Incident::storm) are open before further ones are counted on its
/// summary.
pub const STORM_LIMIT: usize = 20;

/// The place of a page of open alerts or review jobs, which are in the order of the time at which they were opened and of the names of their
/// incidents: neither changes while they are open. Times count in microseconds.
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
