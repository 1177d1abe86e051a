//! Whether a record is still as it was appended.

use std::fmt;

/// The result of checking one audit record against its own hash and the hash of the record before it: see
/// [`AuditLog::verified`](super::AuditLog::verified).
///
/// ```
/// use graceful::backends::RecordCheck;
/// assert_eq!(RecordCheck::Changed.to_string(), "changed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordCheck {
    /// The record has the hash that is stored with it, behind the hash that is stored with the record before it.
    Intact,
    /// The record or its hash was changed, or the record before it is missing or has another hash.
    Changed,
    /// The log has no chain, so it cannot be known.
    Unchained,
}

impl RecordCheck {
    /// The name in lower case.
    ///
    /// ```
    /// use graceful::backends::RecordCheck;
    /// assert_eq!(RecordCheck::Intact.as_str(), "intact");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Changed => "changed",
            Self::Unchained => "unchained",
        }
    }
}

impl fmt::Display for RecordCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
