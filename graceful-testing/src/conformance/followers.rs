//! What a [`FlowStore`] must do that claims flows with their followers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use graceful::backends::{ActionResult, AttemptOutcome, Claim, ClaimId, FlowState, FlowStore, Lane, Room};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::flows::{LEASE, complete, dead, enqueue, failure, flow, numbers, record_outcome, stored};

/// Checks the promises of [`FlowStore::claim`] about followers. `elapse` is that of [`flow_store`](super::flow_store).
///
/// # Panics
/// One of them is broken, or claims have no followers.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::followers(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn followers<S: FlowStore>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    first_flow_of_an_entity_has_followers(fresh().await).await;
    followers_need_no_room(fresh().await).await;
    followers_are_of_one_lane_due_and_never_attempted(fresh().await, &elapse).await;
    lost_followers_are_claimed_alone(fresh().await, &elapse).await;
    lost_follower_that_has_become_the_first_is_claimed_alone(fresh().await, &elapse).await;
    leases_of_followers_can_be_extended(fresh().await, &elapse).await;
    followers_that_are_handed_back_were_never_attempted(fresh().await).await;
    followers_that_are_handed_back_keep_their_place(fresh().await).await;
    flows_behind_a_lost_claim_are_not_completed(fresh().await, &elapse).await;
    followers_are_limited_in_bytes(fresh().await).await;
    follower_that_fails_is_retried_before_those_behind_it(fresh().await, &elapse).await;
    follower_that_is_a_dead_letter_delays_nothing(fresh().await).await;
    follower_is_left_alone_by_operators(fresh().await).await;
    concurrent_relays_keep_the_order(fresh().await).await;
}

async fn claim<S: FlowStore>(store: &S, per_entity: usize) -> Vec<Claim> {
    store.claim(Room::of(10).per_entity(per_entity), LEASE).await.expect("flows can be claimed")
}

fn ids(claims: &[Claim]) -> Vec<ClaimId> {
    claims.iter().map(Claim::claim_id).collect()
}

async fn complete_all<S: FlowStore>(store: &S, claims: &[Claim]) -> bool {
    store.complete(ids(claims)).await.expect("flows are completed")
}

/// Claims the flows 1, 2 and 3 of one entity.
async fn three<S: FlowStore>(store: &S) -> Vec<Claim> {
    enqueue(store, [(1, "a"), (2, "a"), (3, "a")]).await;
    let mut claims = claim(store, 10).await;
    let mut first = claims.remove(0);
    let followers = std::mem::take(&mut first.followers);
    let all: Vec<_> = std::iter::once(first).chain(followers).collect();
    assert_eq!(numbers(&all), [1, 2, 3]);
    all
}

async fn first_flow_of_an_entity_has_followers<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (10, "b"), (2, "a"), (3, "a"), (4, "a"), (5, "a")]).await;
    let claims = claim(&store, 3).await;
    assert_eq!(numbers(&claims), [1, 10]);
    let followers = &claims[0].followers;
    assert_eq!(numbers(followers), [2, 3], "as many as are wanted");
    assert!(followers.iter().all(|follower| follower.attempt == 1 && follower.followers.is_empty()));
    assert_eq!(followers[0].body, 2_u128.to_be_bytes(), "as it was stored");
    assert!(claims[1].followers.is_empty());
    assert!(claim(&store, 3).await.is_empty());
    assert!(complete(&store, &claims[0]).await);
    assert!(claim(&store, 3).await.is_empty(), "the followers are claimed already");
    assert!(complete_all(&store, followers).await);
    assert!(!complete_all(&store, followers).await, "their outcomes are recorded once");
    let rest = claim(&store, 1).await;
    assert_eq!((numbers(&rest), rest[0].followers.len()), (vec![4], 0), "none are wanted");
    for number in 1..=3 {
        let ended = stored(&store, number).await;
        assert_eq!((ended.state, ended.attempts), (FlowState::Completed, 1), "flow {number}");
        assert!(ended.ended_at.is_some());
    }
}

async fn followers_need_no_room<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "b")]).await;
    let claims = store.claim(Room::of(1).per_entity(5), LEASE).await.expect("a flow is claimed");
    assert_eq!((numbers(&claims), numbers(&claims[0].followers)), (vec![1], vec![2]));
}

