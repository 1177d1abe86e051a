//! Events that a broker has delivered.

use std::time::Duration;

use graceful::backends::{NewEvent, Subscriptions};

use super::{LEASE, SUBSCRIBER, advance, all, join, joined, process};

fn event(entity: i64, id: &str) -> NewEvent {
    NewEvent::new(entity, "users", id, id.as_bytes())
}

async fn receive<S: Subscriptions>(store: &S, number: u128, events: Vec<NewEvent>) -> bool {
    store.receive(process(number), events).await.expect("events can be received")
}

/// Entities and bodies.
async fn received<S: Subscriptions>(
    store: &S,
    after: u64,
    partitions: u32,
    limit: usize,
) -> Vec<(i64, String)> {
    let page = store.received(SUBSCRIBER.into(), after, partitions, limit).await.unwrap();
    assert!(page.events.is_sorted_by(|a, b| a.position < b.position));
    assert!(page.events.iter().all(|event| event.position > after && event.position <= page.read_to));
    page.events
        .iter()
        .map(|event| (event.entity, String::from_utf8_lossy(&event.body).into_owned()))
        .collect()
}

pub(super) async fn events_are_stored_once_and_in_their_order<S: Subscriptions>(store: S) {
    joined(&store).await;
    assert!(receive(&store, 1, vec![event(5, "a"), event(6, "b"), event(5, "a")]).await);
    assert!(
        receive(&store, 1, vec![event(6, "b"), event(5, "c"), NewEvent::new(6, "orders", "a", *b"d")]).await
    );
    let expected = [(5, "a"), (6, "b"), (5, "c"), (6, "d")].map(|(entity, body)| (entity, body.to_owned()));
    assert_eq!(received(&store, 0, u32::MAX, 10).await, expected);
    assert_eq!(received(&store, 0, 1 << 5, 10).await, [expected[0].clone(), expected[2].clone()]);
    let first = store.received(SUBSCRIBER.into(), 0, u32::MAX, 2).await.unwrap();
    assert_eq!(received(&store, first.read_to, u32::MAX, 10).await, expected[2..]);
    let end = store.received(SUBSCRIBER.into(), 0, 0, 100).await.unwrap();
    assert_eq!(end.events, [], "none of these partitions");
    let after_the_end = store.received(SUBSCRIBER.into(), end.read_to, u32::MAX, 10).await.unwrap();
    assert_eq!((after_the_end.events.len(), after_the_end.read_to), (0, end.read_to));
}

pub(super) async fn only_the_process_that_copies_stores_events<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    assert!(!join(&store, 2, 0).await.copies);
    assert!(!receive(&store, 2, vec![event(5, "a")]).await);
    elapse(&store, LEASE * 2).await;
    assert!(join(&store, 2, 0).await.copies);
    assert!(!receive(&store, 1, vec![event(5, "a")]).await);
    assert!(receive(&store, 2, vec![event(5, "b")]).await);
    assert_eq!(received(&store, 0, u32::MAX, 10).await, [(5, "b".to_owned())]);
}

pub(super) async fn only_old_handled_events_are_purged<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    receive(&store, 1, vec![event(5, "a"), event(6, "b")]).await;
    let first = store.received(SUBSCRIBER.into(), 0, u32::MAX, 1).await.unwrap().read_to;
    advance(&store, 1, all(first, first), &[]).await;
    assert_eq!(store.purge_received(LEASE).await.unwrap(), 0, "it is not old");
    elapse(&store, LEASE * 2).await;
    assert_eq!(store.purge_received(LEASE).await.unwrap(), 1, "the other is not handled");
    assert_eq!(received(&store, 0, u32::MAX, 10).await, [(6, "b".to_owned())]);
}
