//! The embedded cache, on `quick_cache`.

use std::{fmt, mem, sync::Arc, time::Duration};

use jiff::Timestamp;
use quick_cache::sync::{Cache as Entries, EntryAction, EntryResult};
// Tokio's instant is the plain one, but for a test that has paused its runtime's time.
use tokio::time::Instant;

use super::DEFAULT_CAPACITY;
use crate::{
    Key, Payload,
    backends::{self, CacheEntry, CacheWrite, Reply},
};

/// A cache in memory: bounded, with a time to live per entry.
///
/// When it is full, the entries least used make room. The version that an invalidation leaves behind is an entry as well:
/// under that pressure it may go before its time, and a put that comes later still is then not refused. A put or an
/// invalidation without a version always applies, and forgets the version that was there.
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
///     Ok(CacheEntry { value: Payload::of(name)?, stored_at: Timestamp::now(), version: Some(version) })
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
pub struct Cache(Arc<Entries<Key, Stored>>);

/// The whole [`Key`] finds it, so what is read is what was stored under that name.
#[derive(Clone)]
struct Stored {
    /// The value and when it was stored; `None`: invalidated, and the version is kept.
    value: Option<(Payload, Timestamp)>,
    version: Option<i64>,
    /// `None`: never.
    expires: Option<Instant>,
}

impl Stored {
    fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Cache {
    /// A cache of 10 000 entries.
    ///
    /// ```
    /// let cache = graceful::backends::memory::Cache::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// A cache of about so many entries, of whatever size.
    ///
    /// ```
    /// let cache = graceful::backends::memory::Cache::with_capacity(100);
    /// ```
    pub fn with_capacity(entries: usize) -> Self {
        Self(Arc::new(Entries::new(entries.max(1))))
    }

    fn get_at(&self, key: &Key, now: Instant) -> Option<CacheEntry> {
        let stored = self.0.get(key)?;
        if stored.has_expired(now) {
            // Again inside: a put may have come since.
            self.0.remove_if(key, |stored| stored.has_expired(now));
            return None;
        }
        let (value, stored_at) = stored.value?;
        Some(CacheEntry { value, stored_at, version: stored.version })
    }

    fn put_at(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>, now: Instant) -> CacheWrite {
        let CacheEntry { value, stored_at, version } = entry;
        // A time to live beyond the end of time is none.
        let expires = ttl.and_then(|ttl| now.checked_add(ttl));
        let stored = Stored { value: Some((value, stored_at)), version, expires };
        if version.is_some() {
            return self.write_unless_newer(key, stored, now);
        }
        self.0.insert(key.clone(), stored);
        CacheWrite::Done
    }

    fn invalidate_at(
        &self,
        key: &Key,
        version: Option<i64>,
        ttl: Duration,
        now: impl FnOnce() -> Instant,
    ) -> CacheWrite {
        if version.is_some() {
            let now = now();
            let gone = Stored { value: None, version, expires: now.checked_add(ttl) };
            return self.write_unless_newer(key, gone, now);
        }
        self.0.remove(key);
        CacheWrite::Done
    }

    /// Compares and writes in one: under the lock of the key's shard, or while the key's vacant place is reserved.
    fn write_unless_newer(&self, key: &Key, mut new: Stored, now: Instant) -> CacheWrite {
        let found = self.0.entry(key, None, |_, held| {
            if held.version > new.version && !held.has_expired(now) {
                return EntryAction::Retain(CacheWrite::Newer);
            }
            // Swapped, so that what was held is freed outside the lock.
            mem::swap(held, &mut new);
            EntryAction::Retain(CacheWrite::Done)
        });
        match found {
            EntryResult::Retained(write) => write,
            EntryResult::Vacant(reserved) => {
                // Refused where a write without a version has taken the place: then that one is the later of the two.
                let _ = reserved.insert(new);
                CacheWrite::Done
            }
            _ => unreachable!("entries are retained, and waited for without a limit"),
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
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("len", &self.0.len()).field("capacity", &self.0.capacity()).finish()
    }
}

#[cfg(test)]
mod tests;
