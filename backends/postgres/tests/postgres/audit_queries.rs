//! Columns of the audit log, beside the records.

use graceful::{
    Code,
    backends::{AuditFilter, AuditLog as _, AuditQuery, Timestamp},
};
use graceful_tests::old_audit;

use super::{Postgres, execute};

#[test(requires(Postgres), flavor = "multi_thread")]
async fn migration_of_old_records_fills_times_and_actors() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let mut connection = postgres.connection(&schema).await;
    let first = graceful_sql::migrator(&[(1, "store", include_str!("../../migrations/1_store.sql"))]);
    first.run_direct(None, &mut connection, false).await.unwrap();
    for (seq, record) in (1_i64..).zip(old_audit::records()) {
        let insert = "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES ($1, gen_random_uuid(), 'e', $2, '')";
        sqlx::query(insert).bind(seq).bind(record).execute(&mut connection).await.unwrap();
    }
    old_audit::are_found(&postgres.store(&schema).await).await;
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn record_that_an_earlier_version_appends_has_the_time_of_its_appending() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    execute(
        &mut postgres.connection(&schema).await,
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES (1, gen_random_uuid(), 'e', 'junk', '')",
    )
    .await;
    let filter = AuditFilter::parse([("since", "1min")]).unwrap();
    let record = store.query(AuditQuery::new(filter, 1)).await.unwrap().items.remove(0);
    assert_eq!((record.code, &*record.handler), (Code::DataLoss, "unreadable_audit_record"));
    assert!(record.message.starts_with("record 1 of the entity e cannot be read: "), "{}", record.message);
    assert!(record.at <= Timestamp::now());
    postgres.clean().await;
}

/// No index serves both parts of the filter, and its only record is behind more than one query examines.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn page_of_actor_and_entity_examines_few_records_and_has_a_cursor() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    execute(
        &mut postgres.connection(&schema).await,
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash, at, actor) SELECT n, gen_random_uuid(), 'e', 'junk', '', n, \
         CASE WHEN n = 1 THEN 'ada' ELSE 'bob' END FROM generate_series(1, 4001) AS n",
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
    postgres.clean().await;
}
