//! `graceful-sqlite` is a crate with an embedded durable store, in one SQLite file.
//!
//! ```
//! use graceful::Orchestrator;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let dir = std::env::temp_dir().join(format!("graceful-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("app.db");
//! let store = graceful_sqlite::Store::open(&path).await?;
//! let orchestrator = Orchestrator::builder().service("users").store(store.clone()).in_memory().build()?;
//! assert!(orchestrator.flows().is_some());
//! # drop(orchestrator);
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! A [`Store`] contains the flows of durable delivery, the state of five steps (metadata, review jobs, patterns, the audit chain and
//! alerts), the event log, and the state of subscribers. With the feature `graph` it also contains the flows of the embedded knowledge
//! graph. The store is the only writer of its database in this process: it commits the concurrent writes of many tasks in one transaction
//! (`BEGIN IMMEDIATE`, WAL, `synchronous=FULL`), and acknowledges each after the commit. Reads use a small pool of other connections. The queries of operators (pages, counts and groups of flows,
//! attempts, lag, lists of operations, pages of the audit log) have two connections of their own, and are interrupted after 2.5 s.
//!
//! The names of the tables begin with `graceful_`. So the store can use the same database as your own data, and for
//! `#[orchestrate(delivery = "durable", tx = tx)]` it must. SQLite has one writer at a time: while your own transaction is open and has written,
//! no flow is stored. So keep transactions short, and do not await a durable handler in a transaction that it does not use. The
//! transaction of a subscriber is such a transaction too.
//!
//! The leases of idempotent calls are renewed on a connection of their own. If the runtime of the store is blocked while it has the write lock,
//! they cannot be renewed.
//!
//! # Event log
//!
//! Without another emitter ([`events`](graceful::OrchestratorBuilder::events), `GRACEFUL_EVENTS`) the step `event` appends to the table
//! `graceful_events`, all events of a batch in one statement. Positions grow in the order of commits, so a reader that goes on after the last
//! position that it has seen misses no event. SQLite notifies nobody, so a process finds the events of another one by polling.
//!
//! # Subscribers
//!
//! The store contains how far each handler with `#[subscribe]` has read, which process reads which partition, and the parked events. With `tx` the
//! handler's transaction has the write lock while the handler runs, so these handlers run one at a time, and nothing else is written meanwhile,
//! not even the leases of the subscribers: a handler must end within the [lease](graceful::Subscribers::lease).
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
//! | `graceful_metadata` | the newest 100 states of each entity | entities |
//! | `graceful_jobs` | open review jobs; at most 20, and a summary, per [storm](graceful::Incident::storm) | open incidents |
//! | `graceful_patterns`, `graceful_traces` | patterns; the newest 100 uses of each entity | entities |
//! | `graceful_graph` | the flows of the embedded knowledge graph | the limit of the graph, 10 000 by default |
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
//! # Time
//!
//! The store uses the clock of the machine, which all processes that open the file share. If the clock is set back, retries and the flows
//! of dead processes wait for that much longer; new flows are due at once.
//!
//! # Versions
//!
//! `sqlx` 0.9 links SQLite itself (`libsqlite3-sys` below 0.38), so a program cannot use this crate together with `rusqlite` 0.40 or later. It
//! needs Rust 1.94.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alerts;
mod audit;
mod batch;
mod claim;
mod dialect;
mod events;
mod file;
mod flows;
mod followers;
#[cfg(feature = "graph")]
mod graph;
mod idempotency;
mod inbox;
mod metadata;
mod nexus;
mod open;
mod operations;
mod operators;
mod outcomes;
mod probe;
mod read_only;
mod renewal;
mod scheduler;
mod subscriptions;
mod transaction;
mod turns;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use graceful::{
    Backend, Orchestrator, OrchestratorBuilder, StepError,
    backends::{NewestPosition, Reply, client::ConnectError},
};
use graceful_sql::values::{length, micros};
pub use graceful_sql::{AuditHead, Tampered};
use jiff::Timestamp;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::runtime::Handle;

pub use self::transaction::begin;
use self::{
    dialect::Tables,
    file::File,
    probe::Probe,
    turns::Turns,
    writer::{Running, Writer},
};

/// The embedded durable store. Cloning it shares the connection. See the [crate](self).
///
/// It works in the runtime in which it was opened. When that runtime ends, writes that were not acknowledged are not stored.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("graceful-store-{}.db", std::process::id()));
/// let store = graceful_sqlite::Store::open(&path).await?;
/// assert_eq!(store.path(), path);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), graceful::backends::client::ConnectError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    file: File,
    writer: Writer,
    newest_event: Arc<NewestPosition>,
    turns: Arc<Turns>,
    readers: SqlitePool,
    /// The pool of the queries of operators.
    operators: SqlitePool,
    /// One connection: SQLite has one writer at a time.
    inbox: SqlitePool,
    probe: Probe,
    runtime: Handle,
}

