//! What an [`AuditLog`] must do.

use graceful::{
    __private010::Sample,
    Code, Key, Payload,
    backends::{AuditFilter, AuditLog, AuditQuery, AuditRecord, RecordCheck},
};

use super::{audit_queries, flow, long_names};

/// Checks the promises of [`AuditLog`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::audit_log(async || memory::AuditLog::new()).await;
/// # });
/// ```
pub async fn audit_log<S: AuditLog>(fresh: impl AsyncFn() -> S) {
    records_are_read_newest_first(fresh().await).await;
    payload_is_hashed_and_kept_only_where_declared(fresh().await).await;
    long_names::entities_are_audited(fresh().await).await;
    audit_queries::pages_contain_every_record_once_newest_first(fresh().await).await;
    audit_queries::filters_select_by_actor_entity_and_time(fresh().await).await;
    audit_queries::filters_select_by_tenant(fresh().await).await;
    unchanged_records_are_not_reported_as_changed(fresh().await).await;
    audit_queries::actors_with_long_or_strange_names_are_told_apart(fresh().await).await;
    audit_queries::cursor_stays_behind_its_record(fresh().await).await;
}

async fn records_are_read_newest_first<S: AuditLog>(store: S) {
    let flows =
        [("1", Code::Ok), ("2", Code::NotFound), ("1", Code::Internal)].map(|(id, code)| flow(id, code, 1));
    for flow in &flows {
        store.append(flow).await.unwrap();
    }
    let ids = async |entity: Option<Key>, limit| -> Vec<_> {
        let records = store.records(entity.as_ref(), limit).await.unwrap();
        records.iter().map(|record| record.flow).collect()
    };
    let [first, second, third] = [&flows[0], &flows[1], &flows[2]].map(|flow| flow.id());
    assert_eq!(ids(None, usize::MAX).await, [third, second, first]);
    assert_eq!(ids(None, 2).await, [third, second]);
    assert_eq!(ids(Some(flows[0].entity()), usize::MAX).await, [third, first]);
    assert_eq!(ids(Some(flows[0].entity()), 1).await, [third]);
    let record = store.records(Some(&flows[1].entity()), 1).await.unwrap().remove(0);
    assert_eq!(record, AuditRecord::of(&flows[1]));
}

async fn payload_is_hashed_and_kept_only_where_declared<S: AuditLog>(store: S) {
    for (id, is_kept) in [("1", false), ("2", true)] {
        let payload = Payload::of("secret").expect("a text can be serialised");
        let flow = Sample::new(id, Code::Ok, 1).payload(payload, is_kept).flow();
        store.append(&flow).await.unwrap();
    }
    let [kept, hashed] = &store.records(None, 2).await.unwrap()[..] else { panic!("two records") };
    for record in [kept, hashed] {
        assert_eq!(record.payload_sha256, Some(Payload::of("secret").unwrap().sha256()));
    }
    assert_eq!((kept.payload.as_ref().unwrap().as_json(), &hashed.payload), ("\"secret\"", &None));
    assert!(!format!("{hashed:?}").contains("secret"));
}

async fn unchanged_records_are_not_reported_as_changed<S: AuditLog>(store: S) {
    for (id, second) in [("1", 1), ("2", 5), ("1", 3), ("1", 4)] {
        store.append(&flow(id, Code::Ok, second)).await.unwrap();
    }
    let filter = AuditFilter::parse([("entity", "users::user:1")]).expect("a filter");
    let query = AuditQuery::new(filter, 2);
    let (records, verified) =
        (store.query(query.clone()).await.unwrap(), store.verified(query.clone()).await.unwrap());
    assert_eq!((records.items.len(), records.next), (2, verified.next));
    let next = query.continued(verified.next.expect("there are more")).expect("the same filter");
    let last = store.verified(next).await.unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
    let (verified, checks): (Vec<_>, Vec<_>) = verified.items.into_iter().unzip();
    assert_eq!(verified, records.items);
    for check in checks.into_iter().chain([last.items[0].1]) {
        assert!([RecordCheck::Intact, RecordCheck::Unchained].contains(&check), "{check}");
    }
}
