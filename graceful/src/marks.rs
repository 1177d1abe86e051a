//! The vocabulary of the read-through cache: marks, what a reader saw, and the hold of a write.

use std::{collections::HashSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{key::Key, text::Text};

/// How long a hold lasts, unless it is renewed or ended.
pub(crate) const HOLD_EXPIRY: Duration = Duration::from_secs(30);

/// How often it is renewed: two renewals may be lost.
pub(crate) const HOLD_RENEWAL: Duration = Duration::from_secs(10);

/// A token of an entity, which changes with every write; also the token of one write or of one lease.
///
/// ```
/// use graceful::backends::Mark;
/// assert_ne!(Mark::random(), Mark::random());
/// assert_eq!(Mark::new(7).get(), 7);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(u128);

impl Mark {
    /// Creates a mark of 128 random bits.
    pub fn random() -> Self {
        Self(fastrand::u128(..))
    }

    /// Creates a mark of these bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({:032x})", self.0)
    }
}

/// The process of the cache server that answered. What was read from another one is void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

/// The name of an entry, and the entities whose marks it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryName {
    /// The entity of which the entry is a value.
    pub entity: Key,
    /// Distinguishes the entries of one entity: by the form of the value (`rev`) or by the actor. Usually empty.
    pub variant: Text,
    /// The other entities that the value shows, in the order of the declaration.
    pub depends_on: Vec<Key>,
}

impl EntryName {
    /// Creates the name of an entity's entry.
    pub const fn new(entity: Key, variant: Text, depends_on: Vec<Key>) -> Self {
        Self { entity, variant, depends_on }
    }

    /// The key of the entry itself: that of the entity, unless there is a variant.
    pub fn key(&self) -> Key {
        match self.variant.is_empty() {
            true => self.entity.clone(),
            false => self.entity.variant(&self.variant),
        }
    }

    /// The keys whose marks the entry needs: the entity, each entity that it depends on, and the pattern of each.
    pub fn marked(&self) -> Vec<Key> {
        let entities = [&self.entity].into_iter().chain(&self.depends_on);
        let mut marked: Vec<Key> = Vec::new();
        for key in entities.clone().cloned().chain(entities.map(Key::of_pattern)) {
            if !marked.contains(&key) {
                marked.push(key);
            }
        }
        marked
    }
}

/// What a reader saw at its look-up. Its load may be stored only while this is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The marks, in the order of [`EntryName::marked`].
    pub marks: Vec<Mark>,
    /// Whether a write held any of these entities. Then the load is neither stored nor shared.
    pub held: bool,
    /// The server that was asked.
    pub incarnation: Incarnation,
    /// The age of the youngest mark, or of the server's incarnation if that is younger.
    pub youngest: Duration,
    /// The lease on the load.
    pub lease: Lease,
}

impl Seen {
    /// Creates what a reader saw.
    pub const fn new(
        marks: Vec<Mark>,
        held: bool,
        incarnation: Incarnation,
        youngest: Duration,
        lease: Lease,
    ) -> Self {
        Self { marks, held, incarnation, youngest, lease }
    }

    /// Whether two readers saw the same, so that the load of one is as new as that of the other.
    pub fn is_same(&self, other: &Self) -> bool {
        !self.held && !other.held && self.marks == other.marks && self.incarnation == other.incarnation
    }
}

/// Who loads an entry, among all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lease {
    /// There is none: none was asked for, the cache is in this process, a write holds an entity, or a process that saw other marks has it.
    None,
    /// This reader has it, with this token.
    Taken(Mark),
    /// Another process has it, and saw the same marks: its load may be waited for.
    Elsewhere,
}

/// The entities of one write, and its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Write {
    /// The token of this write, by which its hold is found.
    pub token: Mark,
    changes: Vec<Key>,
    /// The entities that its value shows but that it does not change.
    pub depends_on: Vec<Key>,
}

impl Write {
    /// Creates a write with a new token. An entity that is given twice counts once.
    pub fn new(changes: Vec<Key>, depends_on: Vec<Key>) -> Self {
        let mut write = Self { token: Mark::random(), changes, depends_on };
        write.deduplicate();
        write
    }

    /// The entities that it changes, none twice: its own first, if that is known.
    pub fn changes(&self) -> &[Key] {
        &self.changes
    }

    /// Adds entities that the write changes, which were not known at its hold.
    pub(crate) fn add(&mut self, changes: impl IntoIterator<Item = Key>) {
        self.changes.extend(changes);
        self.deduplicate();
    }

    /// A write may change thousands of entities.
    fn deduplicate(&mut self) {
        if self.changes.len() > 1 {
            let mut known = HashSet::new();
            self.changes.retain(|key| known.insert(key.clone()));
        }
    }

    /// The keys whose marks the write needs beside those of the entities that it changes: the entities that its value shows, and the
    /// patterns of all.
    pub fn marked(&self) -> Vec<Key> {
        // A write may change thousands of entities.
        let mut known: HashSet<Key> = self.changes.iter().cloned().collect();
        let entities = self.changes.iter().chain(&self.depends_on);
        let all = entities.clone().cloned().chain(entities.map(Key::of_pattern));
        all.filter(|key| known.insert(key.clone())).collect()
    }
}

/// The reply to a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The marks of the changed entities before the hold, in the order of [`Write::changes`].
    pub old: Vec<Option<Mark>>,
    /// Their marks since the hold.
    pub new: Vec<Mark>,
    /// The marks of [`Write::marked`].
    pub others: Vec<Mark>,
    /// Whether no other write held any of these entities, so that a put or a restore may follow.
    pub clean: bool,
    /// The server that was asked.
    pub incarnation: Incarnation,
}

impl Held {
    /// Creates the reply to a hold.
    pub const fn new(
        old: Vec<Option<Mark>>,
        new: Vec<Mark>,
        others: Vec<Mark>,
        clean: bool,
        incarnation: Incarnation,
    ) -> Self {
        Self { old, new, others, clean, incarnation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_names_no_entity_twice() {
        let key = |id: &str| Key::new("users", None, "user", id);
        let mut write = Write::new(vec![key("b"), key("a"), key("b")], Vec::new());
        assert_eq!(write.changes(), [key("b"), key("a")]);
        write.add([key("c"), key("a"), key("c")]);
        assert_eq!(write.changes(), [key("b"), key("a"), key("c")]);
    }
}
