//! Values by key, each with a time to live.

use std::{fmt::Debug, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{backends::Reply, flow::Payload, key::Key};

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
    /// It came too late, by its version, so nothing was done.
    Newer,
}

/// Values by key, each with a time to live.
///
/// **Versions.** The cache keeps the highest version of a key that was written, and compares and writes in one atomic step:
///
/// - A put with a version is refused unless its version is higher than that; a put of the version whose value is there
///   renews it. An invalidation with a version is refused if its version is lower.
/// - A write without a version always applies, and the version stays: an older put that comes late is refused over a value
///   without a version, and over nothing.
///
/// The version is kept for the time to live of the last write, and an invalidation does not shorten that of what it
/// invalidates. So there are three limits: a put that comes later still is accepted; so is one whose version no write had
/// before an invalidation without a version; and what the cache evicts, or loses in a restart, refuses nothing any more.
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
    /// Forgets a value, and refuses puts up to that version, or else up to the highest that was written, for `ttl`.
    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite>;
}
