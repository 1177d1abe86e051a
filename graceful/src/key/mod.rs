//! Keys: unambiguous and safe names for backends.

mod parse;
mod part;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::part::Part;
pub use self::{parse::ParseKeyError, part::encoded};
use crate::text::{Text, text};

/// The space of a [`Key`]. It is part of the key, so that keys of different spaces never collide.
///
/// ```
/// use graceful::{Key, backends::KeySpace};
/// let entity = Key::new("users", None, "user", "42");
/// assert_ne!(entity.in_space(KeySpace::LastGood), entity);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySpace {
    /// The entity itself, or its cached value.
    #[default]
    Entity,
    /// The last good value, which `fallback = last_good` returns.
    LastGood,
    /// A call without an entity: its id is the correlation id, which a client may have chosen.
    Call,
    /// All entities of a pattern: its id is empty.
    Pattern,
    /// A cached value of an entity in another form, or for one actor.
    Variant,
    /// The entities of a pattern that fail with one code: the id is the code. See [`Incident::storm`](crate::Incident::storm).
    Storm,
    /// A call of an idempotent handler: its pattern is the handler's identity, and its id the scope and the key.
    Idempotent,
}

/// The name of an entity: service, tenant, pattern and id.
///
/// Its `Display` is the name that all backends use: `service:tenant:pattern:id`, each part encoded (see [`encoded`]), so
/// that different keys have different names. A part that is longer than 512 bytes when it is encoded is replaced by `~` and its
/// SHA-256, so that a name is never longer than 2.1 kB, whatever a client sends.
///
/// ```
/// use graceful::Key;
///
/// let key = Key::new("users", Some("acme"), "user", "a:b");
/// assert_eq!(key.to_string(), "users:acme:user:a%3Ab");
/// assert_eq!(Key::new("users", None, "user", "42").to_string(), "users::user:42");
/// let long = Key::new("users", None, "user", "x".repeat(10_000));
/// assert!(long.to_string().starts_with("users::user:~") && long.to_string().len() < 100);
/// ```
// One text with the ends of its parts: every step makes, hashes, compares or stores a key, and short keys need no heap.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    text: Text,
    /// The ends of service, tenant and pattern in the text.
    ends: [u32; 3],
    space: KeySpace,
}

/// The parts of a key, by name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename = "Key")]
struct Parts<T> {
    service: T,
    tenant: T,
    pattern: T,
    id: T,
    space: KeySpace,
}

impl Key {
    /// Creates the key of an entity. `tenant: None` is the same as an empty tenant.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("s", None, "user", "1"), Key::new("s", Some(""), "user", "1"));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if service, tenant and pattern have 4 GiB together.
    pub fn new(
        service: impl AsRef<str>,
        tenant: Option<&str>,
        pattern: impl AsRef<str>,
        id: impl AsRef<str>,
    ) -> Self {
        Self::of_parts([service.as_ref(), tenant.unwrap_or_default(), pattern.as_ref(), id.as_ref()])
    }

    pub(crate) fn of_parts(parts: [&str; 4]) -> Self {
        let mut end = 0;
        let ends = [parts[0], parts[1], parts[2]].map(|part| {
            end += part.len();
            u32::try_from(end).expect("a name is shorter than 4 GiB")
        });
        Self { text: Text::joined(parts), ends, space: KeySpace::Entity }
    }

    /// The bytes that the key uses on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.text.heap_bytes()
    }

    fn between(&self, from: u32, to: u32) -> &str {
        &self.text[from as usize..to as usize]
    }

    fn parts(&self) -> Parts<&str> {
        Parts {
            service: self.service(),
            tenant: self.tenant(),
            pattern: self.pattern(),
            id: self.id(),
            space: self.space,
        }
    }

    /// The same key in another space.
    ///
    /// ```
    /// # use graceful::{Key, backends::KeySpace};
    /// let key = Key::new("users", None, "user", "42").in_space(KeySpace::LastGood);
    /// assert_eq!(key.to_string(), "users::user:42:last_good");
    /// ```
    #[must_use]
    pub fn in_space(&self, space: KeySpace) -> Self {
        Self { space, ..self.clone() }
    }

    /// The key of all entities of the same service, tenant and pattern.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "42").of_pattern().to_string(), "users::user::pattern");
    /// ```
    #[must_use]
    pub fn of_pattern(&self) -> Self {
        let parts = [self.service(), self.tenant(), self.pattern(), ""];
        Self { space: KeySpace::Pattern, ..Self::of_parts(parts) }
    }

    /// The key of another entry of the same entity. An encoded id has no `/`, so it is the key of no other entity.
    pub(crate) fn variant(&self, variant: &str) -> Self {
        let id = text!("{}/{variant}", encoded(self.id()));
        let parts = [self.service(), self.tenant(), self.pattern(), &id];
        Self { space: KeySpace::Variant, ..Self::of_parts(parts) }
    }

    /// The service's name.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "42").service(), "users");
    /// ```
    pub fn service(&self) -> &str {
        self.between(0, self.ends[0])
    }

    /// The tenant; empty if there is none.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", Some("acme"), "user", "42").tenant(), "acme");
    /// ```
    pub fn tenant(&self) -> &str {
        self.between(self.ends[0], self.ends[1])
    }

    /// The pattern of the entity.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "42").pattern(), "user");
    /// ```
    pub fn pattern(&self) -> &str {
        self.between(self.ends[1], self.ends[2])
    }

    /// The id, not encoded.
    ///
    /// ```
    /// # use graceful::Key;
    /// assert_eq!(Key::new("users", None, "user", "a/b").id(), "a/b");
    /// ```
    pub fn id(&self) -> &str {
        &self.text[self.ends[2] as usize..]
    }

    /// The space of the key.
    ///
    /// ```
    /// # use graceful::{Key, backends::KeySpace};
    /// assert_eq!(Key::new("users", None, "user", "42").space(), KeySpace::Entity);
    /// ```
    pub fn space(&self) -> KeySpace {
        self.space
    }
}

