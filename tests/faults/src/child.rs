//! What the child process does.

use std::{collections::HashSet, io::Write as _, path::Path, sync::Arc, time::Duration};

use graceful::{
    Orchestrator,
    backends::{FlowState, FlowStore},
};
use graceful_sqlite::Store;
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tokio::task::JoinSet;

use crate::service;

/// How many entities have handlers of each kind running, each one call after the other.
pub const ENTITIES: u64 = 12;

pub async fn data(dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("app.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(20));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Calls handlers and says which have answered, until it is killed, or `calls` of each entity are done.
pub async fn work(dir: &Path, first: u64, calls: u64) {
    let (_store, orchestrator) = service::open(dir).await;
    let mut connection = data(dir).await;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS data (entity INTEGER, n INTEGER, PRIMARY KEY (entity, n)) STRICT",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let mut working = JoinSet::new();
    for entity in 0..ENTITIES {
        working.spawn(call_plain(orchestrator.clone(), entity, first, calls));
    }
    working.spawn(call_with_data(orchestrator.clone(), connection, first, calls));
    working.join_all().await;
    orchestrator.shutdown(Duration::from_secs(10)).await;
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

async fn call_plain(orchestrator: Orchestrator, entity: u64, first: u64, calls: u64) {
    for n in first..first + calls {
        let answer = orchestrator.scope(service::plain(entity, n)).await;
        assert_eq!(answer.is_err(), n.is_multiple_of(5), "the handler's own answer");
        say(&format!("plain {entity} {n}"));
    }
}

/// One after the other, since SQLite has one writer.
async fn call_with_data(
    orchestrator: Orchestrator,
    mut connection: SqliteConnection,
    first: u64,
    calls: u64,
) {
    for n in first..first + calls {
        let entity = n % ENTITIES;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let answer = orchestrator.scope(service::with_data(&mut transaction, entity, n)).await;
        if answer.is_ok() && !n.is_multiple_of(4) {
            if transaction.commit().await.is_ok() {
                say(&format!("tx {entity} {n}"));
            }
        } else {
            transaction.rollback().await.unwrap();
        }
    }
}

/// Stores flows that can only be given up, and runs the relay until they are.
pub async fn doom(dir: &Path, first: u64, calls: u64) {
    let (store, orchestrator) = service::open_for_the_doomed(dir).await;
    for entity in first..first + calls {
        let _ = orchestrator.scope(service::doomed(entity)).await;
        say(&format!("doomed {entity} 0"));
    }
    until_nothing_is_queued(&store, &orchestrator).await;
}

/// Runs the relay until nothing is queued.
pub async fn drain(dir: &Path) {
    let (store, orchestrator) = service::open(dir).await;
    until_nothing_is_queued(&store, &orchestrator).await;
}

async fn until_nothing_is_queued(store: &Store, orchestrator: &Orchestrator) {
    while store.count(FlowState::Queued.into(), 1).await.unwrap().number > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    orchestrator.shutdown(Duration::from_secs(10)).await;
}

/// What `at` says: `point=action`, with `action` one of `abort`, `error` and `delay`; each from its n-th time on.
pub fn interrupt(at: &str) {
    let mut parts = at.split(['=', ':']);
    let (point, action, from) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let points: HashSet<_> = graceful::__private010::CRASH_POINTS.into_iter().collect();
    assert!(points.contains(point), "`{point}` is no crash point");
    let skipped: usize = from.parse().unwrap();
    match action {
        "abort" => {
            let counted = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            fail::cfg_callback(point, move || {
                if counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= skipped {
                    std::process::abort();
                }
            })
        }
        // Some of the times, or nothing would ever go on.
        "error" => fail::cfg(point, "30%return"),
        "delay" => fail::cfg(point, "20%sleep(20)"),
        action => panic!("`{action}` is no action"),
    }
    .unwrap();
}
