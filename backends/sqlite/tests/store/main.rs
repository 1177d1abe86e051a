//! The store in one SQLite file.
#![allow(missing_docs, reason = "tests")]

mod alerts;
mod audit;
mod audit_queries;
mod conformance;
mod event_log;
mod health;
mod idempotency;
mod inbox;
mod killed;
mod model;
mod old_audit;
mod open;
mod operators;
mod outcomes;
mod queries;
mod relay;
mod unreadable;
mod values;

use std::time::Duration;

use graceful_sqlite::Store;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

/// So much time goes by: all that the store has written is so much older.
async fn elapse(store: &Store, time: Duration) {
    let micros = i64::try_from(time.as_micros()).unwrap();
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    for statement in [
        "UPDATE graceful_flows SET due = due - ?1, ended_at = ended_at - ?1",
        "UPDATE graceful_live_relays SET since = since - ?1, seen_at = seen_at - ?1",
        "UPDATE graceful_jobs SET due = due - ?1, held_until = held_until - ?1",
        "UPDATE graceful_events SET at = at - ?1",
        "UPDATE graceful_subscriber_processes SET expires = expires - ?1",
        "UPDATE graceful_fences SET at = at - ?1",
        "UPDATE graceful_received_events SET at = at - ?1",
        "UPDATE graceful_idempotent_calls SET expires = expires - ?1",
        "UPDATE graceful_operations SET prepared_at = prepared_at - ?1, lease_until = lease_until - ?1, ended_at = ended_at - ?1",
    ] {
        sqlx::query(statement).bind(micros).execute(&mut connection).await.unwrap();
    }
}

/// A store in a directory that goes with it.
async fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join("test.db")).await.unwrap();
    (dir, store)
}
