//! Names that are sent to a backend: injective and safe.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Everything but `[A-Za-z0-9_-]` is encoded: no wildcard, separator or term can come from a user.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Encodes a value into `[A-Za-z0-9_-]` and `%`, so that two values never give one name.
///
/// ```
/// use graceful::encoded;
/// assert_eq!(encoded("a/b*").to_string(), "a%2Fb%2A");
/// ```
pub fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, UNSAFE)
}

/// What a [`Key`] names; part of the key, so that the two never meet.
///
/// ```
/// use graceful::{Key, KeySpace};
/// let entity = Key::new("users", None, "user", "42");
/// assert_ne!(entity.in_space(KeySpace::LastGood), entity);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySpace {
    /// The entity itself, or its cached value.
    #[default]
    Entity,
    /// The last good value, which `fallback = last_good` answers with.
    LastGood,
}

/// The name of an entity: service, tenant, pattern and id.
///
/// Its `Display` is the one name that backends use: `service:tenant:pattern:id`, each part encoded (see [`encoded`]), so
/// that different keys have different names.
///
/// ```
/// use graceful::Key;
///
/// let key = Key::new("users", Some("acme"), "user", "a:b");
/// assert_eq!(key.to_string(), "users:acme:user:a%3Ab");
/// assert_eq!(Key::new("users", None, "user", "42").to_string(), "users::user:42");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    service: SmolStr,
    tenant: SmolStr,
    pattern: SmolStr,
    id: SmolStr,
    space: KeySpace,
}

impl Key {
    /// A key of an entity. `tenant: None` is the same as an empty one.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("s", None, "user", "1"), Key::new("s", Some(""), "user", "1"));
    /// ```
    pub fn new(
        service: impl Into<SmolStr>,
        tenant: Option<&str>,
        pattern: impl Into<SmolStr>,
        id: impl Into<SmolStr>,
    ) -> Self {
        Self {
            service: service.into(),
            tenant: tenant.map(SmolStr::new).unwrap_or_default(),
            pattern: pattern.into(),
            id: id.into(),
            space: KeySpace::Entity,
        }
    }

    pub(crate) fn of_parts(service: SmolStr, tenant: SmolStr, pattern: SmolStr, id: SmolStr) -> Self {
        Self { service, tenant, pattern, id, space: KeySpace::Entity }
    }

    /// The same name in another space.
    ///
    /// ```
    /// # use graceful::{Key, KeySpace};
    /// let key = Key::new("users", None, "user", "42").in_space(KeySpace::LastGood);
    /// assert_eq!(key.to_string(), "users::user:42:last_good");
    /// ```
    #[must_use]
    pub fn in_space(&self, space: KeySpace) -> Self {
        Self { space, ..self.clone() }
    }

    /// The service, as the orchestrator's builder named it.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "42").service(), "users");
    /// ```
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The tenant; empty where there is none.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", Some("acme"), "user", "42").tenant(), "acme");
    /// ```
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The kind of entity.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "42").pattern(), "user");
    /// ```
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The id, as it was given: not encoded.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "a/b").id(), "a/b");
    /// ```
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The space that the key is in.
    ///
    /// ```
    /// # use graceful::{Key, KeySpace};
    /// assert_eq!(Key::new("users", None, "user", "42").space(), KeySpace::Entity);
    /// ```
    pub fn space(&self) -> KeySpace {
        self.space
    }
}

/// Only what tells the keys of one store apart most of the time: a hash is asked for in each step, and equality sees the
/// rest.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.pattern.hash(state);
        self.space.hash(state);
        if !self.tenant.is_empty() {
            self.tenant.hash(state);
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [service, tenant, pattern, id] =
            [&self.service, &self.tenant, &self.pattern, &self.id].map(|part| encoded(part));
        write!(f, "{service}:{tenant}:{pattern}:{id}")?;
        match self.space {
            KeySpace::Entity => Ok(()),
            KeySpace::LastGood => f.write_str(":last_good"),
        }
    }
}