impl Store {
    /// The path of the database file.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-path-{}.db", std::process::id()));
    /// let store = graceful_sqlite::Store::open(&path).await?;
    /// assert_eq!(store.path(), path);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), graceful::backends::client::ConnectError>(())
    /// # }).unwrap();
    /// ```
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    fn writer(&self) -> &Writer {
        &self.0.writer
    }

    /// Reads by a connection of the pool.
    fn read<T, F>(&self, run: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        self.read_from(self.0.readers.clone(), run)
    }

    fn read_from<T, F>(&self, readers: SqlitePool, run: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        let file = self.0.file.clone();
        Reply::pending(async move {
            file.check().map_err(StepError::caused_by)?;
            let mut connection = readers.acquire().await.map_err(StepError::caused_by)?;
            run(&mut connection).await.map_err(StepError::caused_by)
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// The store's time, in microseconds since 1970: all processes that open the file are on one machine, and have its clock.
fn now() -> i64 {
    micros(Timestamp::now())
}

/// The time after a duration, at most the end of time.
fn after(now: i64, time: Duration) -> i64 {
    now.saturating_add(length(time)).min(micros(Timestamp::MAX))
}

/// Takes the lock for writing until the end of the transaction, and changes nothing. (`BEGIN IMMEDIATE` begins in a file that is
/// read-only, too.)
async fn lock(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM graceful_flows WHERE FALSE").execute(connection).await.map(drop)
}

/// Whether another connection writes: `SQLITE_BUSY` and its variants.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["5", "261", "517"].contains(&&*code))
}

/// `GRACEFUL_STORE=sqlite://path/to/file.db`: the store; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend = Backend::new("graceful-sqlite", "GRACEFUL_STORE", &["sqlite"], |url| {
    Box::pin(async move {
        let store = Store::open(url).await?;
        // Receivers of alerts use the store as their alert store.
        Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as _)
    })
});

/// `GRACEFUL_EVENTS=sqlite://path/to/file.db`: the event log of a store, for a service whose `GRACEFUL_STORE` is another one; see
/// [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const EVENTS: Backend = Backend::new("graceful-sqlite", "GRACEFUL_EVENTS", &["sqlite"], |url| {
    Box::pin(async move {
        let store = Store::open(url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.events(store)) as _)
    })
});

/// Returns a builder with a backend for every step that needs no server. Durable data is stored in `graceful.db` in this directory; a missing
/// directory is created, readable for this user only. The cache is in memory. So is the graph, unless the feature `graph` is
/// enabled: then it supports SPARQL and is stored too.
///
/// # Errors
/// Fails if the directory cannot be created, or the [store](Store::open) cannot be opened.
///
/// # Panics
/// Panics outside of a Tokio runtime.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let dir = std::env::temp_dir().join(format!("graceful-embedded-{}", std::process::id()));
/// let orchestrator = graceful_sqlite::embedded(&dir).await?.service("users").build()?;
/// assert!(orchestrator.flows().is_some() && dir.join("graceful.db").exists());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub async fn embedded(dir: impl AsRef<Path>) -> Result<OrchestratorBuilder, ConnectError> {
    let store = Store::open_in(dir.as_ref()).await?;
    let builder = Orchestrator::builder().store(store.clone());
    #[cfg(feature = "graph")]
    let builder = builder.graph(store.open_graph().await?);
    Ok(builder.in_memory())
}
