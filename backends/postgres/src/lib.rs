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
//! # Operators
//!
//! The queries of operators (pages, counts and groups of flows, attempts, lag, lists of operations, pages of the audit log) use at most two
//! connections of their own, which open at the first query. Each runs in a transaction that only reads, with a `statement_timeout` of five
//! sixths of the [timeout](Store::timeout): 2.5 s. So they take no connection from the service, do not open its circuit breaker, and the server ends
//! a statement that takes longer. A query costs two more round trips for its transaction, and behind `PgBouncer` four.
//!
//! # Idempotent handlers
//!
//! With `tx` a call needs three round trips more: it looks for its key, locks it, and looks again; the statement of its flow inserts its answer.
//! Without `tx` it needs two more, and leases are renewed on a connection of their own. If `synchronous_commit` is `off`, idempotent handlers
//! are refused at start, unless [allowed](Store::allow_asynchronous_commit).
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
//! | `graceful_flows` | queued flows; completed and discarded flows for the time of [`retention`](graceful::RelaySettings::retention); dead letters until they are purged | queued flows |
//! | `graceful_attempts` | the failed attempts of the flows in `graceful_flows` | failures |
//! | `graceful_pauses` | what operators have paused | |
//! | `graceful_operations`, `graceful_operation_items` | the operations of operators and their lists, for 30 days after their ends | operations |
//! | `graceful_secrets` | [secrets](graceful::backends::Operations::secret), such as the key of a console's form tokens; whoever can read them can forge these tokens | |
//! | `graceful_live_relays` | the relays that are alive, for operators; a dead relay for a day | relays |
//! | `graceful_relays` | which relays wait for a notification, and which are at work | relays |
//! | `graceful_metadata` | the newest 100 states of each entity | entities |
//! | `graceful_jobs` | open review jobs; at most 20, and a summary, per [storm](graceful::Incident::storm) | open incidents |
//! | `graceful_patterns`, `graceful_traces` | patterns; the newest 100 uses of each entity | entities |
//! | `graceful_alerts` | open alerts, as many; the newest 1000 resolved alerts | open incidents |
//! | `graceful_audit` | every audit record, chained by SHA-256 | every flow |
//! | `graceful_inbox`, `graceful_inbox_attempts` | the events that subscribers have handled; the attempts at redelivered events; both until they are [purged](Store::purge_inbox) | every event |
//! | `graceful_idempotent_calls` | the keys of idempotent calls, as SHA-256, and their answers, until their windows have passed | calls in a window |
//!
//! `sqlx` needs Rust 1.94. For encrypted connections enable one of its `tls-…` features.

mod alerts;
mod audit;
mod connect;
mod dialect;
mod failed;
mod flows;
mod idempotency;
mod idle;
mod inbox;
mod listen;
mod metadata;
mod migrate;
mod nexus;
mod operations;
mod operators;
mod probe;
mod renewal;
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
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::{runtime::Handle, time::timeout};
use uuid::Uuid;

use self::{dialect::Tables, failed::Failed};

/// The durable store in PostgreSQL. Cloning it shares the pool of connections. See the [crate](self).
///
/// It works in the runtime in which it was connected. A call that has begun is finished there, even if its reply is dropped.
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
    /// The pool of the transactions of subscribers.
    inbox: PgPool,
    /// The pool of the queries of operators.
    operators: PgPool,
    /// The server, for messages.
    place: Arc<str>,
    timeout: Duration,
    /// The id of this store among those that claim flows.
    claimer: Uuid,
    breaker: Arc<Breaker>,
    appending: Arc<audit::Appending>,
    idle: Arc<idle::Idle>,
    probe: probe::Probe,
    /// Whether a pooler may assign another server connection to each transaction.
    is_pooled: bool,
    /// Whether the server confirms what it may forget, and this is not allowed.
    commits_asynchronously: bool,
    /// Whether each statement runs in a transaction of its own: see [`Store::unit`].
    in_transactions: bool,
    runtime: Handle,
}

/// The default timeout of a call.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The future of work on a connection.
type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

impl Store {
    /// Sets the timeout of a call, including a new connection if one is needed. Default: 3 s.
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

    /// Runs the work of a step; fails at once while the circuit breaker is open.
    fn run<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T> + Send + 'static,
    {
        self.admitted(Breaker::admit, work)
    }

    /// Runs work on a flow even while the circuit breaker is open, because a flow that is not stored is not durable.
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
            let done = match store.in_transactions {
                true => {
                    let unit = store.clone();
                    let done = store.on(&store.pool, move |connection| {
                        Box::pin(async move { unit.unit(begin(connection).await?, work).await })
                    });
                    done.await
                }
                false => store.on(&store.pool, work).await,
            };
            match &done {
                Err(Failed { is_unavailable: true, .. }) => attempt.failed(),
                _ => attempt.succeeded(),
            }
            Ok(done?)
        })
    }

    /// Runs work on a connection of a pool.
    async fn on<T, F>(&self, pool: &PgPool, work: F) -> Result<T, Failed>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T>,
    {
        let mut used: Option<PoolConnection<_>> = None;
        let done = self.within(async {
            let connection = used.insert(pool.acquire().await?);
            work(&mut *connection).await
        });
        let done = done.await;
        if let Err(Failed { is_unavailable, .. }) = &done
            && (*is_unavailable || self.is_pooled)
        {
            // A statement may still be running on this connection, so it cannot be reused.
            drop(used.map(PoolConnection::detach));
        }
        done
    }

    /// Runs work in one transaction: if the default isolation differs from ours, if a pooler could assign another server connection to
    /// each statement, and for the settings of a query. Behind a pooler nothing may stay on that connection, because other clients use it next.
    async fn unit<T, F>(&self, mut transaction: Transaction<'_, Postgres>, work: F) -> Result<T, sqlx::Error>
    where
        F: for<'c> FnOnce(&'c mut PgConnection) -> Running<'c, T>,
    {
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
            Err(_) => {
                Err(Failed { is_unavailable: true, why: format!("{place}: no answer within {time:?}") })
            }
        }
    }

    fn failed(&self, error: &sqlx::Error) -> Failed {
        Failed { is_unavailable: failed::is_unavailable(error), why: format!("{}: {error}", self.place) }
    }
}

/// Begins a transaction with our isolation level, independently of the default of the database. If this process dies, the server ends the
/// transaction and releases its locks.
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

/// Begins a transaction that no other of this name and key can be in. It is locked by a statement of its own, since the next one must not see a
/// snapshot from before the wait.
async fn begin_alone<'c>(
    connection: &'c mut PgConnection,
    name: &str,
    key: &str,
) -> Result<Transaction<'c, Postgres>, sqlx::Error> {
    let mut transaction = begin(connection).await?;
    lock(&mut transaction, name, key).await?;
    Ok(transaction)
}

/// Waits until no other transaction has this lock, and takes it until the end of this one.
async fn lock(connection: &mut PgConnection, name: &str, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1 || current_schema() || $2, 0))")
        .bind(name)
        .bind(key)
        .execute(connection)
        .await
        .map(drop)
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("place", &self.place).finish_non_exhaustive()
    }
}

/// `GRACEFUL_STORE=postgres://…`: the store; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend =
    Backend::new("graceful-postgres", "GRACEFUL_STORE", &["postgres", "postgresql"], |url| {
        Box::pin(async move {
            // If no table is missing, this needs no rights.
            Store::migrate(&url).await?;
            let store = Store::connect(&url).await?;
            // Receivers of alerts use the store as their alert store.
            Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as _)
        })
    });
