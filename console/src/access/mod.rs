//! Who asks, and what they may see and do.

mod basic;
mod loopback;
mod permission;

use std::{collections::BTreeSet, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use http::request::Parts;

use self::permission::Permissions;
pub use self::{
    basic::{Basic, basic},
    loopback::loopback,
    permission::Permission,
};

/// What the sender of one request may see and do. The function that is given to [`Console::new`](crate::Console::new) returns it.
///
/// ```
/// use graceful_console::access::{Access, Permission};
///
/// let access = Access::act("ada", [Permission::Flows]).tenants(["acme"]);
/// assert!(access.may(Permission::Flows) && !access.may(Permission::Discard));
/// assert!(!Access::read("bob").may(Permission::Flows));
/// assert!(Access::forbidden().who().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    who: String,
    is_verified: bool,
    level: Level,
    tenants: Tenants,
}

/// The kind of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Refused(Refusal),
    Read,
    Act(Permissions),
}

/// Why nothing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 403.
    Forbidden,
    /// 401, with a challenge for basic authentication.
    Unauthenticated,
    /// 429, for so long.
    TooManyFailures(Duration),
}

/// The tenants whose data are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tenants {
    All,
    Only(BTreeSet<String>),
}

impl Access {
    fn new(who: impl Into<String>, level: Level) -> Self {
        Self { who: who.into(), is_verified: true, level, tenants: Tenants::All }
    }

    fn refused(why: Refusal) -> Self {
        Self::new("", Level::Refused(why))
    }

    /// Nothing: the answer is 403.
    pub fn forbidden() -> Self {
        Self::refused(Refusal::Forbidden)
    }

    /// Everything that is no secret may be read, and nothing changed. `who` is the name of the operator.
    pub fn read(who: impl Into<String>) -> Self {
        Self::new(who, Level::Read)
    }

    /// What can be read, and the actions of these permissions. `who` is the name of the operator in the audit log.
    pub fn act(who: impl Into<String>, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self::new(who, Level::Act(permissions.into_iter().collect()))
    }

    /// Restricts the access to the data of these tenants; an empty name stands for the data without a tenant. Then SPARQL, the settings, the
    /// relays, pauses and the verification of the audit chain are forbidden, because they concern all tenants.
    #[must_use]
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        self.tenants = Tenants::Only(tenants.into_iter().map(Into::into).collect());
        self
    }

    /// Declares that nobody has verified the operator's name. Audit records say so.
    #[must_use]
    pub const fn unverified(mut self) -> Self {
        self.is_verified = false;
        self
    }

    /// Takes the permission to act away. Everything can still be read.
    ///
    /// ```
    /// use graceful_console::access::{Access, Permission};
    /// assert_eq!(Access::act("ada", Permission::ALL).read_only(), Access::read("ada"));
    /// ```
    #[must_use]
    pub fn read_only(mut self) -> Self {
        if matches!(self.level, Level::Act(_)) {
            self.level = Level::Read;
        }
        self
    }

    /// The operator's name; empty if the access is refused.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Whether an action with this permission is allowed.
    pub fn may(&self, permission: Permission) -> bool {
        let granted = match &self.level {
            Level::Refused(_) | Level::Read => false,
            Level::Act(permissions) => permissions.contains(permission),
        };
        granted && (self.is_unrestricted() || !permission.concerns_all_tenants())
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self.level {
            // Nothing could be shown.
            _ if matches!(&self.tenants, Tenants::Only(tenants) if tenants.is_empty()) => {
                Some(Refusal::Forbidden)
            }
            Level::Refused(why) => Some(why),
            Level::Read | Level::Act(_) => None,
        }
    }

    pub(crate) const fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Whether the data of all tenants are shown.
    pub(crate) const fn is_unrestricted(&self) -> bool {
        matches!(self.tenants, Tenants::All)
    }

    /// The only tenants whose data are shown.
    pub(crate) const fn only_tenants(&self) -> Option<&BTreeSet<String>> {
        match &self.tenants {
            Tenants::All => None,
            Tenants::Only(tenants) => Some(tenants),
        }
    }
}

type Asked = Pin<Box<dyn Future<Output = Access> + Send>>;

/// The function that decides about each request.
#[derive(Clone)]
pub(crate) struct Gate(Arc<dyn Fn(Parts) -> Asked + Send + Sync>);

impl Gate {
    pub(crate) fn new<F, Fut>(access: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Access> + Send + 'static,
    {
        Self(Arc::new(move |parts| Box::pin(access(parts))))
    }

    pub(crate) async fn ask(&self, parts: Parts) -> Access {
        (self.0)(parts).await
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
