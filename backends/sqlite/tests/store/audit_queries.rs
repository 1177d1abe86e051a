//! Columns of the audit log, beside the records.

use graceful::{
    Code,
    backends::{AuditFilter, AuditLog as _, AuditQuery, AuditRecord, Timestamp},
};
use graceful_sqlite::Store;
use graceful_tests::old_audit;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

async fn execute(connection: &mut SqliteConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

async fn read(store: &Store, pairs: &[(&str, &str)]) -> Vec<AuditRecord> {
    let filter = AuditFilter::parse(pairs.iter().copied()).unwrap();
    store.query(AuditQuery::new(filter, 100)).await.unwrap().items
}

#[tokio::test(flavor = "multi_thread")]
async fn migration_of_old_records_fills_times_and_actors() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("test.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    let first = graceful_sql::migrator(&[(1, "store", include_str!("../../migrations/1_store.sql"))]);
    first.run_direct(None, &mut connection, false).await.unwrap();
    for (number, record) in old_audit::records().into_iter().enumerate() {
        let insert =
            sqlx::query("INSERT INTO graceful_audit (flow, entity, record, hash) VALUES (?, 'e', ?, x'00')");
        let insert = insert.bind(number.to_be_bytes().as_slice()).bind(record);
        insert.execute(&mut connection).await.unwrap();
    }
    old_audit::are_found(&Store::open(path).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_an_earlier_version_appends_has_the_time_of_its_appending() {
    let (_dir, store) = super::fresh().await;
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    execute(
        &mut connection,
        "INSERT INTO graceful_audit (flow, entity, record, hash) VALUES (x'01', 'e', 'junk', x'00')",
    )
    .await;
    let record = read(&store, &[("since", "1min")]).await.remove(0);
    assert_eq!((record.code, &*record.handler), (Code::DataLoss, "unreadable_audit_record"));
    assert!(record.message.starts_with("record 1 of the entity e cannot be read: "), "{}", record.message);
    assert!(record.at <= Timestamp::now());
}

/// No index serves both parts of the filter, and its only record is behind more than one query examines.
#[tokio::test(flavor = "multi_thread")]
async fn page_of_actor_and_entity_examines_few_records_and_has_a_cursor() {
    let (_dir, store) = super::fresh().await;
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    execute(
        &mut connection,
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4001)
         INSERT INTO graceful_audit (flow, entity, record, hash, at, actor)
         SELECT CAST(n AS BLOB), 'e', 'junk', x'00', n, iif(n = 1, 'ada', 'bob') FROM numbers",
    )
    .await;
    let filter = AuditFilter::parse([("actor", "ada"), ("entity", "e")]).unwrap();
    let (mut query, mut found) = (AuditQuery::new(filter, 10), Vec::new());
    loop {
        let page = store.query(query.clone()).await.unwrap();
        found.push(page.items.len());
        let Some(next) = page.next else { break };
        query = query.continued(next).unwrap();
    }
    assert_eq!(found, [0, 0, 1]);
}
