//! Values by key, each with a time to live.

use std::{fmt::Debug, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, Payload, backends::Reply};

/// A value in a [`Cache`].
///
/// ```
/// use graceful::{Payload, backends::CacheEntry};
/// use jiff::Timestamp;
///
/// let entry = CacheEntry { value: Payload::of("ada")?, stored_at: Timestamp::now(), version: Some(1) };
/// assert_eq!(entry.value.decode::<String>()?, "ada");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The value.
    pub value: Payload,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The version that it was stored with.
    pub version: Option<i64>,
}

/// What became of a write to a [`Cache`].
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
    /// It was done.
    Done,
    /// Something newer is there already, so nothing was done.
    Newer,
}

/// Values by key, each with a time to live.
///
/// With a version, neither a put nor an invalidation ever overwrites what is newer: the cache keeps the version of an
/// invalidated key for as long as a value would have lived.
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
/// /// Keeps nothing.
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
    /// The value, unless it is older than its time to live.
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>>;
    /// Stores a value; `ttl: None` keeps it until it is evicted for room.
    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite>;
    /// Forgets a value, and refuses older versions of it for `ttl`. Without a version it forgets whatever there is.
    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite>;
}
