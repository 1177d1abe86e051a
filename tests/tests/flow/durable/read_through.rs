//! Durable writes of patterns that are read through the cache.

use std::sync::Mutex;

use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::*;

#[orchestrate(pattern = "rtd_user", cache(key = id, read))]
async fn read(source: &Mutex<i64>, id: i64) -> Result<i64, StepError> {
    let _ = id;
    Ok(*source.lock().unwrap())
}

#[orchestrate(pattern = "rtd_user", cache(key = id), event = "rtd_saved", delivery = "durable", when = false)]
async fn quietly(id: i64) -> Result<i64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "rtd_user", cache(key = id), event = "rtd_saved", delivery = "durable", tx = tx, when = false)]
async fn quietly_in(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    let _ = tx;
    Ok(id)
}

/// Reads through the transaction.
#[orchestrate(pattern = "rtd_row", cache(key = id, read))]
async fn row(
    connection: &tokio::sync::Mutex<&mut SqliteConnection>,
    id: i64,
) -> Result<Option<i64>, StepError> {
    let mut connection = connection.lock().await;
    sqlx::query_scalar("SELECT id FROM rows WHERE id = ?")
        .bind(id)
        .fetch_optional(&mut **connection)
        .await
        .map_err(StepError::caused_by)
}

async fn insert(connection: &mut SqliteConnection, id: i64) -> Result<Option<i64>, StepError> {
    sqlx::query("INSERT INTO rows (id) VALUES (?)")
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(StepError::caused_by)?;
    row(&tokio::sync::Mutex::new(connection), id).await
}

/// A handler of another pattern, which nobody reads.
#[orchestrate(pattern = "rtd_signup", id = id, event = "signed_up", delivery = "durable", tx = tx)]
async fn sign_up(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<(), StepError> {
    assert_eq!(insert(tx, id).await?, Some(id));
    Err(StepError::new("refused"))
}

#[orchestrate(pattern = "rtd_row", cache(key = result), event = "created", delivery = "durable", tx = tx)]
async fn create(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    assert_eq!(insert(tx, id).await?, Some(id));
    Err(StepError::new("refused"))
}

#[tokio::test]
async fn durable_write_whose_when_is_false_runs_no_other_step() {
    let mut service = Service::new().await;
    let orchestrator = service.with_a_relay();
    let source = Mutex::new(1);
    orchestrator.scope(read(&source, 1)).await.unwrap();
    orchestrator.scope(quietly(1)).await.unwrap();
    let mut connection = service.data().await;
    let mut transaction = connection.begin().await.unwrap();
    orchestrator.scope(quietly_in(&mut transaction, 1)).await.unwrap();
    transaction.commit().await.unwrap();
    *source.lock().unwrap() = 2;
    service.until(FlowState::Completed, 1).await;
    // What waits is gone when the relay has ended.
    until(async || service.stored(FlowState::Queued).await.is_empty()).await;
    assert!(service.emitted().is_empty(), "`when` is false");
    assert_eq!(
        orchestrator.scope(read(&source, 1)).await.unwrap(),
        2,
        "the writes have invalidated the entry"
    );
    *source.lock().unwrap() = 3;
    assert_eq!(
        orchestrator.scope(read(&source, 1)).await.unwrap(),
        2,
        "the writes have ended, so it is cached"
    );
}

#[tokio::test]
async fn load_within_a_transaction_is_not_cached() {
    let service = Service::new().await;
    let mut connection = service.data().await;
    sqlx::query("CREATE TABLE rows (id INTEGER PRIMARY KEY)").execute(&mut connection).await.unwrap();
    let orchestrator = service.without_a_relay();
    let mut reading = service.data().await;
    for by_signing_up in [true, false] {
        let mut transaction = connection.begin().await.unwrap();
        let refused = match by_signing_up {
            true => orchestrator.scope(sign_up(&mut transaction, 1)).await.is_err(),
            false => orchestrator.scope(create(&mut transaction, 2)).await.is_err(),
        };
        assert!(refused);
        transaction.rollback().await.unwrap();
        let id = if by_signing_up { 1 } else { 2 };
        let read = orchestrator.scope(row(&tokio::sync::Mutex::new(&mut reading), id)).await.unwrap();
        assert_eq!(read, None, "it was rolled back: {id}");
    }
}