async fn followers_are_of_one_lane_due_and_never_attempted<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let mut of_another_lane = flow(3, "a");
    of_another_lane.lane = Lane::of("another handler", "");
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    store.enqueue(of_another_lane).await.expect("a flow is stored");
    enqueue(&store, [(4, "a"), (11, "b"), (12, "b"), (13, "b"), (21, "c"), (22, "c"), (23, "c")]).await;
    let postponed = store.postpone(Uuid::from_u128(12), 3 * LEASE).await.expect("a flow is postponed");
    assert_eq!(postponed, ActionResult::Done);
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [1, 11, 21]);
    assert_eq!(numbers(&claims[0].followers), [2], "the next one is of another lane");
    assert!(claims[1].followers.is_empty(), "the next one is not due");
    // A flow that was attempted has none.
    let retry = AttemptOutcome::Retry { after: Duration::ZERO, failure: failure("not now"), body: None };
    assert_eq!(numbers(&claims[2].followers), [22, 23]);
    store.hand_back(ids(&claims[2].followers), Duration::ZERO).await.expect("followers are handed back");
    assert!(record_outcome(&store, &claims[2], retry).await);
    let again = claim(&store, 10).await;
    assert_eq!((numbers(&again), again[0].attempt, again[0].followers.len()), (vec![21], 2, 0));
    assert!(complete(&store, &claims[0]).await && complete_all(&store, &claims[0].followers).await);
    let next = claim(&store, 10).await;
    assert_eq!((numbers(&next), next[0].followers.len()), (vec![3], 0));
    elapse(&store, LEASE / 2).await;
    assert!(claim(&store, 10).await.is_empty());
}

/// Each claim is that of a process which has ended since.
async fn lost_followers_are_claimed_alone<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let lost = three(&store).await;
    elapse(&store, 2 * LEASE).await;
    let first = claim(&store, 10).await;
    assert_eq!((numbers(&first), first[0].attempt, first[0].followers.len()), (vec![1], 1, 0), "no attempt");
    for claim in &lost {
        assert!(!complete(&store, claim).await, "{claim:?}");
    }
    assert!(!complete_all(&store, &lost[1..]).await);
    store.extend(ids(&lost), 10 * LEASE).await.expect("lost claims are ignored");
    store.hand_back(ids(&lost), Duration::ZERO).await.expect("lost claims are ignored");
    assert!(complete(&store, &first[0]).await);
    for number in [2, 3] {
        let next = claim(&store, 10).await;
        assert_eq!((numbers(&next), next[0].followers.len()), (vec![number], 0));
        assert_eq!(next[0].attempt, 1, "the claim that was lost is no attempt");
        assert!(complete(&store, &next[0]).await);
    }
    assert_eq!(stored(&store, 1).await.attempts, 1);
}

async fn lost_follower_that_has_become_the_first_is_claimed_alone<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let lost = three(&store).await;
    assert!(complete(&store, &lost[0]).await);
    elapse(&store, 2 * LEASE).await;
    let second = claim(&store, 10).await;
    assert_eq!((numbers(&second), second[0].attempt, second[0].followers.len()), (vec![2], 1, 0));
    assert!(!complete_all(&store, &lost[1..]).await);
    assert!(complete(&store, &second[0]).await);
    let third = claim(&store, 10).await;
    assert_eq!((numbers(&third), third[0].attempt), (vec![3], 1));
}

async fn leases_of_followers_can_be_extended<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let claims = three(&store).await;
    store.extend(ids(&claims), 10 * LEASE).await.expect("leases are extended");
    assert!(complete(&store, &claims[0]).await);
    elapse(&store, 5 * LEASE).await;
    assert!(claim(&store, 10).await.is_empty());
    assert!(complete_all(&store, &claims[1..]).await);
}

async fn followers_that_are_handed_back_were_never_attempted<S: FlowStore>(store: S) {
    let claims = three(&store).await;
    store.hand_back(ids(&claims[2..]), Duration::ZERO).await.expect("a follower is handed back");
    assert!(claim(&store, 10).await.is_empty(), "it waits for the others");
    assert!(complete(&store, &claims[0]).await);
    store.hand_back(ids(&claims[1..]), Duration::ZERO).await.expect("a follower is handed back");
    let again = claim(&store, 10).await;
    assert_eq!((numbers(&again), numbers(&again[0].followers)), (vec![2], vec![3]));
    assert_eq!((again[0].attempt, again[0].followers[0].attempt), (1, 1));
    assert!(!complete(&store, &claims[1]).await, "its first claim was handed back");
}

async fn followers_that_are_handed_back_keep_their_place<S: FlowStore>(store: S) {
    let claims = three(&store).await;
    enqueue(&store, [(10, "b"), (11, "c")]).await;
    store.hand_back(ids(&claims[1..]), Duration::ZERO).await.expect("followers are handed back");
    assert!(complete(&store, &claims[0]).await);
    for expected in [2, 10] {
        let next = store.claim(Room::of(1), LEASE).await.expect("a flow is claimed");
        assert_eq!(numbers(&next), [expected]);
    }
}

/// Its holder was so slow that an operator could act on the first flow.
async fn flows_behind_a_lost_claim_are_not_completed<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let claims = three(&store).await;
    elapse(&store, 2 * LEASE).await;
    let postponed = store.postpone(Uuid::from_u128(1), Duration::ZERO).await.expect("a flow is postponed");
    assert_eq!(postponed, ActionResult::Done);
    assert!(!complete_all(&store, &claims).await);
    assert_eq!(stored(&store, 2).await.state, FlowState::Queued, "it must run after the first one");
    let first = claim(&store, 1).await;
    assert_eq!(numbers(&first), [1]);
    assert!(!complete_all(&store, &[first[0].clone(), claims[1].clone()]).await);
    assert_eq!(stored(&store, 1).await.state, FlowState::Completed, "what is before the lost claim");
    assert_eq!(stored(&store, 2).await.state, FlowState::Queued);
}

