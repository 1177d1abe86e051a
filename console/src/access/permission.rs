//! The permissions of actions.

use std::fmt;

/// A permission. Each action needs one.
///
/// ```
/// use graceful_console::access::Permission;
/// assert_eq!(Permission::Discard.to_string(), "discard");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Resubmit and postpone flows, and cancel operations.
    Flows,
    /// Discard flows. Their steps never run.
    Discard,
    /// Pause and resume relays, handlers and subscribers.
    Pause,
    /// Complete and postpone review jobs.
    Jobs,
    /// Resolve alerts.
    Alerts,
    /// Drop cached values.
    Cache,
    /// Verify the audit chain, which reads all of its records.
    Verify,
    /// Reveal the payload of a flow. Payloads can contain secrets and personal data.
    Reveal,
    /// Send SPARQL queries to the knowledge graph.
    Sparql,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 9] = [
        Self::Flows,
        Self::Discard,
        Self::Pause,
        Self::Jobs,
        Self::Alerts,
        Self::Cache,
        Self::Verify,
        Self::Reveal,
        Self::Sparql,
    ];

    /// The name of the permission.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Discard => "discard",
            Self::Pause => "pause",
            Self::Jobs => "jobs",
            Self::Alerts => "alerts",
            Self::Cache => "cache",
            Self::Verify => "verify",
            Self::Reveal => "reveal",
            Self::Sparql => "sparql",
        }
    }

    /// Whether it concerns the data of all tenants, so that access to some tenants excludes it.
    pub(crate) const fn concerns_all_tenants(self) -> bool {
        matches!(self, Self::Pause | Self::Verify | Self::Sparql)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u16);

impl Permissions {
    /// Whether the set contains this permission.
    pub(crate) const fn contains(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    const fn bit(permission: Permission) -> u16 {
        1 << permission as u16
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | Self::bit(permission)))
    }
}
