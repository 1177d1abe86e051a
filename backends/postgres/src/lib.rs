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
//! A [`Store`] contains the flows of durable delivery, the state of five steps (metadata, review jobs, patterns, the audit chain and
//! alerts), the event log, and the state of subscribers. Any number of services and relays may use the same tables concurrently.
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
//! # Batches
//!
//! While a statement that stores flows is under way, further calls wait, and the next statement stores their flows together: at most 1,000 rows, and at
//! most 4 MiB unless a single row is larger. A lone call is written at once. In the same way outcomes of attempts are recorded together, and audit
//! records and events appended. If the server refuses a batch, its halves are tried, so that only the row that it does not accept fails. If the
//! connection is lost, all calls of the batch fail. Flows of handlers with `tx`, and of idempotent handlers, are not part of a batch.
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
//! The store contains how far each handler with `#[subscribe]` has read, which process reads which partition, and the parked events.
//!
//! A handler with `tx`, and the closure of a `Subscriber`, hold a transaction for as long as they run, on one of 32 connections that all subscribers of
//! a process share (`max_subscriber_connections` in the URL). The transaction may be idle for as long as the handler's time budget allows. While
//! all of these connections are in use, further events wait, and no attempt is counted.
//!
//! # Event log
//!
//! Without another emitter ([`events`](graceful::OrchestratorBuilder::events), `GRACEFUL_EVENTS`) the step `event` appends to the table
//! `graceful_events`. Positions grow in the order of commits, so a reader that goes on after the last position that it has seen misses no event. Each
//! process appends all events that have arrived meanwhile in one statement, at most 1,000, under a lock that it holds for the time of that
//! statement. No other transaction of the server delays it.
//!
//! The columns `id`, `aggregatetype` (the pattern), `aggregateid` (the entity's id), `type` (the event's name) and `payload` (the envelope as JSON) are those
//! of Debezium's outbox router, so that Kafka can be fed by change data capture:
//!
//! ```sql
//! CREATE PUBLICATION events FOR TABLE app.graceful_events WITH (publish = 'insert');
//! ```
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
//! | `graceful_events`, `graceful_event_log` | the event log: events for 7 days; longer if a registered subscriber of the log has not handled them, but at most 30 days | every event |
//! | `graceful_subscribers`, `graceful_subscriber_processes`, `graceful_partitions` | the subscribers that are registered, and which process reads how far | subscribers |
//! | `graceful_fences`, `graceful_subscriber_attempts` | the last handled event of an entity, until two minutes after its partition has passed it; failed attempts | entities with events |
//! | `graceful_parked_events` | parked events, until they are resubmitted or discarded | events that fail |
//! | `graceful_received_events` | the events of a broker, until they are handled, and for at least 7 days after they were received | events of a broker |
//! | `graceful_idempotent_calls` | the keys of idempotent calls, as SHA-256, and their answers, until their windows have passed | calls in a window |
//!
//! `sqlx` needs Rust 1.94. For encrypted connections enable one of its `tls-…` features.

mod alerts;
mod audit;
mod backend;
mod batches;
mod calls;
mod connect;
mod dialect;
mod events;
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
mod outcomes;
mod probe;
mod renewal;
mod scheduler;
mod subscriptions;
mod text;
mod transaction;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use graceful::backends::{LogEntry, NewestPosition, QueuedFlow, client::Breaker};
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction};
use tokio::runtime::Handle;
use uuid::Uuid;

pub use self::backend::{BACKEND, EVENTS};
use self::{batches::Batches, dialect::Tables, failed::Failed};

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
    /// The calls that wait for being written.
    waiting: Arc<Waiting>,
    newest_event: Arc<NewestPosition>,
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

#[derive(Default)]
struct Waiting {
    flows: Batches<QueuedFlow>,
    outcomes: Batches<outcomes::Outcome>,
    records: Batches<audit::Record>,
    events: Batches<LogEntry>,
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
