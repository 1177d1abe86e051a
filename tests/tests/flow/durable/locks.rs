//! SQLite has one writer at a time, and a handler's transaction is that writer.

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::{task::JoinSet, time::sleep};

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

/// It has the lock for a while.
#[orchestrate(pattern = "user", id = id, event = "slow", delivery = "durable", tx = tx)]
async fn slow(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    sleep(Duration::from_millis(30)).await;
    let query = sqlx::query("INSERT INTO users (id) VALUES (?)").bind(id);
    query.execute(&mut **tx).await.map_err(StepError::caused_by)?;
    Ok(id)
}

async fn users(service: &Service) -> SqlitePool {
    users_of(service, 4, Duration::from_secs(5)).await
}

async fn users_of(service: &Service, connections: u32, busy_timeout: Duration) -> SqlitePool {
    let options =
        SqliteConnectOptions::new().filename(service.dir.path().join("app.db")).busy_timeout(busy_timeout);
    let pool = SqlitePoolOptions::new().max_connections(connections).connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
    pool
}

/// The relay stores outcomes all the time, and four transactions of handlers are open at once.
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

/// Together the transactions take longer than the busy timeout, but each waits only for the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_200_handlers_at_once_all_commit() {
    for is_begun_in_turn in [false, true] {
        let service = Service::new().await;
        let pool = users_of(&service, 200, Duration::from_secs(5)).await;
        let orchestrator = service.with_a_relay();
        let mut handlers = JoinSet::new();
        for id in 0..200 {
            let (pool, orchestrator) = (pool.clone(), orchestrator.clone());
            handlers.spawn(async move {
                let mut transaction = match is_begun_in_turn {
                    true => graceful_sqlite::begin(&pool).await.map_err(|error| error.to_string())?,
                    false => pool.begin().await.unwrap(),
                };
                orchestrator.scope(slow(&mut transaction, id)).await.map_err(|error| error.to_string())?;
                transaction.commit().await.map_err(|error| error.to_string())
            });
        }
        let failed: Vec<_> = handlers.join_all().await.into_iter().filter_map(Result::err).collect();
        assert!(failed.is_empty(), "{} failed: {}", failed.len(), failed[0]);
        let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&pool).await.unwrap();
        assert_eq!(counted, 200);
    }
}

/// The transaction that holds the lock takes it again while another writer waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn second_handler_of_a_transaction_does_not_queue_behind_waiting_writers() {
    let service = Service::new().await;
    let pool = users_of(&service, 2, Duration::from_secs(60)).await;
    let orchestrator = service.without_a_relay();
    let mut first = graceful_sqlite::begin(&pool).await.unwrap();
    let second = tokio::spawn({
        let pool = pool.clone();
        async move { graceful_sqlite::begin(&pool).await }
    });
    sleep(Duration::from_millis(100)).await;
    for id in 0..2 {
        awaited(orchestrator.scope(slow(&mut first, id))).await.unwrap();
    }
    first.commit().await.unwrap();
    second.await.unwrap().unwrap();
}

/// All of them wait at the same time for a lock that is not released.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_time_out_waiting_fail_together() {
    let service = Service::new().await;
    let pool = users_of(&service, 11, Duration::from_millis(500)).await;
    let _kept = graceful_sqlite::begin(&pool).await.unwrap();
    let begun = std::time::Instant::now();
    let mut waiting = JoinSet::new();
    for _ in 0..10 {
        let pool = pool.clone();
        waiting.spawn(async move { graceful_sqlite::begin(&pool).await.is_err() });
    }
    assert!(waiting.join_all().await.into_iter().all(|is_refused| is_refused));
    assert!(begun.elapsed() < Duration::from_secs(4), "one after the other, for {:?}", begun.elapsed());
}

#[tokio::test]
async fn transaction_that_has_read_before_another_wrote_is_refused_before_the_body_runs() {
    let service = Service::new().await;
    let pool = users(&service).await;
    let orchestrator = service.without_a_relay();
    let read = "SELECT count(*) FROM users";
    for works in [false, true] {
        let begun = if works { graceful_sqlite::begin(&pool).await } else { pool.begin().await };
        let mut transaction = begun.unwrap();
        sqlx::query(read).execute(&mut *transaction).await.unwrap();
        if !works {
            orchestrator.scope(durable(1)).await.unwrap();
        }
        let answer = orchestrator.scope(count(&mut transaction, 7)).await;
        match answer {
            Ok(count) => assert!(works, "{count}"),
            Err(error) => {
                assert!(!works, "{error}");
                assert!(error.message().contains("graceful_sqlite::begin(&pool)"), "{error}");
            }
        }
        drop(transaction);
    }
    // Its error flow says that the call came to nothing.
    let stored = service.until(FlowState::Queued, 2).await;
    assert_eq!(stored[1].flow().unwrap().ending(), CallOutcome::Err);
}

/// Writes of a handler in the transaction wait for the end of the transaction, so the handler must not wait for them.
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
    assert_eq!(orchestrator.stats().store_failures(), 0);
}
