//! Verification of the audit chain finds every later change.

use graceful::{
    Code, Failure, OrchestrationConfig, Orchestrator, Success,
    backends::{
        AuditFilter, AuditLog as _, AuditQuery,
        RecordCheck::{self, Changed, Intact},
    },
};
use graceful_sqlite::{AuditHead, Store, Tampered};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

async fn recorded(count: usize) -> (TempDir, Store) {
    let (dir, store) = super::fresh().await;
    let orchestrator = Orchestrator::builder().service("users").audit(store.clone()).build().unwrap();
    for id in 0..count {
        let config = OrchestrationConfig::new("user").id(id).on(&orchestrator);
        match id % 2 {
            0 => Success::wrap(Code::Ok, "done", &id).orchestrate(&config).await,
            _ => Failure::wrap(Code::Internal, "failed", &id).orchestrate(&config).await,
        };
    }
    (dir, store)
}

async fn tamper(store: &Store, statement: &str) {
    let url = format!("sqlite://{}", store.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let changed = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    assert!(changed.rows_affected() > 0, "{statement}");
}

/// The record at which the chain is found broken.
async fn broken_at(store: &Store, known: Option<&AuditHead>) -> Option<i64> {
    let error = store.verify(known).await.err()?;
    let tampered = std::error::Error::source(&error).unwrap().downcast_ref::<Tampered>().unwrap();
    Some(tampered.sequence)
}

#[tokio::test]
async fn unchanged_log_passes_verification() {
    let (_dir, store) = recorded(5).await;
    let head = store.verify(None).await.unwrap();
    assert_eq!(head.sequence, 5);
    assert_eq!(store.verify(Some(&head)).await.unwrap(), head);
    let (_dir, store) = recorded(0).await;
    assert_eq!(store.verify(None).await.unwrap().sequence, 0);
}

#[tokio::test]
async fn every_edit_deletion_and_reordering_fails_verification() {
    let swap = "UPDATE graceful_audit SET seq = -2 WHERE seq = 2; UPDATE graceful_audit SET seq = 2 WHERE seq = 3; \
                UPDATE graceful_audit SET seq = 3 WHERE seq = -2";
    for (statement, at) in [
        ("UPDATE graceful_audit SET record = replace(record, 'INTERNAL', 'OK') WHERE seq = 2", 2),
        ("UPDATE graceful_audit SET record = record || ' ' WHERE seq = 5", 5),
        ("UPDATE graceful_audit SET entity = 'users::user:9' WHERE seq = 3", 3),
        ("UPDATE graceful_audit SET flow = zeroblob(16) WHERE seq = 4", 4),
        ("UPDATE graceful_audit SET hash = zeroblob(32) WHERE seq = 1", 1),
        ("UPDATE graceful_audit SET hash = x'00' WHERE seq = 1", 1),
        ("DELETE FROM graceful_audit WHERE seq = 1", 1),
        ("DELETE FROM graceful_audit WHERE seq = 3", 3),
        (
            "DELETE FROM graceful_audit WHERE seq = 3; UPDATE graceful_audit SET seq = seq - 1 WHERE seq > 3",
            3,
        ),
        (swap, 2),
    ] {
        let (_dir, store) = recorded(5).await;
        tamper(&store, statement).await;
        assert_eq!(broken_at(&store, None).await, Some(at), "{statement}");
    }
}

/// What the records that a filter selects are found to be, from the oldest to the newest.
async fn checks(store: &Store, pairs: &[(&str, &str)]) -> Vec<RecordCheck> {
    let filter = AuditFilter::parse(pairs.iter().copied()).unwrap();
    let page = store.verified(AuditQuery::new(filter, 10)).await.unwrap();
    page.items.into_iter().rev().map(|(_, check)| check).collect()
}

#[tokio::test]
async fn page_reports_each_changed_record() {
    for (statement, expected) in [
        (
            "UPDATE graceful_audit SET record = replace(record, 'failed', 'done') WHERE seq = 2",
            vec![Intact, Changed, Intact, Intact, Intact],
        ),
        (
            "UPDATE graceful_audit SET record = 'junk' WHERE seq = 5",
            vec![Intact, Intact, Intact, Intact, Changed],
        ),
        (
            "UPDATE graceful_audit SET entity = 'e' WHERE seq = 1",
            vec![Changed, Intact, Intact, Intact, Intact],
        ),
        // The record behind it depends on its hash.
        (
            "UPDATE graceful_audit SET hash = zeroblob(32) WHERE seq = 2",
            vec![Intact, Changed, Changed, Intact, Intact],
        ),
        (
            "UPDATE graceful_audit SET hash = x'00' WHERE seq = 2",
            vec![Intact, Changed, Changed, Intact, Intact],
        ),
        ("DELETE FROM graceful_audit WHERE seq = 2", vec![Intact, Changed, Intact, Intact]),
        ("DELETE FROM graceful_audit WHERE seq = 1", vec![Changed, Intact, Intact, Intact]),
        ("DELETE FROM graceful_audit WHERE seq = 5", vec![Intact; 4]),
    ] {
        let (_dir, store) = recorded(5).await;
        assert_eq!(checks(&store, &[]).await, [Intact; 5]);
        tamper(&store, statement).await;
        assert_eq!(checks(&store, &[]).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn page_of_a_filter_checks_records_against_those_that_it_does_not_select() {
    let (_dir, store) = recorded(5).await;
    tamper(&store, "UPDATE graceful_audit SET record = record || ' ' WHERE seq = 2").await;
    assert_eq!(checks(&store, &[("entity", "users::user:1")]).await, [Changed]);
    assert_eq!(checks(&store, &[("entity", "users::user:2")]).await, [Intact]);
}

#[tokio::test]
async fn truncated_log_fails_verification_against_a_saved_head() {
    let (_dir, store) = recorded(5).await;
    let head = store.verify(None).await.unwrap();
    tamper(&store, "DELETE FROM graceful_audit WHERE seq >= 4").await;
    assert_eq!(broken_at(&store, None).await, None, "the chain by itself is whole");
    assert_eq!(broken_at(&store, Some(&head)).await, Some(4));
}

#[tokio::test]
async fn rewritten_log_fails_verification_against_a_saved_head() {
    let (_dir, store) = recorded(5).await;
    let head = store.verify(None).await.unwrap();
    let (_dir, another) = recorded(6).await;
    assert_eq!(broken_at(&another, Some(&head)).await, Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_audit_appends_make_one_chain() {
    let (dir, store) = super::fresh().await;
    // As of another process.
    let other = Store::open(dir.path().join("test.db")).await.unwrap();
    let mut appending = tokio::task::JoinSet::new();
    for (task, store) in [store.clone(), other, store.clone()].into_iter().enumerate() {
        appending.spawn(async move {
            let orchestrator = Orchestrator::builder().audit(store).build().unwrap();
            for id in 0..50 {
                let config = OrchestrationConfig::new("user").id(format!("{task}/{id}")).on(&orchestrator);
                let report = Success::wrap(Code::Ok, "done", &id).orchestrate(&config).await;
                assert_eq!(report.failures().count(), 0, "{report}");
            }
        });
    }
    appending.join_all().await;
    assert_eq!(store.verify(None).await.unwrap().sequence, 150);
}
