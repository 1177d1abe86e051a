//! SQLite has one writer at a time, and a handler's transaction is it.

use sqlx::{Sqlite, SqlitePool, Transaction, sqlite::SqlitePoolOptions};

use super::*;

/// It reads, and writes what it has read, as handlers do.
#[orchestrate(pattern = "user", id = id, event = "counted", delivery = "durable", tx = tx)]
async fn count(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&mut **tx)
        .await
        .map_err(StepError::caused_by)?;
    tokio::task::yield_now().await;
    let query = sqlx::query("INSERT INTO users (id) VALUES (?)").bind(count + 1);
    query.execute(&mut **tx).await.map_err(StepError::caused_by)?;
    Ok(count + 1)
}

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn durable(id: i64) -> Result<i64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "page", id = id)]
async fn inline(id: i64) -> Result<i64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", id = 42, delivery = "durable", tx = tx)]
async fn calls_others(tx: &mut Transaction<'_, Sqlite>) -> Result<(), StepError> {
    sqlx::query("INSERT INTO users (id) VALUES (1)")
        .execute(&mut **tx)
        .await
        .map_err(StepError::caused_by)?;
    inline(1).await?;
    durable(2).await?;
    Ok(())
}

async fn users(service: &Service) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(4);
    let pool =
        pool.connect(&format!("sqlite://{}", service.dir.path().join("app.db").display())).await.unwrap();
    sqlx::query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
    pool
}

/// The relay settles flows all the time, and the handlers' own transactions are four at once.
#[tokio::test(flavor = "multi_thread")]
async fn deferred_transactions_of_handlers_that_read_first_all_commit() {
    const EACH: i64 = 25;
    let service = Service::new().await;
    let pool = users(&service).await;
    let orchestrator = service.with_a_relay();
    let tasks = (0..4).map(|task| {
        let (pool, orchestrator) = (pool.clone(), orchestrator.clone());
        tokio::spawn(async move {
            for id in 0..EACH {
                let mut transaction = pool.begin().await.unwrap();
                orchestrator.scope(count(&mut transaction, task * EACH + id)).await.unwrap();
                transaction.commit().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let counted: i64 = sqlx::query_scalar("SELECT max(id) FROM users").fetch_one(&pool).await.unwrap();
    assert_eq!(counted, 4 * EACH);
    service.until(FlowState::Completed, 100).await;
}

#[tokio::test]
async fn transaction_that_has_read_before_another_wrote_is_refused_before_the_body_runs() {
    let service = Service::new().await;
    let pool = users(&service).await;
    let orchestrator = service.without_a_relay();
    let read = "SELECT count(*) FROM users";
    for (begin, works) in [("BEGIN DEFERRED", false), ("BEGIN IMMEDIATE", true)] {
        let mut transaction = pool.begin_with(begin).await.unwrap();
        sqlx::query(read).execute(&mut *transaction).await.unwrap();
        if !works {
            orchestrator.scope(durable(1)).await.unwrap();
        }
        let answer = orchestrator.scope(count(&mut transaction, 7)).await;
        match answer {
            Ok(count) => assert!(works, "{count}"),
            Err(error) => {
                assert!(!works, "{error}");
                assert!(error.message().contains(r#"pool.begin_with("BEGIN IMMEDIATE")"#), "{error}");
            }
        }
        drop(transaction);
    }
    // Its error flow says that the call came to nothing.
    let stored = service.until(FlowState::Queued, 2).await;
    assert_eq!(stored[1].flow().unwrap().ending(), Ending::Err);
}

/// What a handler in the transaction writes waits for the end of the transaction, and so the handler does not.
#[tokio::test]
async fn handler_called_in_a_transaction_that_locks_its_store_waits_for_nothing() {
    let service = Service::new().await;
    let pool = users(&service).await;
    let orchestrator = service.without_a_relay();
    let mut transaction = pool.begin().await.unwrap();
    orchestrator.scope(calls_others(&mut transaction)).await.unwrap();
    transaction.commit().await.unwrap();
    service.until(FlowState::Queued, 2).await;
    let reports = service.reports.until(1).await;
    let inline = reports.iter().find(|report| report.flow().entity().pattern() == "page").unwrap();
    for step in [Step::Metadata, Step::Nexus, Step::Audit] {
        assert!(inline.step(step).error().is_none(), "{}", inline.step(step));
    }
    assert_eq!(orchestrator.stats().not_stored(), 0);
}
