//! What an [`AuditLog`] must do.

use super::flow;
use crate::{Code, Key, backends::AuditLog};

/// Checks the promises of [`AuditLog`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::{backends::memory, testing::conformance};
/// conformance::audit_log(async || memory::AuditLog::new()).await;
/// # });
/// ```
pub async fn audit_log<S: AuditLog>(fresh: impl AsyncFn() -> S) {
    records_are_read_newest_first(fresh().await).await;
}

async fn records_are_read_newest_first<S: AuditLog>(store: S) {
    let flows =
        [("1", Code::Ok), ("2", Code::NotFound), ("1", Code::Internal)].map(|(id, code)| flow(id, code, 1));
    for flow in &flows {
        store.append(flow).await.unwrap();
    }
    let ids = async |entity: Option<Key>, limit| -> Vec<_> {
        let records = store.records(entity.as_ref(), limit).await.unwrap();
        records.iter().map(|record| record.id()).collect()
    };
    let [first, second, third] = [&flows[0], &flows[1], &flows[2]].map(|flow| flow.id());
    assert_eq!(ids(None, usize::MAX).await, [third, second, first]);
    assert_eq!(ids(None, 2).await, [third, second]);
    assert_eq!(ids(Some(flows[0].entity()), usize::MAX).await, [third, first]);
    assert_eq!(ids(Some(flows[0].entity()), 1).await, [third]);
    let record = store.records(Some(&flows[1].entity()), 1).await.unwrap().remove(0);
    assert_eq!((record.code(), record.timestamp()), (Code::NotFound, flows[1].timestamp()));
}
