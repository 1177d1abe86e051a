//! The transactions of events, if the store has them.

use std::time::Duration;

use graceful::backends::{InboxTransaction, Resubmitted, Subscriptions};

use super::{LEASE, SUBSCRIBER, advance, all, join, joined, left, park, parked, process, released};

/// Begins the transaction of an event. `None` also if the store has no transactions; then the check ends.
async fn begin<S: Subscriptions>(
    store: &S,
    entity: i64,
    position: u64,
    released: bool,
) -> Option<Box<dyn InboxTransaction>> {
    store.begin(process(1), entity, position, released).await.expect("a transaction can begin")
}

pub(super) async fn committed_event_is_handled_once<S: Subscriptions>(store: S) {
    joined(&store).await;
    let Some(transaction) = begin(&store, 5, 10, false).await else {
        assert_eq!(store.transaction_type(), None);
        return;
    };
    assert!(store.transaction_type().is_some());
    transaction.commit().await.unwrap();
    assert!(begin(&store, 5, 10, false).await.is_none());
    let fifth = left(&store, 5).await;
    assert_eq!(fifth.handled, [(5, 10)]);
}

pub(super) async fn dropped_transaction_leaves_the_event<S: Subscriptions>(store: S) {
    joined(&store).await;
    let Some(transaction) = begin(&store, 5, 10, false).await else { return };
    drop(transaction);
    begin(&store, 5, 10, false).await.expect("it was not handled").commit().await.unwrap();
}

pub(super) async fn event_before_a_handled_one_is_refused<S: Subscriptions>(store: S) {
    joined(&store).await;
    let Some(transaction) = begin(&store, 5, 10, false).await else { return };
    transaction.commit().await.unwrap();
    assert!(begin(&store, 5, 9, false).await.is_none());
    begin(&store, 37, 9, false).await.expect("another entity of the partition").commit().await.unwrap();
    advance(&store, 1, all(20, 20), &[]).await;
    assert!(begin(&store, 69, 15, false).await.is_none(), "its position has passed");
}

pub(super) async fn process_without_the_partition_begins_nothing<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    elapse(&store, LEASE * 2).await;
    join(&store, 2, 0).await;
    assert!(begin(&store, 5, 10, false).await.is_none());
}

pub(super) async fn released_event_is_removed_with_its_transaction<S: Subscriptions>(store: S) {
    joined(&store).await;
    park(&store, 10, 5).await;
    park(&store, 11, 5).await;
    assert!(begin(&store, 5, 10, true).await.is_none(), "it is not released");
    assert_eq!(store.resubmit(SUBSCRIBER.into(), 10).await.unwrap(), Resubmitted::Released);
    let Some(transaction) = begin(&store, 5, 10, true).await else { return };
    drop(transaction);
    assert_eq!(parked(&store).await, [10, 11]);
    begin(&store, 5, 10, true).await.expect("it is released").commit().await.unwrap();
    assert_eq!((parked(&store).await, released(&store).await), (vec![11], vec![11]));
    assert!(begin(&store, 5, 10, true).await.is_none());
}
