//! The in-memory cache, on `quick_cache`.

mod entities;
mod read_through;

use std::{
    fmt, mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache as Entries, DefaultLifecycle, EntryAction, EntryResult},
};
// Tokio's instant is the plain one, but for a test that has paused its runtime's time.
use tokio::time::Instant;

use self::{entities::Entities, read_through::Provenance};
use super::{Bytes, DEFAULT_BYTES, DEFAULT_CAPACITY};
use crate::{
    backends::{self, CacheEntry, CacheWrite, ReadThrough, Reply},
    key::Key,
};

/// A bounded in-memory cache with a time to live per entry.
///
/// When it is full, by number or by bytes, the least used entries are evicted. A value larger than an eighth of the bytes is not
/// stored. The version that an invalidation leaves behind is an entry too: it may be evicted early, and then an older put that arrives
/// later is accepted.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Key, Payload,
///     backends::{Cache, CacheEntry, CacheWrite, memory},
/// };
/// use jiff::Timestamp;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cache = memory::Cache::new();
/// let key = Key::new("users", None, "user", "42");
/// let entry = |name, version| -> Result<_, serde_json::Error> {
///     Ok(CacheEntry::new(Payload::of(name)?, Timestamp::now(), Some(version)))
/// };
/// let ttl = Duration::from_secs(60);
///
/// assert_eq!(cache.put(&key, entry("ada", 2)?, Some(ttl)).await?, CacheWrite::Done);
/// assert_eq!(cache.put(&key, entry("old", 1)?, Some(ttl)).await?, CacheWrite::Newer);
/// assert_eq!(cache.get(&key).await?.unwrap().value.as_json(), "\"ada\"");
///
/// assert_eq!(cache.invalidate(&key, Some(3), ttl).await?, CacheWrite::Done);
/// assert_eq!(cache.put(&key, entry("late", 2)?, Some(ttl)).await?, CacheWrite::Newer);
/// assert_eq!(cache.get(&key).await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    entries: Entries<Key, Stored, Weights>,
    entities: Mutex<Entities>,
}

/// An entry weighs what it takes, and at least its share of the bytes, so that their number is bounded as well.
#[derive(Clone)]
struct Weights {
    least: usize,
}

impl Weighter<Key, Stored> for Weights {
    fn weight(&self, key: &Key, stored: &Stored) -> u64 {
        let provenance = stored.provenance.as_ref().map_or(0, |provenance| provenance.bytes());
        let bytes = key.bytes() + stored.entry.as_ref().map_or(0, Bytes::bytes) + provenance;
        bytes.max(self.least) as u64
    }
}

/// Few, since each has its own part of the bytes.
const SHARDS: usize = 8;

/// The whole [`Key`] finds it, so what is read is what was stored under that name.
#[derive(Clone)]
struct Stored {
    /// `None`: the key was invalidated, and only its version is stored.
    entry: Option<CacheEntry>,
    /// The highest version that was written; a put is accepted above it only.
    seen: Option<i64>,
    /// `None`: never.
    expires: Option<Instant>,
    /// The marks of an entry that was stored by the protocol of the read-through cache.
    provenance: Option<Arc<Provenance>>,
}

impl Stored {
    fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether a write comes too late to replace this one. One without a version never does.
    fn refuses(&self, new: &Self) -> bool {
        let Some(version) = new.seen else { return false };
        // A version names one value, so a put may renew it; it does not bring it back once it was invalidated.
        let is_renewed = self.entry.as_ref().is_some_and(|entry| entry.version == Some(version));
        self.seen > new.seen || (self.seen == new.seen && new.entry.is_some() && !is_renewed)
    }
}

impl Cache {
    /// Creates a cache of 10 000 entries, up to 32 MiB.
    ///
    /// ```
    /// let cache = graceful::backends::memory::Cache::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a cache of about this many entries, up to 32 MiB.
    ///
    /// ```
    /// let cache = graceful::backends::memory::Cache::with_capacity(100);
    /// ```
    pub fn with_capacity(entries: usize) -> Self {
        Self::with_limits(entries, DEFAULT_BYTES)
    }

