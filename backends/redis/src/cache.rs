//! The trait's three methods, as commands.

use std::{sync::Arc, time::Duration};

use ::redis::{FromRedisValue, RedisError, cmd};
use graceful::{
    Key, StepError,
    backends::{self, CacheEntry, CacheWrite, Reply, client::ConnectError},
};
use tokio::runtime::Handle;

use super::{
    connection::{Command, Connection},
    stored,
};

/// How long a command may take, unless it is told otherwise: half of what a step has where a caller waits.
const TIMEOUT: Duration = Duration::from_millis(500);

/// A longer life than this, in milliseconds, is one without end: 30 000 years.
const FOR_EVER: u128 = 1_000_000_000_000_000;

/// A cache on Redis: shared by all processes of a service, with a time to live per entry.
///
/// **Names and bytes.** A value is stored under `graceful:` and the name of its [`Key`], which has the tenant in it. The
/// bytes carry the whole key (service, tenant, pattern, id and space: whose value, and of what kind) and a checksum. What
/// is read is checked, and what is wrong or broken is a miss.
///
/// **Versions.** A write is compared and done by one script on the server, as the [trait](backends::Cache) says. The
/// promise is as good as the server's memory: what it evicts, or loses in a restart or a failover, refuses nothing any more.
///
/// **A server that will not do** is refused at start: a node of a Redis Cluster, of which each holds a part of the keys only; a
/// Sentinel; a replica that takes no writes.
///
/// **A server that is away.** All calls share one connection. One that was lost is made again by the next call, which
/// then asks once more; a call that gets no answer [in its time](Self::timeout) fails, and the connection with it.
/// After three failures in a row a circuit breaker opens: calls fail at once, and every second one goes through as a
/// probe, whose success closes it. So a dead Redis costs a handler no more than that time, three times, and then one
/// handler a second.
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
    connection: Arc<Connection>,
    timeout: Duration,
    runtime: Handle,
}

impl Cache {
    /// Connects to `redis://[[user]:password@]host[:port][/database]`, or `redis+unix:///path`; with the feature `tls`
    /// also to `rediss://…`, an encrypted connection, which trusts the machine's certificates.
    ///
    /// # Errors
    /// The URL is none of Redis, nobody answers there within 5 seconds, or the server refuses: a wrong password, a
    /// database that it does not have.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let cache = graceful_redis::Cache::connect("redis://127.0.0.1:6379/0").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let connection = Arc::new(Connection::open(url).await?);
        Ok(Self { connection, timeout: TIMEOUT, runtime: Handle::current() })
    }

    /// How long a call may take, with a new connection if one is needed; 500 ms by default.
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

    /// The server's answer, or its refusal, as something else.
    fn ask<T: FromRedisValue + Send + 'static, U: Send + 'static>(
        &self,
        command: Command,
        into: impl FnOnce(Result<T, RedisError>) -> Result<U, RedisError> + Send + 'static,
    ) -> Reply<U> {
        let (connection, timeout) = (Arc::clone(&self.connection), self.timeout);
        Reply::within(&self.runtime, async move {
            into(connection.ask(&command, timeout).await?).map_err(StepError::caused_by)
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
        let command = Command::Write { name: name(key), version: stored::digits(version), ttl, value };
        self.ask(command, |written: Result<bool, _>| {
            written.map(|written| if written { CacheWrite::Done } else { CacheWrite::Newer })
        })
    }
}

fn name(key: &Key) -> String {
    format!("graceful:{key}")
}

/// Rounded up: what has some time left is not over.
fn millis(ttl: Duration) -> u128 {
    ttl.as_nanos().div_ceil(1_000_000)
}

impl backends::Cache for Cache {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        let mut get = cmd("GET");
        get.arg(name(key));
        let key = key.clone();
        self.ask(Command::Plain(get), move |answer: Result<Option<Vec<u8>>, _>| match answer {
            Ok(bytes) => Ok(bytes.and_then(|bytes| stored::read(&key, &bytes))),
            // Somebody has put a list or a hash there.
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
}
