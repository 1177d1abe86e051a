//! Parked events.

use std::time::Duration;

use graceful::backends::{Resubmitted, Subscriptions};

use super::{
    LEASE, SUBSCRIBER, advance, all, event, join, joined, left, park, park_behind, parked, process, released,
};

async fn resubmit<S: Subscriptions>(store: &S, position: u64) -> Resubmitted {
    store.resubmit(SUBSCRIBER.into(), position).await.expect("an event can be resubmitted")
}

async fn end<S: Subscriptions>(store: &S, entity: i64, position: u64, failed: Option<(u32, &str)>) -> bool {
    let failed = failed.map(|(attempts, error)| (attempts, error.into()));
    store.end_released(process(1), entity, position, failed).await.expect("an event can be ended")
}

pub(super) async fn parked_event_is_listed_and_counts_as_handled<S: Subscriptions>(store: S) {
    joined(&store).await;
    assert!(park(&store, 10, 5).await);
    assert!(park(&store, 10, 5).await, "its reply may have been lost");
    assert!(park(&store, 12, 6).await);
    let all = store.parked(SUBSCRIBER.into(), 0, 10).await.unwrap();
    assert_eq!(all, [event(10, 5), event(12, 6)]);
    assert_eq!(store.parked(SUBSCRIBER.into(), 10, 10).await.unwrap(), [event(12, 6)]);
    assert_eq!(store.parked(SUBSCRIBER.into(), 0, 1).await.unwrap(), [event(10, 5)]);
    assert_eq!(store.subscribers().await.unwrap()[0].parked, 2);
    let fifth = left(&store, 5).await;
    assert_eq!((fifth.handled, fifth.parked), (vec![(5, 10)], vec![5]));
}

/// The reply to its commit may have been lost.
pub(super) async fn handled_event_is_not_parked<S: Subscriptions>(store: S) {
    joined(&store).await;
    advance(&store, 1, all(0, 10), &[(5, 10)]).await;
    assert!(park(&store, 10, 5).await);
    assert_eq!(parked(&store).await, [0; 0]);
    assert!(park(&store, 11, 5).await);
    assert_eq!(parked(&store).await, [11]);
}

pub(super) async fn event_is_parked_behind_only_while_its_entity_has_parked_events<S: Subscriptions>(
    store: S,
) {
    joined(&store).await;
    assert!(!park_behind(&store, 10, 5).await);
    park(&store, 11, 37).await;
    assert!(!park_behind(&store, 12, 5).await, "another entity of the partition");
    assert!(park_behind(&store, 13, 37).await);
    assert_eq!(parked(&store).await, [11, 13]);
}

pub(super) async fn resubmitted_event_is_released_and_the_next_follows_it<S: Subscriptions>(store: S) {
    joined(&store).await;
    park(&store, 10, 5).await;
    park_behind(&store, 11, 5).await;
    park(&store, 12, 6).await;
    assert_eq!(released(&store).await, [0; 0]);
    assert_eq!(resubmit(&store, 11).await, Resubmitted::WaitsBehind { first: 10 });
    assert_eq!(resubmit(&store, 99).await, Resubmitted::NotParked);
    assert_eq!(released(&store).await, [0; 0]);
    assert_eq!(resubmit(&store, 10).await, Resubmitted::Released);
    assert_eq!(resubmit(&store, 10).await, Resubmitted::Released, "a second time changes nothing");
    assert_eq!(released(&store).await, [10]);
    assert_eq!(store.released(process(1), 0b100_0000, 10).await.unwrap(), [], "another partition");
    assert!(end(&store, 5, 10, None).await);
    assert!(!end(&store, 5, 10, None).await);
    assert_eq!(resubmit(&store, 10).await, Resubmitted::NotParked);
    assert_eq!(released(&store).await, [11]);
    assert!(end(&store, 5, 11, None).await);
    assert_eq!((released(&store).await, parked(&store).await), (vec![], vec![12]));
    assert!(!park_behind(&store, 13, 5).await, "the entity has no parked event any more");
}

pub(super) async fn released_event_that_fails_is_parked_again<S: Subscriptions>(store: S) {
    joined(&store).await;
    park(&store, 10, 5).await;
    park_behind(&store, 11, 5).await;
    assert!(!end(&store, 5, 10, Some((4, "again"))).await, "it is not released");
    resubmit(&store, 10).await;
    assert!(end(&store, 5, 10, Some((4, "again"))).await);
    assert_eq!(released(&store).await, [0; 0]);
    let first = store.parked(SUBSCRIBER.into(), 0, 1).await.unwrap().remove(0);
    assert_eq!((first.position, first.attempts, &*first.error, first.is_released), (10, 4, "again", false));
}

pub(super) async fn attempts_at_a_resubmitted_event_are_counted_after_its_position_has_passed<
    S: Subscriptions,
>(
    store: S,
) {
    joined(&store).await;
    park(&store, 10, 5).await;
    advance(&store, 1, all(20, 20), &[]).await;
    assert_eq!(store.attempted(process(1), 5, 10).await.unwrap(), 1);
    join(&store, 1, u32::MAX).await;
    assert_eq!(store.attempted(process(1), 5, 10).await.unwrap(), 2);
}

pub(super) async fn discarded_event_releases_the_next_one<S: Subscriptions>(store: S) {
    joined(&store).await;
    park(&store, 10, 5).await;
    for position in 11..=13 {
        park_behind(&store, position, 5).await;
    }
    let discard = async |position| store.discard(SUBSCRIBER.into(), position).await.unwrap();
    assert_eq!(discard(12).await, Some(event(12, 5)));
    assert_eq!(released(&store).await, [0; 0], "it was not the first");
    assert_eq!(discard(10).await, Some(event(10, 5)));
    assert_eq!(discard(10).await, None);
    assert_eq!((released(&store).await, parked(&store).await), (vec![11], vec![11, 13]));
}

pub(super) async fn lost_partition_parks_and_ends_nothing<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    park(&store, 10, 5).await;
    resubmit(&store, 10).await;
    elapse(&store, LEASE * 2).await;
    join(&store, 2, 0).await;
    assert!(!park(&store, 11, 6).await);
    assert!(!park_behind(&store, 11, 5).await);
    assert!(!end(&store, 5, 10, None).await);
    assert_eq!(store.attempted(process(1), 5, 12).await.unwrap(), 0);
    assert_eq!(store.attempted(process(2), 5, 12).await.unwrap(), 1);
    assert_eq!(parked(&store).await, [10]);
    assert_eq!(advance(&store, 1, all(20, 20), &[]).await, 0);
}
