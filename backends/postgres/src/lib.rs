//! The store that many processes share: everything that must survive a restart, in PostgreSQL.
//!
//! A [`Store`] keeps the flows of durable delivery, and the state of six steps beside them: metadata, review jobs, patterns, the
//! audit chain and alerts. Any number of services and relays may use the same tables at once.
//!
//! The tables are called `graceful_…`. [`Store::migrate`] makes them, in the first schema of the search path, and
//! [`Store::connect`] checks that they are there. So the store can share the database of your own data, and for
//! `#[orchestrate(delivery = "durable", tx = tx)]` it must. The database must be in UTF-8.
//!
//! **Rights.** The role that runs a service needs no other rights than these, where `app` is the schema and `service` the role.
//! [`Orchestrator::from_env`](graceful::Orchestrator::from_env) makes missing tables by itself if its role may.
//!
//! ```sql
#![doc = include_str!("grants.sql")]
//! ```
//!
//! **Isolation.** The store's statements run in `READ COMMITTED`, whatever `default_transaction_isolation` says; where that says
//! something else, each is a transaction of its own, which costs two more round trips. A transaction of yours that a flow is
//! stored in may have any isolation.
//!
//! **`PgBouncer`** may be in between, in session or in transaction mode; which one is found out at the start. In transaction mode each
//! call is a transaction without anything that is left behind on the connection (four more round trips), there is no `LISTEN`, so a
//! relay finds what others have stored by its [`poll`](graceful::RelaySettings::poll), and a search path cannot be given by the URL: `ALTER ROLE
//! … SET search_path`. `PgBouncer` before 1.21 knows no prepared statements: in transactions of your own use `.persistent(false)`,
//! and a handler with `tx` does so, too.
//!
//! **Order.** An entity has one flow under way at a time. They are handed out in the order in which they were inserted, as far
//! as they are committed: of two transactions that are open at the same time, either flow may be first. To hand out is one
//! statement (`FOR UPDATE SKIP LOCKED`), one relay after the other; what follows is theirs, by the token that they got.
//!
//! **Time** is the server's, wherever what one process has written is compared by another: leases, retries, review jobs, what is
//! forgotten. The clocks of the machines need not agree with it, nor with each other.
//!
//! **Being told.** A relay that has found nothing waits, and is told by the server (`NOTIFY`, when the transaction that stores
//! commits) that there is something, by whatever process. While one of them is at work none is told: that one asks again, soon, and
//! those who store are spared a lock that all of the server shares. What nobody could tell, since a connection was lost, is found when that is back,
//! or by the relay's [`poll`](graceful::RelaySettings::poll). Each relay has a connection of its own to listen by; it is none that a
//! pooler may share between transactions. And PostgreSQL does not prepare a transaction (two-phase commit) that tells.
//!
//! **A server that is away.** A call is given up [after 3 seconds](Store::timeout), and its connection with it; the next one
//! makes another. A step does not keep its caller longer than its own time budget. After three failures in a row a circuit breaker
//! opens: what steps ask for (metadata, review jobs, patterns, audit, alerts) fails at once, and one call a second asks whether the server
//! is back. What flows ask for is always tried: a flow that is not stored is run at once, and only once, and one that is not
//! settled is run again. So while the server is away, a durable handler answers after those 3 seconds.
//!
//! **Subscribers** hold a transaction each for as long as a handler takes, on one of ten connections of their own; it may be idle
//! in it, for as long as its time allows.
//!
//! | table | holds | grows |
//! |---|---|---|
//! | `graceful_flows` | flows on their way, completed ones for [`keep`](graceful::RelaySettings::retention), dead letters until purged | with what is under way |
//! | `graceful_relays` | which relay waits to be told, and which is at work | with the relays |
//! | `graceful_metadata` | the newest 100 states of each entity | with the entities |
//! | `graceful_jobs` | open review jobs | with what is wrong |
//! | `graceful_patterns`, `graceful_traces` | patterns; the newest 100 uses of each entity | with the entities |
//! | `graceful_alerts` | open alerts; the newest 1000 that were resolved | with what is wrong |
//! | `graceful_audit` | every record, chained by SHA-256 | with every flow |
//! | `graceful_inbox`, `graceful_inbox_attempts` | the events that a subscriber has handled; how often it has tried those that came again; until [purged](Store::purge_inbox) | with every event |
//!
//! `sqlx` asks for Rust 1.94. For encrypted connections, give it one of its `tls-…` features.
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
