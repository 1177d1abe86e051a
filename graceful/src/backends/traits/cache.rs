//! The trait of caches.

use std::{fmt::Debug, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ReadThrough;
use crate::{backends::Reply, flow::Payload, key::Key};

/// A value in a [`Cache`].
///
/// ```
/// use graceful::{Payload, backends::CacheEntry};
/// use jiff::Timestamp;
///
/// let entry = CacheEntry::new(Payload::of("ada")?, Timestamp::now(), Some(1));
/// assert_eq!(entry.value.decode::<String>()?, "ada");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheEntry {
    /// The value.
    pub value: Payload,
    /// When the value was stored.
    pub stored_at: Timestamp,
    /// The version with which the value was stored.
    pub version: Option<i64>,
}

impl CacheEntry {
    /// Creates an entry.
    pub const fn new(value: Payload, stored_at: Timestamp, version: Option<i64>) -> Self {
        Self { value, stored_at, version }
    }
}

/// The result of a write to a [`Cache`].
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Key,
///     backends::{Cache, CacheWrite, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (cache, key) = (memory::Cache::new(), Key::new("users", None, "user", "42"));
/// let ttl = Duration::from_secs(60);
/// assert_eq!(cache.invalidate(&key, Some(2), ttl).await?, CacheWrite::Done);
/// assert_eq!(cache.invalidate(&key, Some(1), ttl).await?, CacheWrite::Newer);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheWrite {
    /// The write was applied.
    Done,
    /// The write was refused: a newer version is cached.
    Newer,
}

/// Stores values by key, each with a time to live.
///
/// **Versions.** The cache stores the highest version that was written for a key, and compares and writes atomically:
///
/// - A put with a version is refused unless its version is higher. A put with the version of the cached value renews the
///   value. An invalidation with a version is refused if its version is lower.
/// - A write without a version always applies, and does not change the version. So an older put that arrives late is refused even if the
///   cached value has no version, or if no value is cached.
///
/// The version is stored for the time to live of the last write; an invalidation does not shorten it. This has three limits. A put that
/// arrives after that time is accepted. A put is accepted if an invalidation without a version came before any write with a version.
/// And when the cache evicts an entry, or restarts, the version is lost.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Key,
///     backends::{Cache, CacheEntry, CacheWrite, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Stores no values.
/// #[derive(Debug)]
/// struct NoCache;
///
/// impl Cache for NoCache {
///     fn get(&self, _: &Key) -> Reply<Option<CacheEntry>> {
///         Reply::ready(None)
///     }
///
///     fn put(&self, _: &Key, _: CacheEntry, _: Option<Duration>) -> Reply<CacheWrite> {
///         Reply::ready(CacheWrite::Done)
///     }
///
///     fn invalidate(&self, _: &Key, _: Option<i64>, _: Duration) -> Reply<CacheWrite> {
///         Reply::ready(CacheWrite::Done)
///     }
/// }
///
/// assert_eq!(NoCache.get(&Key::new("users", None, "user", "42")).await?, None);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Cache: Debug + Send + Sync + 'static {
    /// Returns the value, unless it has expired.
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>>;
    /// Stores a value. With `ttl: None` it stays until it is evicted.
    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite>;
    /// Removes a value. For the time `ttl`, puts up to this version are refused; without a version, up to the highest one written.
    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite>;
    /// The protocol for handlers that read through the cache; `None` if it is not supported, as by default.
    fn read_through(&self) -> Option<&dyn ReadThrough> {
        None
    }
}
