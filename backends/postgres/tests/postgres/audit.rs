//! The audit chain is complete under concurrent appends, and verification finds changes.

use std::{collections::BTreeSet, error::Error as _, sync::Arc};

use graceful::{
    Code, Failure, OrchestrationConfig, Orchestrator, RelaySettings, Success,
    backends::{
        AuditFilter, AuditLog as _, AuditQuery,
        RecordCheck::{self, Changed, Intact},
    },
};
use graceful_postgres::Store;
use graceful_sql::{AuditHead, Tampered};
use tokio::task::JoinSet;

use super::{Postgres, execute};

/// Records at once, by several stores.
async fn record(stores: &[Store], count: i64) {
    let mut tasks = JoinSet::new();
    for (index, store) in stores.iter().enumerate() {
        let orchestrator =
            Orchestrator::builder().store(store.clone()).relay(RelaySettings::off()).build().unwrap();
        tasks.spawn(async move {
            for id in 0..count {
                let config = OrchestrationConfig::new("user").id(format!("{index}/{id}")).on(&orchestrator);
                let report = Success::wrap(Code::Ok, "said", &id).orchestrate(&config).await;
                assert_eq!(report.step(graceful::Step::Audit).to_string(), "appended");
            }
        });
    }
    tasks.join_all().await;
}

fn tampered(verified: Result<AuditHead, graceful::StepError>) -> Option<i64> {
    let error = verified.err()?;
    Some(error.source().unwrap().downcast_ref::<Tampered>().unwrap().sequence)
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_audit_appends_make_one_chain() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let stores = [postgres.store(&schema).await, postgres.store(&schema).await];
    assert_eq!(stores[0].verify(None).await.unwrap().sequence, 0);
    record(&stores, 50).await;
    let head = stores[0].verify(None).await.unwrap();
    assert_eq!(head.sequence, 100);
    assert_eq!(stores[1].records(None, usize::MAX).await.unwrap().len(), 100);
    record(&stores, 1).await;
    assert_eq!(stores[0].verify(Some(&head)).await.unwrap().sequence, 102);
    postgres.clean().await;
}

/// All records are appended at the same time, some of them twice, and some appends are not awaited.
#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_audit_appends_are_batched_without_duplicates() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let mut flows = Vec::new();
    for id in 0..200 {
        let config = OrchestrationConfig::new("user").id(id);
        let report = match id % 2 {
            0 => Success::wrap(Code::Ok, "said", &id).orchestrate(&config).await,
            _ => Failure::wrap(Code::Internal, "not said", &id).orchestrate(&config).await,
        };
        flows.push(Arc::clone(report.flow()));
    }
    let twice = || flows.iter().chain(flows.iter().rev());
    // To ask for it is enough.
    twice().take(50).for_each(|flow| drop(store.append(flow)));
    let appended: JoinSet<_> = twice().map(|flow| store.append(flow)).collect();
    appended.join_all().await.into_iter().for_each(Result::unwrap);
    assert_eq!(store.verify(None).await.unwrap().sequence, 200);
    let transactions: i64 = sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM graceful_audit")
        .fetch_one(&mut postgres.connection(&schema).await)
        .await
        .unwrap();
    assert!(transactions < 20, "200 records in {transactions} transactions");
    let records = store.records(None, usize::MAX).await.unwrap();
    let recorded: BTreeSet<_> = records.iter().map(|record| record.flow).collect();
    assert_eq!(recorded, flows.iter().map(|flow| flow.id()).collect());
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn changed_or_deleted_record_fails_verification() {
    let postgres = Postgres::new();
    for (change, sequence) in [
        ("UPDATE graceful_audit SET record = replace(record, 'said', 'sang') WHERE seq = 3", 3),
        ("UPDATE graceful_audit SET entity = 'x' WHERE seq = 4", 4),
        ("UPDATE graceful_audit SET flow = gen_random_uuid() WHERE seq = 4", 4),
        ("DELETE FROM graceful_audit WHERE seq = 2", 2),
        ("DELETE FROM graceful_audit WHERE seq = 5", 5),
        ("DELETE FROM graceful_audit", 1),
    ] {
        let schema = postgres.schema().await;
        let store = postgres.store(&schema).await;
        record(std::slice::from_ref(&store), 5).await;
        let head = store.verify(None).await.unwrap();
        execute(&mut postgres.connection(&schema).await, change).await;
        assert_eq!(tampered(store.verify(Some(&head)).await), Some(sequence), "{change}");
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn page_reports_each_changed_record() {
    async fn checks(store: &Store) -> Vec<RecordCheck> {
        let page = store.verified(AuditQuery::new(AuditFilter::default(), 10)).await.unwrap();
        page.items.into_iter().rev().map(|(_, check)| check).collect()
    }
    let postgres = Postgres::new();
    for (change, expected) in [
        (
            "UPDATE graceful_audit SET record = replace(record, 'said', 'sang') WHERE seq = 3",
            vec![Intact, Intact, Changed, Intact, Intact],
        ),
        // The record behind it depends on its hash.
        (
            "UPDATE graceful_audit SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 2",
            vec![Intact, Changed, Changed, Intact, Intact],
        ),
        ("UPDATE graceful_audit SET hash = '' WHERE seq = 2", vec![Intact, Changed, Changed, Intact, Intact]),
        ("DELETE FROM graceful_audit WHERE seq = 2", vec![Intact, Changed, Intact, Intact]),
        ("DELETE FROM graceful_audit WHERE seq = 1", vec![Changed, Intact, Intact, Intact]),
    ] {
        let schema = postgres.schema().await;
        let store = postgres.store(&schema).await;
        record(std::slice::from_ref(&store), 5).await;
        assert_eq!(checks(&store).await, [Intact; 5]);
        execute(&mut postgres.connection(&schema).await, change).await;
        assert_eq!(checks(&store).await, expected, "{change}");
    }
    postgres.clean().await;
}
