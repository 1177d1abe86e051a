//! Durable delivery: a flow is stored by its handler, and a relay runs its steps.
#![allow(missing_docs, reason = "tests")]

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use graceful::{
    CallOutcome, Code, Event, Flow, HealthStatus, Orchestrator, OrchestratorBuilder, RelaySettings, Step,
    StepError,
    backends::{FlowState, FlowStore, Room, StoredFlow, Timestamp, memory},
    orchestrate,
};
use graceful_sqlite::Store;
use graceful_testing::InState as _;
use graceful_tests::{
    BACKENDS, Gate, Reports,
    gate::{awaited, until},
};
use tempfile::TempDir;

type HookResult = Result<(), StepError>;

mod announced;
mod answer;
mod attempts;
mod embedded;
mod fairness;
mod followers;
mod holds;
mod hooks;
mod locks;
mod open;
mod read_through;
mod renamed;
mod replaced;
mod review;
mod shutdown;
mod size;
mod transaction;

/// Polls once, and wakes nobody.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A directory with a store, and what an orchestrator on it reports and emits.
struct Service {
    dir: TempDir,
    store: Store,
    reports: Reports,
    events: memory::Events,
    inbox: memory::Subscription,
}

/// A relay that does not keep a test waiting.
fn quick() -> RelaySettings {
    let backoff = Duration::from_millis(1);
    RelaySettings::default().poll(Duration::from_millis(5)).backoff(backoff, backoff)
}

impl Service {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path().join("app.db")).await.unwrap();
        let events = memory::Events::new();
        let inbox = events.subscribe();
        Self { dir, store, reports: Reports::default(), events, inbox }
    }

    fn builder(&self) -> OrchestratorBuilder {
        let builder =
            Orchestrator::builder().service("users").store(self.store.clone()).events(self.events.clone());
        self.reports.of(builder.relay(quick()).in_memory())
    }

    /// Stores, and leaves the rest to somebody else.
    fn without_a_relay(&self) -> Orchestrator {
        self.builder().relay(RelaySettings::off()).build().unwrap()
    }

    fn with_a_relay(&self) -> Orchestrator {
        self.builder().build().unwrap()
    }

    async fn stored(&self, state: FlowState) -> Vec<StoredFlow> {
        self.store.in_state(state).await.unwrap()
    }

    /// Waits until so many flows are in a state.
    async fn until(&self, state: FlowState, count: usize) -> Vec<StoredFlow> {
        awaited(async {
            loop {
                let stored = self.stored(state).await;
                if stored.len() >= count {
                    return stored;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }

    fn emitted(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.inbox.try_recv().ok()).collect()
    }

    async fn data(&self) -> sqlx::SqliteConnection {
        connect(&self.dir.path().join("app.db")).await
    }
}

async fn connect(path: &Path) -> sqlx::SqliteConnection {
    use sqlx::Connection as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    sqlx::SqliteConnection::connect_with(&options).await.unwrap()
}
