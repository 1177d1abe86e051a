//! The trait of caches that handlers read through: marks and holds, so that no entry is older than the last acknowledged write.
//!
//! `tests/cache_protocol` is a model of this protocol, which has the names of these methods. Leases (`extend`, `release`) and
//! `invalidate_pattern` are not in it.

use std::{fmt, time::Duration};

use super::CacheEntry;
use crate::{
    backends::Reply,
    key::Key,
    marks::{EntryName, Held, Mark, Seen, Write},
    text::Text,
};

/// A cached value whose marks are all current.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The value.
    pub entry: CacheEntry,
    /// How long ago the value was stored, by the clock of the cache.
    pub age: Duration,
    /// The value depends on further entities than the name says, whose marks were not compared.
    pub depends_on_more: bool,
}

impl Hit {
    /// Creates a hit.
    pub const fn new(entry: CacheEntry, age: Duration, depends_on_more: bool) -> Self {
        Self { entry, age, depends_on_more }
    }
}

/// The reply to a look-up.
#[derive(Clone, Debug, PartialEq)]
pub enum LookUp {
    /// The value is cached by now.
    Hit(Hit),
    /// The reader must load.
    Missed(Seen),
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
    /// `keep`. With `lease` it takes the lease on the load for that time, unless another process has it, or a write holds an entity.
    ///
    /// With `refresh`, an entry that is older than that is returned only if the lease cannot be taken.
    fn look_up(
        &self,
        name: &EntryName,
        keep: Duration,
        lease: Option<Duration>,
        refresh: Option<Duration>,
    ) -> Reply<LookUp>;

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

    /// Extends a hold, and never creates one. Returns whether the write still held each of its entities.
    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool>;

    /// Ends a write, also if its hold has expired or was never set (`held: None`).
    ///
    /// A put and a restore are never repeated on another connection.
    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended>;

    /// Sets a fresh mark on a pattern, so that no entry of it, and none that depends on an entity of it, is a hit any more.
    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()>;
}
