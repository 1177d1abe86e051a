//! `graceful-postgres` is a crate with a durable store in PostgreSQL, which many processes can share.
//!
//! ```no_run
//! use graceful::Orchestrator;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! graceful_postgres::Store::migrate("postgres://owner:secret@db.internal/users").await?;
//! let store = graceful_postgres::Store::connect("postgres://users:secret@db.internal/users").await?;
//! let orchestrator = Orchestrator::builder().service("users").store(store).in_memory().build()?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Store`] contains the flows of durable delivery, and the state of five steps: metadata, review jobs, patterns, the audit chain and
//! alerts. Any number of services and relays may use the same tables concurrently.
//!
//! The names of the tables begin with `graceful_`. [`Store::migrate`] creates them in the first schema of the search path, and
//! [`Store::connect`] checks them. So the store can use the same database as your own data, and for
//! `#[orchestrate(delivery = "durable", tx = tx)]` it must. The encoding of the database must be UTF-8.
//!
//! # Rights
//!
//! The role of a service needs only the following rights; `app` is the schema and `service` the role.
//! [`Orchestrator::from_env`](graceful::Orchestrator::from_env) creates missing tables if its role has the right to.
//!
//! ```sql
#![doc = include_str!("grants.sql")]
//! ```
//!
//! # Isolation
//!
//! The store's statements run in `READ COMMITTED`. If `default_transaction_isolation` differs, each statement runs in a transaction of its
//! own, which costs two more round trips. Your own transaction, in which a flow is stored, may have any isolation level.
//!
//! # `PgBouncer`
//!
//! The store works behind `PgBouncer`, in session or in transaction mode; it detects the mode at start. In transaction mode
//!
//! - each call is a transaction that leaves nothing behind on the connection, which costs four more round trips;
//! - there is no `LISTEN`, so a relay finds the flows of other processes by its [`poll`](graceful::RelaySettings::poll);
//! - the URL cannot set a search path: use `ALTER ROLE … SET search_path`.
//!
//! `PgBouncer` before 1.21 does not support prepared statements: use `.persistent(false)` in your own transactions. A handler
//! with `tx` does the same.
//!
//! # Order
//!
//! At most one flow of an entity is claimed at a time. Flows are claimed in the order in which they were inserted, as far as they are
//! committed: if two transactions are open at the same time, either flow may be first. A claim is one statement (`FOR UPDATE SKIP
//! LOCKED`), and one relay claims at a time. Afterwards the claim id decides which relay may record the outcome.
//!
//! # Time
//!
//! The store uses the server's clock for everything that one process writes and another compares: leases, retries, review jobs, retention. The
//! clocks of the machines need not agree with it, or with each other.
//!
//! # Notifications
//!
//! Notifications only reduce latency; relays also [poll](graceful::RelaySettings::poll). A relay that has found no flow waits, and the server notifies
//! it (`NOTIFY`) when a transaction of any process commits a flow. While a relay is at work no notification is sent, since that relay soon claims
//! again; this saves a lock that all sessions of the server share. If a connection is lost, the flows that were stored meanwhile
//! are found when it is back, or by polling. Each relay has a connection for `LISTEN`, which a pooler must not share between
//! transactions. PostgreSQL cannot prepare a transaction (two-phase commit) that sends a notification.
//!
//! # If the server is unavailable
//!
//! A call fails [after 3 seconds](Store::timeout), and its connection is closed; the next call opens another. A step does not delay its
//! caller beyond its own time budget. After three failures in a row a circuit breaker opens: calls of the steps (metadata, review jobs, patterns,
//! audit, alerts) fail at once, and one call per second probes the server. Calls about flows are always tried, because a flow that is
//! not stored runs only once, and a flow whose outcome is not recorded runs again. So while the server is unavailable, a durable handler
//! answers after these 3 seconds.
//!
//! # Subscribers
//!
//! A subscriber holds a transaction for as long as its handler runs, on one of ten connections of their own. The transaction may be
//! idle for as long as the handler's time limit allows.
//!
//! # Tables
//!
//! | table | contents | grows with |
//! |---|---|---|
//! | `graceful_flows` | queued flows; completed flows for the time of [`retention`](graceful::RelaySettings::retention); dead letters until they are purged | queued flows |
//! | `graceful_relays` | which relays wait for a notification, and which are at work | relays |
//! | `graceful_metadata` | the newest 100 states of each entity | entities |
//! | `graceful_jobs` | open review jobs | open incidents |
//! | `graceful_patterns`, `graceful_traces` | patterns; the newest 100 uses of each entity | entities |
//! | `graceful_alerts` | open alerts; the newest 1000 resolved alerts | open incidents |
//! | `graceful_audit` | every audit record, chained by SHA-256 | every flow |
//! | `graceful_inbox`, `graceful_inbox_attempts` | the events that subscribers have handled; the attempts at redelivered events; both until they are [purged](Store::purge_inbox) | every event |
//!
//! `sqlx` needs Rust 1.94. For encrypted connections enable one of its `tls-…` features.

mod alerts;
mod audit;
mod connect;
mod flows;
mod idle;
mod inbox;
mod listen;
mod metadata;
mod migrate;
mod nexus;
mod scheduler;
mod text;
mod transaction;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use graceful::{
    Backend, OrchestratorBuilder, StepError,
    backends::{
        Reply,
        client::{Breaker, Call},
    },
};
use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::{runtime::Handle, time::timeout};
use uuid::Uuid;