async fn followers_are_limited_in_bytes<S: FlowStore>(store: S) {
    let large = vec![0; 1 << 20];
    for number in 1..=10 {
        let mut flow = flow(number, "a");
        flow.body.clone_from(&large);
        store.enqueue(flow).await.expect("a flow is stored");
    }
    let claims = claim(&store, 10).await;
    assert!((1..=4).contains(&claims[0].followers.len()), "{}", claims[0].followers.len());
}

async fn follower_that_fails_is_retried_before_those_behind_it<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let claims = three(&store).await;
    assert!(complete(&store, &claims[0]).await);
    let retry = AttemptOutcome::Retry { after: LEASE, failure: failure("not now"), body: None };
    assert!(record_outcome(&store, &claims[1], retry).await);
    store.hand_back(ids(&claims[2..]), Duration::ZERO).await.expect("a follower is handed back");
    let failed = stored(&store, 2).await;
    assert_eq!((failed.attempts, failed.error()), (1, Some("not now")));
    let attempts = store.attempts(Uuid::from_u128(2)).await.expect("attempts are found");
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1]);
    assert!(claim(&store, 10).await.is_empty(), "it waits for the one that failed");
    elapse(&store, 2 * LEASE).await;
    let again = claim(&store, 10).await;
    assert_eq!((numbers(&again), again[0].attempt, again[0].followers.len()), (vec![2], 2, 0));
    assert!(complete(&store, &again[0]).await);
    assert_eq!(numbers(&claim(&store, 10).await), [3]);
}

async fn follower_that_is_a_dead_letter_delays_nothing<S: FlowStore>(store: S) {
    let claims = three(&store).await;
    assert!(complete(&store, &claims[0]).await);
    assert!(record_outcome(&store, &claims[1], dead()).await);
    assert!(claim(&store, 10).await.is_empty(), "the last one is held");
    assert!(complete(&store, &claims[2]).await);
    let letter = stored(&store, 2).await;
    assert_eq!((letter.state, letter.attempts), (FlowState::Dead, 1));
}

async fn follower_is_left_alone_by_operators<S: FlowStore>(store: S) {
    let claims = three(&store).await;
    let id = Uuid::from_u128(2);
    assert!(stored(&store, 2).await.running);
    assert_eq!(store.discard(id, FlowState::Queued).await.expect("it is refused"), ActionResult::Running);
    assert_eq!(store.postpone(id, LEASE).await.expect("it is refused"), ActionResult::Running);
    store.hand_back(ids(&claims[1..]), Duration::ZERO).await.expect("followers are handed back");
    assert!(!stored(&store, 2).await.running);
    assert_eq!(store.discard(id, FlowState::Queued).await.expect("it is discarded"), ActionResult::Done);
    assert!(complete(&store, &claims[0]).await);
    assert_eq!(numbers(&claim(&store, 10).await), [3]);
}

const ENTITIES: u128 = 5;
const FLOWS: u128 = 100;
const RELAYS: usize = 4;

/// Flows are stored and claimed concurrently; each relay records some followers together, and hands others back.
async fn concurrent_relays_keep_the_order<S: FlowStore>(store: S) {
    let store = Arc::new(store);
    let mut storing = JoinSet::new();
    for entity in 0..ENTITIES {
        let store = Arc::clone(&store);
        storing.spawn(async move {
            for number in 0..FLOWS {
                let flow = flow(entity * FLOWS + number, &format!("entity {entity}"));
                store.enqueue(flow).await.expect("a flow is stored");
            }
        });
    }
    let (sender, mut done) = tokio::sync::mpsc::unbounded_channel();
    let mut relays = JoinSet::new();
    for relay in 0..RELAYS {
        let (store, sender) = (Arc::clone(&store), sender.clone());
        relays.spawn(async move {
            loop {
                let room = Room::of(3).per_entity(relay + 2);
                for mut first in store.claim(room, LEASE).await.expect("flows can be claimed") {
                    let followers = std::mem::take(&mut first.followers);
                    let (run, left) = followers.split_at(followers.len().saturating_sub(relay % 2));
                    for claim in std::iter::once(&first).chain(run) {
                        sender.send(claim.id.as_u128()).expect("the test goes on");
                    }
                    assert!(complete(&*store, &first).await);
                    assert!(complete_all(&*store, run).await);
                    store.hand_back(ids(left), Duration::ZERO).await.expect("followers are handed back");
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let mut order = HashMap::<_, Vec<_>>::new();
    for _ in 0..ENTITIES * FLOWS {
        let number = done.recv().await.expect("relays go on");
        order.entry(number / FLOWS).or_default().push(number % FLOWS);
    }
    storing.join_all().await;
    relays.shutdown().await;
    let all: Vec<_> = (0..FLOWS).collect();
    assert!(order.values().all(|of_one| *of_one == all), "each once, in its entity's order: {order:?}");
}
