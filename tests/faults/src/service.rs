//! The service: two durable handlers, and an emitter whose events outlive the process.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    time::Duration,
};

use graceful::{
    Code, Event, Flow, Orchestrator, RelaySettings, StepError,
    backends::{EventEmitter, Reply},
    orchestrate,
};
use graceful_sqlite::Store;
use serde_json::json;
use sqlx::{Sqlite, Transaction};

/// Stored before the answer leaves.
#[orchestrate(
    pattern = "plain", id = entity, event = "done", actor = n, metadata = json!({ "n": n }), delivery = "durable",
)]
pub async fn plain(entity: u64, n: u64) -> Result<u64, Code> {
    if n.is_multiple_of(5) { Err(Code::Unavailable) } else { Ok(n) }
}

#[derive(Debug)]
pub struct Failed;

impl From<StepError> for Failed {
    fn from(_: StepError) -> Self {
        Self
    }
}

/// Stored with the data, or not at all.
#[orchestrate(
    pattern = "tx", id = entity, event = "done", actor = n, metadata = json!({ "n": n }), delivery = "durable", tx = tx,
)]
pub async fn with_data(tx: &mut Transaction<'_, Sqlite>, entity: u64, n: u64) -> Result<u64, Failed> {
    let written = sqlx::query("INSERT INTO data (entity, n) VALUES (?, ?)")
        .bind(i64::try_from(entity).unwrap())
        .bind(i64::try_from(n).unwrap())
        .execute(&mut **tx)
        .await;
    written.map(|_| n).map_err(|_| Failed)
}

/// Stored, and never done.
#[orchestrate(pattern = "doomed", id = entity, audit = refuses, delivery = "durable")]
pub async fn doomed(entity: u64) -> Result<u64, Code> {
    if entity.is_multiple_of(2) { Ok(entity) } else { Err(Code::Unavailable) }
}

async fn refuses(_: &Flow) -> Result<(), StepError> {
    Err(StepError::new("no use"))
}

/// Appends events to a file: what was written is there whenever the process dies.
#[derive(Debug)]
struct Appended(File);

impl EventEmitter for Appended {
    fn emit(&self, event: Event) -> Reply<()> {
        // A line that was torn by a kill must not take the next one with it.
        let line = format!("\n{}\n", event.to_json().unwrap());
        match (&self.0).write_all(line.as_bytes()) {
            Ok(()) => Reply::ready(()),
            Err(error) => Reply::failed(StepError::caused_by(error)),
        }
    }
}

/// A relay that is quick to find out that another is dead.
pub fn relay() -> RelaySettings {
    RelaySettings::default()
        .lease(Duration::from_millis(300))
        .poll(Duration::from_millis(10))
        .attempts(1000)
        .backoff(Duration::from_millis(1), Duration::from_millis(50))
}

pub async fn open(dir: &Path) -> (Store, Orchestrator) {
    open_with(dir, relay()).await
}

/// Whose relay gives up after two attempts.
pub async fn open_for_the_doomed(dir: &Path) -> (Store, Orchestrator) {
    open_with(dir, relay().attempts(2)).await
}

async fn open_with(dir: &Path, relay: RelaySettings) -> (Store, Orchestrator) {
    let store = Store::open(dir.join("app.db")).await.unwrap();
    let events = OpenOptions::new().create(true).append(true).open(dir.join("events")).unwrap();
    let builder = Orchestrator::builder().service("faults").store(store.clone()).events(Appended(events));
    (store, builder.relay(relay).build().unwrap())
}
