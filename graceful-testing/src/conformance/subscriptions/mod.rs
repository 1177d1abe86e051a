//! What a [`Subscriptions`] must do.

mod parked;
mod partitions;
mod progress;
mod received;
mod transactions;

use std::time::Duration;

use graceful::backends::{
    HeldPartition, Join, Joined, NewSubscriber, ParkedEvent, Progress, ReaderId, Subscriptions,
};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);

/// The subscriber of all checks.
const SUBSCRIBER: &str = "shop::on_order";

/// Checks the rules of [`Subscriptions`]. `elapse` makes so much time pass for a store: by waiting, by its own clock, or by moving
/// every time that it has written into the past.
///
/// # Panics
/// One of the rules is violated.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// let fresh = async || memory::Subscriptions::new();
/// conformance::subscriptions(fresh, async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn subscriptions<S: Subscriptions>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    partitions::first_process_holds_all_partitions_from_the_start(fresh().await).await;
    partitions::known_partitions_are_not_described_again(fresh().await).await;
    partitions::second_process_gets_what_the_first_releases(fresh().await).await;
    partitions::expired_process_loses_its_partitions(fresh().await, &elapse).await;
    partitions::process_that_joins_again_keeps_its_partitions(fresh().await, &elapse).await;
    partitions::partition_that_was_anothers_meanwhile_is_described_again(fresh().await, &elapse).await;
    partitions::concurrent_processes_hold_no_partition_together(fresh().await).await;
    partitions::subscribers_are_independent(fresh().await).await;
    progress::next_process_finds_the_progress_of_the_former(fresh().await, &elapse).await;
    progress::progress_of_a_lost_partition_is_not_recorded(fresh().await, &elapse).await;
    progress::positions_never_go_back(fresh().await).await;
    progress::attempts_are_counted_for_the_next_process(fresh().await).await;
    progress::renamed_subscriber_keeps_its_state(fresh().await).await;
    progress::registered_subscriber_does_not_start_again(fresh().await).await;
    progress::subscriber_of_another_source_is_refused(fresh().await).await;
    progress::skipped_subscriber_goes_on_after_the_position(fresh().await).await;
    progress::read_subscriber_is_not_unregistered(fresh().await, &elapse).await;
    parked::parked_event_is_listed_and_counts_as_handled(fresh().await).await;
    parked::handled_event_is_not_parked(fresh().await).await;
    parked::event_is_parked_behind_only_while_its_entity_has_parked_events(fresh().await).await;
    parked::resubmitted_event_is_released_and_the_next_follows_it(fresh().await).await;
    parked::released_event_that_fails_is_parked_again(fresh().await).await;
    parked::discarded_event_releases_the_next_one(fresh().await).await;
    parked::attempts_at_a_resubmitted_event_are_counted_after_its_position_has_passed(fresh().await).await;
    parked::lost_partition_parks_and_ends_nothing(fresh().await, &elapse).await;
    received::events_are_stored_once_and_in_their_order(fresh().await).await;
    received::only_the_process_that_copies_stores_events(fresh().await, &elapse).await;
    received::only_old_handled_events_are_purged(fresh().await, &elapse).await;
    transactions::committed_event_is_handled_once(fresh().await).await;
    transactions::dropped_transaction_leaves_the_event(fresh().await).await;
    transactions::event_before_a_handled_one_is_refused(fresh().await).await;
    transactions::process_without_the_partition_begins_nothing(fresh().await, &elapse).await;
    transactions::released_event_is_removed_with_its_transaction(fresh().await).await;
}

fn process(number: u128) -> ReaderId {
    ReaderId::new(SUBSCRIBER, Uuid::from_u128(number))
}

async fn register<S: Subscriptions>(store: &S, start: u64) {
    store.register(NewSubscriber::new(SUBSCRIBER, start)).await.expect("a subscriber can be registered");
}

async fn join<S: Subscriptions>(store: &S, number: u128, known: u32) -> Joined {
    store.join(process(number), Join::new(LEASE, known, true)).await.expect("a process can join")
}

/// A registered subscriber that process 1 reads.
async fn joined<S: Subscriptions>(store: &S) {
    register(store, 0).await;
    assert_eq!(join(store, 1, 0).await.held, u32::MAX);
}

/// All partitions at one position.
fn all(handled_to: u64, begun_to: u64) -> Vec<Progress> {
    (0..32).map(|partition| Progress::new(partition, handled_to, begun_to)).collect()
}

async fn advance<S: Subscriptions>(
    store: &S,
    number: u128,
    progress: Vec<Progress>,
    handled: &[(i64, u64)],
) -> u32 {
    let advanced = store.advance(process(number), progress, handled.to_vec()).await;
    advanced.expect("progress can be recorded")
}

/// The state of a partition as process 2 finds it after process 1 has given it back.
async fn left<S: Subscriptions>(store: &S, partition: u8) -> HeldPartition {
    store.release(process(1), u32::MAX).await.expect("partitions can be released");
    let joined = join(store, 2, 0).await;
    joined.new.into_iter().find(|state| state.partition == partition).expect("it holds all partitions")
}

fn event(position: u64, entity: i64) -> ParkedEvent {
    ParkedEvent::new(position, entity, position.to_string().into_bytes(), 3, "it failed")
}

async fn park<S: Subscriptions>(store: &S, position: u64, entity: i64) -> bool {
    store.park(process(1), event(position, entity)).await.expect("an event can be parked")
}

async fn park_behind<S: Subscriptions>(store: &S, position: u64, entity: i64) -> bool {
    store.park_behind(process(1), event(position, entity)).await.expect("an event can be parked")
}

/// The positions of the parked events.
async fn parked<S: Subscriptions>(store: &S) -> Vec<u64> {
    let parked = store.parked(SUBSCRIBER.into(), 0, 100).await.expect("parked events can be listed");
    parked.iter().map(|event| event.position).collect()
}

/// The positions of the events that run again.
async fn released<S: Subscriptions>(store: &S) -> Vec<u64> {
    let released = store.released(process(1), u32::MAX, 100).await.expect("released events can be read");
    released.iter().map(|event| event.position).collect()
}
