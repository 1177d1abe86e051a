//! The trait of caches that handlers read through: marks and holds, so that no entry is older than the last acknowledged write.
//!
//! `tests/cache_protocol` is a model of this protocol. Its actions have the names of these methods.

use std::{collections::HashSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::CacheEntry;
use crate::{backends::Reply, key::Key, text::Text};

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

/// A cached value whose marks are all current.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The value.
    pub entry: CacheEntry,
    /// How long ago the value was stored, by the clock of the cache.
    pub age: Duration,
}

impl Hit {
    /// Creates a hit.
    pub const fn new(entry: CacheEntry, age: Duration) -> Self {
        Self { entry, age }
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
    /// The cache is in this process, or no lease was asked for: there is none.
    None,
    /// This reader has it, with this token.
    Taken(Mark),
    /// Another process has it, and saw the same marks: its load may be waited for.
    Elsewhere,
}

/// The reply to a look-up.
#[derive(Clone, Debug, PartialEq)]
pub enum LookUp {
    /// The value is cached by now.
    Hit(Hit),
    /// The reader must load.
    Missed(Seen),
}

/// The entities of one write, and its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Write {
    /// The token of this write, by which its hold is found.
    pub token: Mark,
    /// The entities that it changes: its own first, if that is known.
    pub changes: Vec<Key>,
    /// The entities that its value shows but that it does not change.
    pub depends_on: Vec<Key>,
}

impl Write {
    /// Creates a write with a new token.
    pub fn new(changes: Vec<Key>, depends_on: Vec<Key>) -> Self {
        Self { token: Mark::random(), changes, depends_on }
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

/// How a write ends. Each end removes the hold, except [`Unknown`](Self::Unknown), and sets fresh marks.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The entities have changed.
    Invalidate,
    /// It is unknown whether the entities have changed, or will: the hold stays until it expires.
    Unknown,
    /// Nothing has changed: the old marks are put back, under the conditions of a put.
    Restore,
    /// The new value is stored, if the hold was clean, no mark has changed since, and there is no other hold.
    Put {
        /// The name of the entry; its entity is the first of [`Write::changes`], and its dependencies are those of the write.
        name: EntryName,
        /// The value.
        entry: CacheEntry,
        /// The time to live.
        ttl: Duration,
    },
}

/// The result of the end of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The entities have fresh marks.
    Invalidated,
    /// The value was stored.
    Put,
    /// The old marks are back.
    Restored,
}

/// A cache that handlers can read through. See the [guide](crate::guide::caching) for what it guarantees.
///
/// Each method is atomic. A reply that is dropped is finished all the same, in the background.
///
/// **Marks.** Each entity has a mark. An entry is stored with the marks of all that it depends on, and is a hit only while each of them is
/// current. A missing mark never matches; [`look_up`](Self::look_up) and [`hold`](Self::hold) create the missing ones. A mark may be
/// forgotten when no entry can depend on it any more.
///
/// **Holds.** A write holds its entities from before its body until its end. A hold expires on the clock of the cache.
///
/// **Incarnation.** Entries, marks and holds are valid only for the process of the server in which they were made.
pub trait ReadThrough: fmt::Debug + Send + Sync + 'static {
    /// Whether each reply is ready at once, so that handlers that are not `async` can use it.
    fn is_immediate(&self) -> bool;

    /// Why handlers cannot read through this cache, and what to do about it; `None` if they can. The check at start refuses it, and each
    /// method fails.
    fn unfit(&self) -> Option<Text> {
        None
    }

    /// Returns the entry if all of its marks are current.
    fn hit(&self, name: &EntryName) -> Reply<Option<Hit>>;

    /// After a miss: the entry if it is there by now, otherwise the marks. Creates missing marks, which are kept for at least
    /// `keep`. With `lease` it takes the lease on the load for that time, unless another process has it.
    fn look_up(&self, name: &EntryName, keep: Duration, lease: Option<Duration>) -> Reply<LookUp>;

    /// Stores what was loaded, if the marks are those of the look-up and no write holds them. Returns whether it was stored. It
    /// releases the lease in any case.
    ///
    /// It is never repeated on another connection.
    fn fill(&self, name: &EntryName, seen: &Seen, entry: CacheEntry, ttl: Duration) -> Reply<bool>;

    /// Extends the lease. Returns whether this reader still had it.
    fn extend(&self, name: &EntryName, lease: Mark, expiry: Duration) -> Reply<bool>;

    /// Releases the lease, if this reader has it.
    fn release(&self, name: &EntryName, lease: Mark) -> Reply<()>;

    /// Sets a fresh mark and a hold on each entity that a write changes.
    fn hold(&self, write: &Write, expiry: Duration) -> Reply<Held>;

    /// Extends a hold, and never creates one. Returns whether it was there.
    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool>;

    /// Ends a write, also if its hold has expired or was never set (`held: None`).
    ///
    /// A put and a restore are never repeated on another connection.
    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended>;

    /// Sets a fresh mark on a pattern, so that no entry of it, and none that depends on an entity of it, is a hit any more.
    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()>;
}
