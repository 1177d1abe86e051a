//! Queries of operators end in time and leave the service alone; processes share their secrets.

use graceful::backends::{FlowStore as _, Operations as _, Uuid};
use graceful_sqlite::Store;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::fresh;

/// Without an end, the query has no result and no error.
#[tokio::test(flavor = "multi_thread")]
async fn endless_queries_of_operators_end_and_leave_the_service_alone() {
    let (_dir, store) = fresh().await;
    let mut other = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    let endless = "DROP TABLE graceful_attempts; CREATE VIEW graceful_attempts AS \
         WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row) \
         SELECT CAST(n AS BLOB) AS flow, n AS resubmitted, n AS attempt, n AS failed_at, n AS took, NULL AS step, NULL AS code, \
         n AS failure_group, '' AS error, '[]' AS results FROM row";
    sqlx::raw_sql(endless).execute(&mut other).await.unwrap();
    let queries: Vec<_> = (0..3).map(|_| tokio::spawn(store.attempts(Uuid::nil()))).collect();
    for _ in 0..10 {
        assert!(store.get(Uuid::nil()).await.unwrap().is_none());
        assert_eq!(store.pauses().await.unwrap(), []);
    }
    assert!(queries.iter().all(|query| !query.is_finished()), "the service did not wait for them");
    for query in queries {
        let error = query.await.unwrap().unwrap_err();
        assert!(error.message().contains("took longer than 2.5s"), "{error}");
    }
    assert_eq!(store.lag(10).await.unwrap().dead.number, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_create_a_secret_at_once_get_the_same() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("test.db");
    let stores = [Store::open(&path).await.unwrap(), Store::open(&path).await.unwrap()];
    let calls = stores.map(|store| tokio::spawn(async move { store.secret("forms").await.unwrap() }));
    let [first, second] = calls;
    let secret = first.await.unwrap();
    assert_eq!(second.await.unwrap(), secret);
    assert_eq!(Store::open(&path).await.unwrap().secret("forms").await.unwrap(), secret, "after a restart");
}
