//! A log of an earlier version, whose records are whole flows.

use graceful::backends::AuditLog as _;
use graceful_tests::old_audit::{OldRecord, old_audit_log};
use sqlx::PgConnection;

use super::Postgres;

/// The texts of all records.
async fn texts(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT record FROM graceful_audit ORDER BY seq").fetch_all(connection).await.unwrap()
}

async fn insert(connection: &mut PgConnection, log: &[OldRecord]) {
    for OldRecord { head, flow, entity, text } in log {
        sqlx::query(
            "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(head.sequence)
        .bind(flow)
        .bind(entity)
        .bind(text)
        .bind(head.hash.as_slice())
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_audit_payloads_of_old_log_keeps_records_and_chain() {
    let Some(postgres) = Postgres::find().await else { return };
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    // More than is read at once.
    let log = old_audit_log(1_001).await;
    insert(&mut connection, &log).await;
    let before = log.last().unwrap().head;
    assert_eq!(store.verify(None).await.unwrap(), before);
    let records = store.records(None, usize::MAX).await.unwrap();
    assert!(records.iter().all(|record| record.payload.is_none() && record.payload_sha256.is_some()));

    let after = store.remove_audit_payloads(Some(&before)).await.unwrap();
    assert_eq!(after.sequence, 1_002);
    assert_eq!(store.verify(Some(&after)).await.unwrap(), after);
    assert!(store.verify(Some(&before)).await.is_err(), "the log was written anew");
    let secrets = texts(&mut connection).await.iter().filter(|text| text.contains("secret")).count();
    assert_eq!(secrets, 0);
    let now = store.records(None, usize::MAX).await.unwrap();
    assert_eq!(now[1..], records);
    let marker = format!("removed the payloads of 1001 records of the chain that ended at {before}");
    assert_eq!(now[0].message, marker);
    assert_eq!(
        store.remove_audit_payloads(Some(&after)).await.unwrap(),
        after,
        "there is nothing left to remove"
    );
    postgres.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_audit_payloads_of_tampered_log_changes_nothing() {
    let Some(postgres) = Postgres::find().await else { return };
    let schema = postgres.schema().await;
    let (store, mut connection) = (postgres.store(&schema).await, postgres.connection(&schema).await);
    let mut log = old_audit_log(5).await;
    log[3].text = log[3].text.replace("said", "sang");
    insert(&mut connection, &log).await;
    let before = texts(&mut connection).await;
    assert!(store.remove_audit_payloads(None).await.is_err());
    assert_eq!(texts(&mut connection).await, before);
    postgres.clean().await;
}