/// The store in PostgreSQL; a handle: cloning it shares the pool of connections. See the [module](self).
///
/// It works in the runtime that it was connected in; what has begun there is finished, even if its reply is dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
/// let store = graceful_postgres::Store::connect("postgres://127.0.0.1/users").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    /// Of the transactions that subscribers' handlers hold.
    inbox: PgPool,
    /// For people.
    place: Arc<str>,
    timeout: Duration,
    /// Which of those that claim flows it is.
    claimer: Uuid,
    breaker: Arc<Breaker>,
    appending: Arc<audit::Appending>,
    idle: Arc<idle::Idle>,
    /// Each transaction may have another connection to the server.
    is_pooled: bool,
    /// Statements are not left to stand alone: see [`Store::unit`].
    in_transactions: bool,
    runtime: Handle,
}

/// How many states and uses of one entity are kept.
const KEPT_PER_ENTITY: i64 = 100;

/// How much is forgotten in one statement.
const PURGED_AT_ONCE: u32 = 1000;

/// How long a call may take, unless it is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What a piece of work does with a connection.
type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

impl Store {
    /// How long a call may take, with a new connection if one is needed; 3 s by default.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use std::time::Duration;
    ///
    /// use graceful_postgres::Store;
    ///
    /// let store = Store::connect("postgres://127.0.0.1/users").await?.timeout(Duration::from_secs(1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Does a piece of work of a step; of a server that is away it is spared.
    fn run<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.admitted(Breaker::admit, work)
    }

    /// Does a piece of work with a flow, whatever became of the last calls: what is not stored is not durable.
    fn insist<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.admitted(|breaker| Ok(breaker.attempt()), work)
    }

    fn admitted<T, F>(&self, admit: fn(&Breaker) -> Result<Call<'_>, StepError>, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        let store = self.clone();
        Reply::within(&self.runtime, async move {
            let attempt = admit(&store.breaker)?;
            let mut used: Option<PoolConnection<_>> = None;
            let done = store.within(async {
                let connection = used.insert(store.pool.acquire().await?);
                match store.in_transactions {
                    true => store.unit(connection, work).await,
                    false => work(&mut *connection).await,
                }
            });
            let done = done.await;
            match &done {
                Err(Failed { is_away: true, .. }) => attempt.failed(),
                _ => attempt.succeeded(),
            }
            if let Err(Failed { is_away, .. }) = &done
                && (*is_away || store.is_pooled)
            {
                // It may be in the middle of something, and nobody knows of what.
                drop(used.map(PoolConnection::detach));
            }
            Ok(done?)
        })
    }

    /// A piece of work as one transaction: where the default isolation is another than ours, or where a pooler could give each of
    /// its statements another connection to the server. That one keeps nothing of us, since it is somebody else's next.
    async fn unit<T, F>(&self, connection: &mut PgConnection, work: F) -> Result<T, sqlx::Error>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T>,
    {
        let mut transaction = begin(connection).await?;
        let done = work(&mut transaction).await?;
        if self.is_pooled {
            transaction.clear_cached_statements().await?;
        }
        transaction.commit().await?;
        Ok(done)
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failed> {
        let Self { place, timeout: time, .. } = self;
        match timeout(*time, work).await {
            Ok(done) => done.map_err(|error| self.failed(&error)),
            Err(_) => Err(Failed { is_away: true, why: format!("{place}: no answer within {time:?}") }),
        }
    }

    fn failed(&self, error: &sqlx::Error) -> Failed {
        Failed { is_away: is_away(error), why: format!("{}: {error}", self.place) }
    }
}

/// A transaction of ours: its isolation is our own, whatever is usual in this database, and the server ends it if we vanish, with the
/// locks that it holds.
async fn begin(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    if connection.is_in_transaction() {
        return connection.begin().await;
    }
    connection
        .begin_with(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '3s'",
        )
        .await
}

struct Failed {
    /// It is the server or the way to it that failed, and not the statement.
    is_away: bool,
    why: String,
}

/// By the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>: no connection, no room, being shut down or
/// not yet up; and by the one of a server that has become a standby.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006"
        }),
        Io(_) | PoolClosed | PoolTimedOut | Protocol(_) | Tls(_) | WorkerCrashed => true,
        _ => false,
    }
}

impl From<Failed> for StepError {
    fn from(failed: Failed) -> Self {
        Self::new(failed.why)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("place", &self.place).finish_non_exhaustive()
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// As microseconds that the server may add to its time.
fn length(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 2)
}

/// What is out of range, as the rounded end of time is, is at the end that it is beyond.
fn at(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn number<N: TryFrom<i64>>(number: i64) -> Result<N, sqlx::Error>
where
    N::Error: std::error::Error + Send + Sync + 'static,
{
    N::try_from(number).map_err(broken)
}

/// What stands in a row is not what was written.
fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// `GRACEFUL_STORE=postgres://…`: the store; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend =
    Backend::new("graceful-postgres", "GRACEFUL_STORE", &["postgres", "postgresql"], |url| {
        Box::pin(async move {
            // Where its role may not, and need not, this changes nothing.
            Store::migrate(&url).await?;
            let store = Store::connect(&url).await?;
            // Receivers of alerts read those of the store.
            Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as _)
        })
    });