/// Hashes only the text, because keys rarely differ only in the ends of their parts; equality compares these, too.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.space.hash(state);
    }
}

/// By service, then tenant, pattern and id.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { service, tenant, pattern, id, space } = self.parts();
        f.debug_struct("Key")
            .field("service", &service)
            .field("tenant", &tenant)
            .field("pattern", &pattern)
            .field("id", &id)
            .field("space", &space)
            .finish()
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { service, tenant, pattern, id, space } = Parts::<Text>::deserialize(deserializer)?;
        Ok(Self { space, ..Self::of_parts([&service, &tenant, &pattern, &id]) })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [service, tenant, pattern, id] =
            [self.service(), self.tenant(), self.pattern(), self.id()].map(Part);
        write!(f, "{service}:{tenant}:{pattern}:{id}")?;
        match self.space {
            KeySpace::Entity => Ok(()),
            KeySpace::LastGood => f.write_str(":last_good"),
            KeySpace::Call => f.write_str(":call"),
            KeySpace::Pattern => f.write_str(":pattern"),
            KeySpace::Variant => f.write_str(":variant"),
            KeySpace::Storm => f.write_str(":storm"),
            KeySpace::Idempotent => f.write_str(":idempotent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{part::MAX_PART, *};

    #[test]
    fn keys_of_one_text_are_not_the_same() {
        let keys = [
            Key::new("ab", None, "c", "d"),
            Key::new("a", Some("b"), "c", "d"),
            Key::new("a", None, "bc", "d"),
            Key::new("a", None, "b", "cd"),
            Key::new("abcd", None, "", ""),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(keys[index + 1..].iter().all(|other| other != key), "{key}");
            assert_ne!(key.in_space(KeySpace::LastGood), *key);
            assert_ne!(key.in_space(KeySpace::Call), *key);
            assert_ne!(key.of_pattern(), *key);
        }
    }

    #[test]
    fn long_parts_have_short_names_of_their_own() {
        let of = |tenant: &str, id: &str| Key::new("users", Some(tenant), "user", id).to_string();
        let at_most = "x".repeat(MAX_PART);
        assert_eq!(of("acme", &at_most), format!("users:acme:user:{at_most}"));
        let mut names = vec![of("acme", &at_most)];
        for id in ["x".repeat(MAX_PART + 1), "é".repeat(MAX_PART / 6 + 1), "x".repeat(100_000)] {
            // A part that is replaced by its hash differs from a part whose text is that hash.
            let hashed = of("acme", &id).rsplit_once(':').unwrap().1.to_owned();
            names.extend([of("acme", &id), of(&id, "1"), of(&id, &id), of("acme", &hashed)]);
        }
        assert!(names.iter().all(|name| name.len() <= 4 * MAX_PART + 3));
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn keys_are_ordered_by_their_parts() {
        // As texts, they would be the other way round.
        assert!(Key::new("a", None, "z", "") < Key::new("ab", None, "", ""));
        assert!(Key::new("a", None, "user", "1") < Key::new("a", Some("t"), "user", "0"));
    }

    #[test]
    fn serialised_key_is_read_back_equal() {
        let key = Key::new("users", Some("acme"), "user", "an id that is not held inline");
        let json = serde_json::json!({
            "service": "users",
            "tenant": "acme",
            "pattern": "user",
            "id": "an id that is not held inline",
            "space": "last_good",
        });
        assert_eq!(serde_json::to_value(key.in_space(KeySpace::LastGood)).unwrap(), json);
        assert_eq!(serde_json::from_value::<Key>(json).unwrap(), key.in_space(KeySpace::LastGood));
    }
}
