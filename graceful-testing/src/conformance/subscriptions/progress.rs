//! How far a subscriber has read.

use std::time::Duration;

use graceful::backends::{NewSubscriber, Progress, Subscriptions};

use super::{LEASE, SUBSCRIBER, advance, all, join, joined, left, process, register};

pub(super) async fn next_process_finds_the_progress_of_the_former<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    let recorded = advance(&store, 1, all(4, 20), &[(5, 9), (37, 12), (6, 13), (5, 11), (5, 10)]).await;
    assert_eq!(recorded, u32::MAX);
    elapse(&store, LEASE * 2).await;
    let joined = join(&store, 2, 0).await;
    let mut fifth = joined.new.into_iter().find(|state| state.partition == 5).unwrap();
    fifth.handled.sort_unstable();
    assert_eq!((fifth.handled_to, fifth.begun_to), (4, 20));
    assert_eq!(
        fifth.handled,
        [(5, 11), (37, 12)],
        "of each entity the last event; entity 6 is in another partition"
    );
}

pub(super) async fn progress_of_a_lost_partition_is_not_recorded<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    elapse(&store, LEASE * 2).await;
    join(&store, 2, 0).await;
    assert_eq!(advance(&store, 1, all(9, 9), &[(5, 9)]).await, 0);
    store.release(process(1), u32::MAX).await.unwrap();
    assert_eq!(join(&store, 2, u32::MAX).await.held, u32::MAX, "a process releases only what it holds");
    let fifth = join(&store, 2, !0b10_0000).await.new.remove(0);
    assert_eq!((fifth.handled_to, fifth.begun_to, fifth.handled.len()), (0, 0, 0));
}

pub(super) async fn positions_never_go_back<S: Subscriptions>(store: S) {
    joined(&store).await;
    advance(&store, 1, all(9, 20), &[(5, 15)]).await;
    advance(&store, 1, vec![Progress::new(5, 3, 12)], &[(5, 14)]).await;
    let fifth = left(&store, 5).await;
    assert_eq!((fifth.handled_to, fifth.begun_to, fifth.handled), (9, 12, vec![(5, 15)]));
}

pub(super) async fn attempts_are_counted_for_the_next_process<S: Subscriptions>(store: S) {
    joined(&store).await;
    for attempt in 1..=3 {
        assert_eq!(store.attempted(process(1), 5, 8).await.unwrap(), attempt);
    }
    assert_eq!(store.attempted(process(1), 5, 9).await.unwrap(), 1);
    store.attempted(process(1), 6, 10).await.unwrap();
    advance(&store, 1, all(8, 20), &[]).await;
    let fifth = left(&store, 5).await;
    assert_eq!(fifth.attempts, [(9, 1)], "the position of event 8 has passed");
}

pub(super) async fn renamed_subscriber_keeps_its_state<S: Subscriptions>(store: S) {
    joined(&store).await;
    advance(&store, 1, all(9, 9), &[]).await;
    super::park(&store, 10, 5).await;
    store.release(process(1), u32::MAX).await.unwrap();
    let mut renamed = NewSubscriber::new("shop::renamed", 100);
    renamed.was = vec!["shop::unknown".into(), SUBSCRIBER.into()];
    for _ in 0..2 {
        store.register(renamed.clone()).await.unwrap();
    }
    let states = store.subscribers().await.unwrap();
    assert_eq!((states.len(), &*states[0].subscriber), (1, "shop::renamed"));
    assert_eq!((states[0].handled_to, states[0].parked), (9, 1));
    let parked = store.parked("shop::renamed".into(), 0, 10).await.unwrap();
    assert_eq!(parked[0].position, 10);
}

pub(super) async fn registered_subscriber_does_not_start_again<S: Subscriptions>(store: S) {
    assert!(store.register(NewSubscriber::new(SUBSCRIBER, 7)).await.unwrap());
    assert!(!store.register(NewSubscriber::new(SUBSCRIBER, 30)).await.unwrap(), "it is known");
    assert_eq!(store.subscribers().await.unwrap()[0].handled_to, 7);
}

pub(super) async fn subscriber_of_another_source_is_refused<S: Subscriptions>(store: S) {
    register(&store, 7).await;
    for name in [SUBSCRIBER, "shop::renamed"] {
        let mut new = NewSubscriber::new(name, 0);
        (new.source, new.reads_log, new.was) = ("a broker".into(), false, vec![SUBSCRIBER.into()]);
        let error = store.register(new).await.unwrap_err();
        assert!(error.message().contains("unregister it"), "{error}");
        let state = store.subscribers().await.unwrap().remove(0);
        assert_eq!((&*state.subscriber, &*state.source), (SUBSCRIBER, "event log"));
    }
}

pub(super) async fn skipped_subscriber_goes_on_after_the_position<S: Subscriptions>(store: S) {
    joined(&store).await;
    advance(&store, 1, vec![Progress::new(5, 50, 60)], &[]).await;
    store.skip(SUBSCRIBER.into(), 40).await.unwrap();
    assert_eq!(store.subscribers().await.unwrap()[0].handled_to, 40);
    let fifth = left(&store, 5).await;
    assert_eq!((fifth.handled_to, fifth.begun_to), (50, 60), "it is ahead of the position");
}

pub(super) async fn read_subscriber_is_not_unregistered<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    assert!(!store.unregister(SUBSCRIBER.into()).await.unwrap());
    elapse(&store, LEASE * 2).await;
    assert!(store.unregister(SUBSCRIBER.into()).await.unwrap());
    assert!(!store.unregister(SUBSCRIBER.into()).await.unwrap());
    assert_eq!(store.subscribers().await.unwrap(), []);
    assert_eq!(join(&store, 1, 0).await.held, 0, "it must be registered again");
}
