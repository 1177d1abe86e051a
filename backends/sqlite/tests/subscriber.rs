//! A subscriber that writes its effects in the inbox's file has each effect once.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

use std::process::ExitCode;

use graceful_sqlite::Store;
use graceful_tests::{inboxes, servers::NATS};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The handler writes its effect and then fails or panics, and each event is delivered twice.
#[test(requires(Nats))]
async fn failed_handler_has_no_effect_and_repeated_event_has_one() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path().join("test.db")).await.unwrap();
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE greeted (name INTEGER)").execute(&mut connection).await.unwrap();
    let calls = inboxes::read_twice(NATS, &store, async |mut transaction, number| {
        let query = sqlx::query("INSERT INTO greeted (name) VALUES (?)").bind(number);
        query.execute(&mut *transaction).await?;
        Ok(transaction)
    });
    assert_eq!(calls.await, 7);
    let greeted = sqlx::query_scalar::<_, i64>("SELECT name FROM greeted ORDER BY name");
    assert_eq!(greeted.fetch_all(&mut connection).await.unwrap(), [0, 1, 2, 3, 4]);
}
