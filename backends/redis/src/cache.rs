//! The cache: the methods of the trait as Redis commands.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ::redis::{FromRedisValue, RedisError, Script, cmd};
use graceful::{
    Key, StepError,
    backends::{self, CacheEntry, CacheWrite, ReadThrough, Reply, client::ConnectError},
};
use tokio::runtime::Handle;

use super::{
    command::{Admission, Command},
    connection::Connection,
    durability::Loss,
    stored,
};

/// The default timeout of a command: half of the time budget of an inline step.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Puts a value, or invalidates the key if there is no value. Returns 1, or 0 if a newer version is cached.
static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("write.lua")));

/// A longer time to live, in milliseconds, counts as unlimited: 30 000 years.
pub(super) const FOR_EVER: u128 = 1_000_000_000_000_000;

/// A cache on Redis, which all processes of a service share, with a time to live per entry.
///
/// **Names and bytes.** A value is stored under `graceful:` and the name of its [`Key`], which contains the tenant. The bytes contain
/// the whole key (service, tenant, pattern, id and space) and a checksum. They are checked on read; a value of another key, or a damaged
/// one, is a cache miss.
///
/// **Versions.** One script on the server compares versions and writes, as the [trait](backends::Cache) specifies. If the server evicts an
/// entry, or loses it in a restart or a failover, its version is lost too.
///
/// **An unsuitable server** is refused at start: a node of a Redis Cluster, which holds only a part of the keys; a Sentinel; a read-only
/// replica.
///
/// **If the server is unavailable.** All calls share one connection. The next call re-establishes a lost connection and repeats its
/// command. A call without an answer fails after its [timeout](Self::timeout), and the connection is closed. After three failures in a row a
/// circuit breaker opens: calls fail at once, and each second one call probes the server. A successful probe closes the
/// breaker. So an unavailable Redis delays three calls by the timeout, and then one call per second.
///
/// **Handlers that read through it.** A hit is one `MGET`; each other call is one script. What was stored is void after a restart, also from a
/// snapshot, and after a failover. So the server is asked for its incarnation (`INFO`) and its time (`TIME`) when a connection opens, and
/// again by the first of these calls after each second. A user without these rights, a proxy without these commands, and a replica
/// are refused; [`ReadThrough::unfit`] says so. It needs Redis 6 or newer. A value, a restored mark and a load are never
/// sent again on another connection: then such a write only invalidates, and such a load is not stored.
///
/// A call that has begun is finished by the runtime in which the cache was connected, even if its reply is dropped.
///
/// ```no_run
/// use graceful::backends::Cache as _;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = graceful_redis::Cache::connect("redis://127.0.0.1").await?;
/// assert_eq!(cache.get(&graceful::Key::new("users", None, "user", "42")).await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    pub(super) connection: Arc<Connection>,
    pub(super) timeout: Duration,
    pub(super) runtime: Handle,
}

impl Cache {
    /// Connects to `redis://[[user]:password@]host[:port][/database]`, or `redis+unix:///path`; with the feature `tls`
    /// also to `rediss://…`, an encrypted connection, which trusts the machine's certificates.
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server does not answer within 5 seconds, is unsuitable, or refuses the password or the database.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let cache = graceful_redis::Cache::connect("redis://127.0.0.1:6379/0").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let connection = Arc::new(Connection::open(url, Loss::Allowed).await?);
        Ok(Self { connection, timeout: TIMEOUT, runtime: Handle::current() })
    }

    /// Sets the timeout of a call, including a new connection if one is needed. Default: 500 ms.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use std::time::Duration;
    ///
    /// use graceful_redis::Cache;
    ///
    /// let cache = Cache::connect("redis://127.0.0.1").await?.timeout(Duration::from_millis(50));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Runs a command, and maps the answer or the error of the server.
    fn ask<T: FromRedisValue + Send + 'static, U: Send + 'static>(
        &self,
        command: Command,
        into: impl FnOnce(Result<T, RedisError>) -> Result<U, RedisError> + Send + 'static,
    ) -> Reply<U> {
        let (connection, timeout) = (Arc::clone(&self.connection), self.timeout);
        Reply::within(&self.runtime, async move {
            into(connection.ask(Admission::WhileClosed, timeout, &command, &command).await?)
                .map_err(StepError::caused_by)
        })
    }

    fn write(
        &self,
        key: &Key,
        version: Option<i64>,
        value: Option<Vec<u8>>,
        ttl: Option<Duration>,
    ) -> Reply<CacheWrite> {
        let ttl = match ttl.map(millis) {
            Some(millis) if millis <= FOR_EVER => millis.to_string(),
            _ => "none".to_owned(),
        };
        let mut arguments = vec![stored::digits(version).into_bytes(), ttl.into_bytes()];
        arguments.extend(value);
        let command = Command::Script { script: &WRITE, keys: vec![name(key)], arguments };
        self.ask(command, |written: Result<bool, _>| {
            written.map(|written| if written { CacheWrite::Done } else { CacheWrite::Newer })
        })
    }
}

fn name(key: &Key) -> String {
    format!("graceful:{key}")
}

/// Rounded up: what has some time left is not over.
pub(super) fn millis(ttl: Duration) -> u128 {
    ttl.as_nanos().div_ceil(1_000_000)
}

impl backends::Cache for Cache {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        let mut get = cmd("GET");
        get.arg(name(key));
        let key = key.clone();
        self.ask(Command::Plain(Arc::new(get)), move |answer: Result<Option<Vec<u8>>, _>| match answer {
            Ok(bytes) => Ok(bytes.and_then(|bytes| stored::read(&key, &bytes))),
            // Another program has stored a list or a hash under this name.
            Err(error) if error.code() == Some("WRONGTYPE") => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite> {
        match stored::value(key, &entry) {
            Ok(bytes) => self.write(key, entry.version, Some(bytes), ttl),
            Err(error) => Reply::failed(StepError::caused_by(error)),
        }
    }

    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite> {
        self.write(key, version, None, Some(ttl))
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        Some(self)
    }
}
