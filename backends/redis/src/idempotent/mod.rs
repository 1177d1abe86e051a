//! The store of idempotent calls: the methods of the traits as scripts on the server.

mod row;
mod scripts;
mod url;

use std::{sync::Arc, time::Duration};

use ::redis::FromRedisValue;
use graceful::{
    StepError, Text,
    backends::{
        BoxFuture, Claimed, Idempotency, IdempotentAnswer, IdempotentCall, LeaseRenewal, Reply,
        client::ConnectError,
    },
};
use tokio::runtime::Handle;

use self::{row::Row, url::Url};
use crate::{
    command::{Admission, Command, Sending},
    connection::Connection,
    durability::Loss,
};

/// The default timeout of a command. Each waits until the server has written to its disk.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A store of the calls of `idempotent` handlers on Redis, which all processes of a service share. It is not for handlers with `tx`, whose answer is
/// stored in their own transaction.
///
/// **Names and rows.** A call has a hash under `graceful:idempotent/` and each of its names, which expires by itself. One script on the server reads and
/// writes all of them, and compares the token of the call.
///
/// **A server that may forget** what it has acknowledged is refused at start, because a forgotten answer runs a body again. Suitable is
/// a server that writes to disk before it acknowledges (`appendonly yes`, `appendfsync always`, `no-appendfsync-on-rewrite no`), evicts no keys
/// (`maxmemory 0` or `maxmemory-policy noeviction`) and has no replicas, since a failover loses what they have not got yet. A server that
/// does not tell this, as some hosted ones, is refused too. `?allow_loss=true` in the URL accepts any server. Settings can be changed and
/// replicas attached while the server runs, so it is asked again when a connection opens, and by the first call after each second. An answer that
/// it may forget is not acknowledged: the call fails, and so do further calls.
///
/// A node of a Redis Cluster, a Sentinel and a read-only replica are always refused, as by [`Cache`](crate::Cache).
///
/// **If the server is unavailable.** A lost connection is re-established, and its command is sent again: each script recognises what it has done
/// before by the token of the call. A call without an answer fails after its [timeout](Self::timeout). After three failures in a row a circuit
/// breaker opens, and new calls fail at once; answers are sent in any case. A claim whose reply is lost may remain until its lease expires.
///
/// Leases are renewed over a connection of their own. A call that has begun is finished by the runtime in which the store was connected, even if
/// its reply is dropped. It needs Redis 4 or newer.
///
/// ```no_run
/// use graceful::Orchestrator;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let calls = graceful_redis::IdempotentCalls::connect("redis://127.0.0.1").await?;
/// let orchestrator = Orchestrator::builder().service("shop").idempotency(calls).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IdempotentCalls {
    connection: Arc<Connection>,
    timeout: Duration,
    runtime: Handle,
}

impl IdempotentCalls {
    /// Connects to a URL of Redis, as [`Cache::connect`](crate::Cache::connect), with the option `?allow_loss=true`.
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server does not answer within 5 seconds, is unsuitable, refuses the password or the database, or may forget
    /// what it has acknowledged.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// // A lost answer is acceptable here.
    /// let calls = graceful_redis::IdempotentCalls::connect("redis://127.0.0.1/0?allow_loss=true").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let Url { url, loss } = Url::parse(url)?;
        let connection = Arc::new(Connection::open(&url, loss).await?);
        Ok(Self { connection, timeout: TIMEOUT, runtime: Handle::current() })
    }

    /// Sets the timeout of a call, including a new connection if one is needed. Default: 2 seconds.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use std::time::Duration;
    ///
    /// use graceful_redis::IdempotentCalls;
    ///
    /// let calls = IdempotentCalls::connect("redis://127.0.0.1").await?.timeout(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Runs a script. A claim is refused while the circuit breaker is open; what follows a claim is sent in any case.
    fn ask<T: FromRedisValue + Send + 'static>(&self, admission: Admission, command: Command) -> Reply<T> {
        self.sent(admission, command, None)
    }

    /// The same for a script that is another one when it is sent again.
    fn sent<T: FromRedisValue + Send + 'static>(
        &self,
        admission: Admission,
        command: Command,
        again: Option<Command>,
    ) -> Reply<T> {
        let (connection, timeout) = (Arc::clone(&self.connection), self.timeout);
        Reply::within(&self.runtime, async move {
            let again = again.as_ref().unwrap_or(&command);
            connection.ask(admission, timeout, &command, again).await?.map_err(StepError::caused_by)
        })
    }
}

impl Idempotency for IdempotentCalls {
    fn claim(&self, call: IdempotentCall, lease: Duration) -> Reply<Claimed> {
        let [first, again] =
            [Sending::First, Sending::Again].map(|sending| scripts::claim(&call, lease, sending));
        let claimed = self.sent(Admission::WhileClosed, first, Some(again));
        claimed
            .and_then(|row: Option<Row>| row.map_or(Ok(Claimed::New), |row| Ok(Claimed::Known(row.known()?))))
    }

    fn answer(&self, answer: IdempotentAnswer) -> Reply<bool> {
        self.ask(Admission::Always, scripts::answer(&answer))
    }

    fn release(&self, call: IdempotentCall) -> Reply<()> {
        self.ask(Admission::Always, scripts::release(&call))
    }

    fn renewal(&self) -> BoxFuture<Result<Arc<dyn LeaseRenewal>, StepError>> {
        // A server that may forget refuses answers; the bodies that run need their leases all the same.
        let (connection, timeout) = (Arc::new(self.connection.another(Loss::Allowed)), self.timeout);
        Box::pin(async move {
            let calls = Self { connection, timeout, runtime: Handle::current() };
            let renewal: Arc<dyn LeaseRenewal> = Arc::new(Renewal(calls));
            Ok(renewal)
        })
    }

    fn unfit(&self) -> Option<Text> {
        self.connection.losses()
    }
}

/// Renews leases over a connection of its own.
#[derive(Debug)]
struct Renewal(IdempotentCalls);

impl LeaseRenewal for Renewal {
    fn renew(&self, call: IdempotentCall, lease: Duration) -> Reply<bool> {
        self.0.ask(Admission::Always, scripts::renew(&call, lease))
    }
}
