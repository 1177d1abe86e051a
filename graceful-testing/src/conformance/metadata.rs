//! What a [`MetadataStore`] must do.

use graceful::{Code, backends::MetadataStore};

use super::{flow, long_names};

/// Checks the promises of [`MetadataStore`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::metadata_store(async || memory::MetadataStore::new()).await;
/// # });
/// ```
pub async fn metadata_store<S: MetadataStore>(fresh: impl AsyncFn() -> S) {
    chain_is_linked_in_both_directions(fresh().await).await;
    repeated_flow_is_counted_once(fresh().await).await;
    entities_do_not_share_a_chain(fresh().await).await;
    latest_state_stays_whatever_the_order_of_the_ids(fresh().await).await;
    long_names::entities_have_metadata(fresh().await).await;
}

async fn chain_is_linked_in_both_directions<S: MetadataStore>(store: S) {
    let [first, second] = [flow("1", Code::Ok, 1), flow("1", Code::Internal, 2)];
    assert_eq!(store.latest(&first.entity()).await.unwrap(), None);
    let answered = store.record(&first).await.unwrap();
    assert_eq!((answered.state, answered.previous, answered.next), (first.id(), None, None));
    assert_eq!((answered.score, answered.error_count), (1, 0));
    let answered = store.record(&second).await.unwrap();
    assert_eq!((answered.previous, answered.score, answered.error_count), (Some(first.id()), 1, 1));
    assert_eq!(store.latest(&second.entity()).await.unwrap(), Some(answered));
    let before = store.state(first.id()).await.unwrap().unwrap();
    assert_eq!((before.state, before.next), (first.id(), Some(second.id())));
}

async fn repeated_flow_is_counted_once<S: MetadataStore>(store: S) {
    let [first, second] = [flow("1", Code::Ok, 1), flow("1", Code::Internal, 2)];
    let made = [store.record(&first).await.unwrap(), store.record(&second).await.unwrap()];
    for (flow, made) in [(&first, &made[0]), (&second, &made[1]), (&first, &made[0])] {
        assert_eq!(store.record(flow).await.unwrap(), *made, "its event is the same to the letter");
    }
    let latest = store.latest(&first.entity()).await.unwrap().unwrap();
    assert_eq!((latest.state, latest.previous), (second.id(), Some(first.id())));
    assert_eq!((latest.score, latest.error_count), (1, 1));
}

async fn entities_do_not_share_a_chain<S: MetadataStore>(store: S) {
    let [one, two] = [flow("1", Code::Ok, 1), flow("2", Code::Ok, 2)];
    store.record(&one).await.unwrap();
    assert_eq!(store.record(&two).await.unwrap().previous, None);
    assert_eq!(store.latest(&one.entity()).await.unwrap().unwrap().state, one.id());
}

/// The clocks of two processes differ, so a later flow may have a lower id. Old states may be deleted, but never the latest.
async fn latest_state_stays_whatever_the_order_of_the_ids<S: MetadataStore>(store: S) {
    let flows: Vec<_> = (0..150).map(|second| flow("1", Code::Ok, second)).collect();
    for flow in flows.iter().rev() {
        store.record(flow).await.unwrap();
        assert_eq!(store.latest(&flow.entity()).await.unwrap().unwrap().state, flow.id());
    }
}