    /// Creates a cache of about this many entries, up to this many bytes.
    ///
    /// ```
    /// let cache = graceful::backends::memory::Cache::with_limits(100, 1 << 20);
    /// ```
    ///
    /// # Panics
    /// Never panics, because both limits are set.
    pub fn with_limits(entries: usize, bytes: usize) -> Self {
        let (entries, bytes) = (entries.max(1), bytes.max(1));
        let options = OptionsBuilder::new()
            .estimated_items_capacity(entries)
            .weight_capacity(bytes as u64)
            .shards(SHARDS)
            .build()
            .expect("both capacities are given");
        // One that took all of the room would have to make room itself.
        let least = (bytes / entries.saturating_add(1)).max(1);
        let entries = Entries::with_options(
            options,
            Weights { least },
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self(Arc::new(Inner { entries, entities: Mutex::default() }))
    }

    fn get_at(&self, key: &Key, now: Instant) -> Option<CacheEntry> {
        let stored = self.0.entries.get(key)?;
        if stored.has_expired(now) {
            // Again inside: a put may have come since.
            self.0.entries.remove_if(key, |stored| stored.has_expired(now));
            return None;
        }
        if stored.provenance.as_ref().is_some_and(|provenance| !provenance.is_current()) {
            return None;
        }
        stored.entry
    }

    fn put_at(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>, now: Instant) -> CacheWrite {
        let seen = entry.version;
        // A time to live beyond the end of time is none.
        let expires = ttl.and_then(|ttl| now.checked_add(ttl));
        self.write(key, Stored { entry: Some(entry), seen, expires, provenance: None }, now)
    }

    fn invalidate_at(
        &self,
        key: &Key,
        version: Option<i64>,
        ttl: Duration,
        now: impl FnOnce() -> Instant,
    ) -> CacheWrite {
        if version.is_none() && !self.0.entries.contains_key(key) {
            return CacheWrite::Done;
        }
        let now = now();
        self.write(
            key,
            Stored { entry: None, seen: version, expires: now.checked_add(ttl), provenance: None },
            now,
        )
    }

    /// Compares and writes in one: under the lock of the key's shard, or while the key's vacant place is reserved.
    fn write(&self, key: &Key, mut new: Stored, now: Instant) -> CacheWrite {
        let found = self.0.entries.entry(key, None, |_, held| {
            if !held.has_expired(now) {
                if held.refuses(&new) {
                    return EntryAction::Retain(CacheWrite::Newer);
                }
                new.seen = new.seen.max(held.seen);
                if new.entry.is_none() {
                    // What an earlier write was promised is not cut short.
                    new.expires =
                        new.expires.map(|expires| held.expires.map_or(expires, |held| expires.max(held)));
                }
            }
            if new.entry.is_none() && new.seen.is_none() {
                return EntryAction::Remove;
            }
            // Swapped, so that what was held is freed outside the lock.
            mem::swap(held, &mut new);
            EntryAction::Retain(CacheWrite::Done)
        });
        match found {
            EntryResult::Retained(write) => write,
            EntryResult::Vacant(reserved) => {
                if new.entry.is_some() || new.seen.is_some() {
                    // Refused only where the place was evicted meanwhile, as the entry could have been.
                    let _ = reserved.insert(new);
                }
                CacheWrite::Done
            }
            _ => CacheWrite::Done,
        }
    }
}

impl backends::Cache for Cache {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        Reply::ready(self.get_at(key, Instant::now()))
    }

    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite> {
        Reply::ready(self.put_at(key, entry, ttl, Instant::now()))
    }

    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite> {
        Reply::ready(self.invalidate_at(key, version, ttl, Instant::now))
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        Some(self)
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("len", &self.0.entries.len())
            .field("capacity", &self.0.entries.capacity())
            .finish()
    }
}

#[cfg(test)]
mod tests;
