//! What a [`FlowStore`] must do.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    ActionResult, AttemptFailure, AttemptOutcome, Claim, ClaimId, FailureCause, FlowState, FlowStore,
    FlowSummary, Lane, QueuedFlow, Room, StoredFlow,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{actions, answered_flows, lanes, long_names, queries};

pub(super) const LEASE: Duration = Duration::from_secs(600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks the promises of [`FlowStore`]. `elapse` makes so much time go by for a store: by waiting, by its own clock, or by moving
/// every time that it has written into the past.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::flow_store(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn flow_store<S: FlowStore>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    flow_is_claimed_as_it_was_stored(fresh().await, &elapse).await;
    flow_with_the_same_id_is_stored_once(fresh().await).await;
    entity_has_one_claim_at_a_time_in_order(fresh().await).await;
    expired_lease_gives_the_flow_to_another(fresh().await, &elapse).await;
    lease_can_be_extended(fresh().await, &elapse).await;
    retry_delays_its_entity_only(fresh().await, &elapse).await;
    claim_that_is_handed_back_is_no_attempt(fresh().await, &elapse).await;
    dead_letter_delays_nothing(fresh().await).await;
    resubmitted_flow_comes_last(fresh().await).await;
    purge_deletes_only_ended_flows(fresh().await, &elapse).await;
    unknown_flow_is_not_found(fresh().await).await;
    queries::pages_contain_every_flow_once_newest_first(fresh().await).await;
    queries::every_filter_selects_its_flows(fresh().await).await;
    queries::cursor_survives_changes(fresh().await).await;
    queries::counts_are_capped(fresh().await).await;
    queries::failures_with_one_cause_are_one_group(fresh().await).await;
    queries::attempts_stay_when_a_flow_is_resubmitted(fresh().await, &elapse).await;
    queries::lag_counts_what_there_is_to_do(fresh().await, &elapse).await;
    actions::discarded_flow_never_runs(fresh().await, &elapse).await;
    actions::postponed_flow_waits(fresh().await, &elapse).await;
    actions::running_flow_is_left_alone(fresh().await, &elapse).await;
    actions::unreadable_and_large_flows_are_listed_and_discarded(fresh().await).await;
    lanes::handlers_and_tenants_take_turns(fresh().await).await;
    lanes::every_lane_gets_its_turn_beside_a_backlog(fresh().await).await;
    long_names::flows_are_stored_whole(fresh().await).await;
    answered_flows::flow_is_stored_with_its_answer_or_not_at_all(fresh().await, &elapse).await;
    concurrent_relays_lose_nothing_and_keep_the_order(fresh().await).await;
}

pub(super) fn flow(number: u128, entity: &str) -> QueuedFlow {
    let (id, body) = (Uuid::from_u128(number), number.to_be_bytes().to_vec());
    QueuedFlow::new(id, entity, format!("handler of {entity}"), Lane::default(), body)
}

pub(super) async fn enqueue<S: FlowStore>(store: &S, flows: impl IntoIterator<Item = (u128, &str)>) {
    for (number, entity) in flows {
        store.enqueue(flow(number, entity)).await.expect("a flow is stored");
    }
}

pub(super) async fn claim<S: FlowStore>(store: &S, limit: usize) -> Vec<Claim> {
    store.claim(Room::of(limit), LEASE).await.expect("flows can be claimed")
}

pub(super) fn numbers(claims: &[Claim]) -> Vec<u128> {
    claims.iter().map(|claim| claim.id.as_u128()).collect()
}

pub(super) async fn record_outcome<S: FlowStore>(store: &S, claim: &Claim, outcome: AttemptOutcome) -> bool {
    store.record_outcome(claim.claim_id(), outcome).await.expect("an outcome is recorded")
}

pub(super) async fn complete<S: FlowStore>(store: &S, claim: &Claim) -> bool {
    record_outcome(store, claim, AttemptOutcome::Completed).await
}

pub(super) fn failure(error: &str) -> AttemptFailure {
    AttemptFailure::new(FailureCause::new("handler", error))
}

pub(super) fn dead() -> AttemptOutcome {
    AttemptOutcome::Dead { failure: failure("no use"), body: None }
}

pub(super) async fn stored<S: FlowStore>(store: &S, number: u128) -> FlowSummary {
    store.get(Uuid::from_u128(number)).await.expect("a flow is found").expect("the flow exists").summary
}

async fn claim_that_is_handed_back_is_no_attempt<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [1]);
    for _ in 0..2 {
        // The second time the claim is lost.
        store.hand_back(vec![claims[0].claim_id()], LEASE).await.unwrap();
    }
    assert!(claim(&store, 10).await.is_empty(), "the flow is not due, and a later one of its entity waits");
    let released = stored(&store, 1).await;
    assert_eq!((released.state, released.attempts, &released.failure), (FlowState::Queued, 0, &None));
    elapse(&store, 2 * LEASE).await;
    let claims = claim(&store, 10).await;
    assert_eq!((numbers(&claims), claims[0].attempt), (vec![1], 1));
}

async fn flow_is_claimed_as_it_was_stored<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    // Not UTF-8, with every byte that could have a special meaning.
    let body: Vec<u8> = (0..=255).collect();
    let (entity, lane) = ("a:b%'\"\0é", Lane::of("h", "t"));
    let mut queued = flow(1, entity);
    (queued.body, queued.lane) = (body.clone(), lane);
    store.enqueue(queued).await.unwrap();
    let queued = stored(&store, 1).await;
    assert_eq!((queued.state, queued.attempts, queued.resubmitted), (FlowState::Queued, 0, 0));
    assert_eq!((&*queued.entity, &queued.failure, queued.ended_at), (entity, &None, None));

    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [1]);
    let claim_of = &claims[0];
    assert_eq!((&claim_of.body, claim_of.attempt), (&body, 1), "the attempt is counted when it begins");
    assert_eq!((&*claim_of.handler, claim_of.lane), (&*format!("handler of {entity}"), lane));
    assert!(claim(&store, 10).await.is_empty(), "it is claimed once");
    assert!(complete(&store, claim_of).await);
    assert!(!complete(&store, claim_of).await, "its outcome is recorded once");
    let kept = stored(&store, 1).await;
    assert_eq!((kept.state, kept.attempts), (FlowState::Completed, 1));
    assert!(kept.ended_at.is_some_and(|at| at >= queued.due), "{kept:?}");
    elapse(&store, DAY).await;
    assert!(claim(&store, 10).await.is_empty(), "it is never claimed again");
}

async fn flow_with_the_same_id_is_stored_once<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (1, "a")]).await;
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [1]);
    assert!(complete(&store, &claims[0]).await);
    // Stored again after its end, beside a new one of the same entity.
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    assert_eq!(numbers(&claim(&store, 10).await), [2]);
}

async fn entity_has_one_claim_at_a_time_in_order<S: FlowStore>(store: S) {
    enqueue(&store, [(5, "a"), (3, "b"), (4, "a"), (2, "b"), (1, "a")]).await;
    let first = claim(&store, 10).await;
    assert_eq!(numbers(&first), [5, 3]);
    assert!(claim(&store, 10).await.is_empty());
    assert!(complete(&store, &first[0]).await);
    let second = claim(&store, 10).await;
    assert_eq!(numbers(&second), [4], "b still waits");
    assert!(complete(&store, &second[0]).await);
    assert!(complete(&store, &first[1]).await);
    assert_eq!(numbers(&claim(&store, 1).await), [2], "the limit holds");
    assert_eq!(numbers(&claim(&store, 1).await), [1]);
}

async fn expired_lease_gives_the_flow_to_another<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    let lost = claim(&store, 10).await.remove(0);
    elapse(&store, LEASE / 2).await;
    assert!(claim(&store, 10).await.is_empty());
    elapse(&store, LEASE).await;
    let claims = claim(&store, 10).await;
    assert_eq!((numbers(&claims).as_slice(), claims[0].attempt), ([1].as_slice(), 2));
    for outcome in [AttemptOutcome::Completed, dead()] {
        assert!(!record_outcome(&store, &lost, outcome).await, "a lost claim records nothing");
    }
    let retry = AttemptOutcome::Retry { after: Duration::ZERO, failure: failure(""), body: Some(Vec::new()) };
    assert!(!record_outcome(&store, &lost, retry).await);
    assert!(complete(&store, &claims[0]).await);
    assert_eq!(numbers(&claim(&store, 10).await), [2]);
}

async fn lease_can_be_extended<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    enqueue(&store, [(1, "a"), (2, "b")]).await;
    let claims = claim(&store, 10).await;
    store.extend(vec![claims[0].claim_id()], 10 * LEASE).await.unwrap();
    elapse(&store, 2 * LEASE).await;
    let lost = claim(&store, 10).await;
    assert_eq!(numbers(&lost), [2], "the other one was not extended");
    store.extend(vec![claims[1].claim_id()], 100 * LEASE).await.unwrap();
    elapse(&store, 20 * LEASE).await;
    assert_eq!(numbers(&claim(&store, 10).await), [1, 2], "a claim that was lost extends nothing");
}

async fn retry_delays_its_entity_only<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b")]).await;
    let (claims, failure_of) = (claim(&store, 10).await, failure("not now"));
    let retry = AttemptOutcome::Retry { after: 2 * LEASE, failure: failure_of, body: Some(b"less".to_vec()) };
    assert!(record_outcome(&store, &claims[0], retry).await);
    assert!(complete(&store, &claims[1]).await);
    enqueue(&store, [(4, "b")]).await;
    elapse(&store, LEASE).await;
    assert_eq!(numbers(&claim(&store, 10).await), [4], "nor does what is behind it overtake");
    let queued = stored(&store, 1).await;
    assert_eq!((queued.error(), queued.attempts), (Some("not now"), 1));
    elapse(&store, 2 * LEASE).await;
    let again = claim(&store, 1).await;
    assert_eq!((again[0].attempt, again[0].body.as_slice()), (2, b"less".as_slice()));
    let retry = AttemptOutcome::Retry { after: Duration::ZERO, failure: failure("not yet"), body: None };
    assert!(record_outcome(&store, &again[0], retry).await);
    let again = claim(&store, 10).await;
    let again = again.iter().find(|claim| claim.id.as_u128() == 1).expect("it is due at once");
    assert_eq!(again.body, b"less", "without a new body the old one stays");
}

async fn dead_letter_delays_nothing<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    let claims = claim(&store, 10).await;
    assert!(record_outcome(&store, &claims[0], dead()).await);
    assert_eq!(numbers(&claim(&store, 10).await), [2]);
    let letter = store.get(Uuid::from_u128(1)).await.unwrap().expect("the flow exists");
    let StoredFlow { summary, body, .. } = &letter;
    assert_eq!((summary.state, summary.error(), summary.attempts), (FlowState::Dead, Some("no use"), 1));
    assert!(summary.ended_at.is_some() && summary.failed_at.is_some());
    assert_eq!(*body, 1_u128.to_be_bytes().to_vec());
}

async fn resubmitted_flow_comes_last<S: FlowStore>(store: S) {
    let resubmit = async |number| store.resubmit(Uuid::from_u128(number)).await.unwrap();
    enqueue(&store, [(1, "a"), (2, "a"), (3, "a")]).await;
    let first = claim(&store, 10).await;
    assert_eq!(resubmit(1).await, ActionResult::Running);
    assert!(record_outcome(&store, &first[0], dead()).await);
    let second = claim(&store, 10).await;
    assert_eq!(resubmit(1).await, ActionResult::Done);
    assert_eq!(resubmit(1).await, ActionResult::Refused(FlowState::Queued));
    let again = stored(&store, 1).await;
    assert_eq!((again.state, again.attempts, again.resubmitted), (FlowState::Queued, 0, 1));
    assert_eq!((&again.failure, again.failed_at, again.ended_at), (&None, None, None));
    assert!(claim(&store, 10).await.is_empty(), "an attempt of its entity is under way");
    assert!(complete(&store, &second[0]).await);
    let third = claim(&store, 10).await;
    assert_eq!(numbers(&third), [3]);
    assert!(complete(&store, &third[0]).await);
    let again = claim(&store, 10).await;
    assert_eq!((numbers(&again).as_slice(), again[0].resubmitted), ([1].as_slice(), 1));
    assert!(complete(&store, &again[0]).await);
    assert_eq!(resubmit(1).await, ActionResult::Refused(FlowState::Completed));
}

async fn purge_deletes_only_ended_flows<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    enqueue(&store, [(1, "a"), (2, "b"), (3, "c")]).await;
    let claims = claim(&store, 2).await;
    assert!(complete(&store, &claims[0]).await);
    assert!(record_outcome(&store, &claims[1], dead()).await);
    elapse(&store, DAY / 2).await;
    assert_eq!(store.purge(FlowState::Completed, DAY).await.unwrap(), 0, "not before its time");
    elapse(&store, DAY).await;
    assert_eq!(store.purge(FlowState::Queued, DAY).await.unwrap(), 0);
    assert_eq!(store.purge(FlowState::Completed, DAY).await.unwrap(), 1);
    assert_eq!(store.purge(FlowState::Dead, DAY).await.unwrap(), 1);
    assert_eq!(stored(&store, 3).await.state, FlowState::Queued);
    assert_eq!(store.get(Uuid::from_u128(1)).await.unwrap(), None);
}

async fn unknown_flow_is_not_found<S: FlowStore>(store: S) {
    assert!(claim(&store, 10).await.is_empty());
    assert_eq!(store.get(Uuid::from_u128(1)).await.unwrap(), None);
    assert_eq!(store.resubmit(Uuid::from_u128(1)).await.unwrap(), ActionResult::NotFound);
    enqueue(&store, [(1, "a")]).await;
    assert!(claim(&store, 0).await.is_empty(), "a limit of 0 claims nothing");
    let held = ClaimId { id: Uuid::from_u128(1), token: Uuid::nil() };
    assert!(!store.record_outcome(held, AttemptOutcome::Completed).await.unwrap(), "no claim exists");
    store.extend(vec![held], DAY).await.unwrap();
    store.extend(Vec::new(), DAY).await.unwrap();
    assert_eq!(numbers(&claim(&store, 10).await), [1]);
}

const ENTITIES: u128 = 7;
const FLOWS: u128 = 50;
const RELAYS: usize = 4;

/// Flows are stored and claimed concurrently.
async fn concurrent_relays_lose_nothing_and_keep_the_order<S: FlowStore>(store: S) {
    let store = Arc::new(store);
    let mut storing = JoinSet::new();
    for entity in 0..ENTITIES {
        let store = Arc::clone(&store);
        storing.spawn(async move {
            for number in 0..FLOWS {
                let flow = flow(entity * FLOWS + number, &format!("entity {entity}"));
                store.enqueue(flow).await.unwrap();
            }
        });
    }
    let (sender, mut done) = tokio::sync::mpsc::unbounded_channel();
    let mut relays = JoinSet::new();
    for _ in 0..RELAYS {
        let (store, sender) = (Arc::clone(&store), sender.clone());
        relays.spawn(async move {
            loop {
                for claim in store.claim(Room::of(3), LEASE).await.unwrap() {
                    sender.send(claim.id.as_u128()).unwrap();
                    assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap());
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let mut order = vec![Vec::new(); usize::try_from(ENTITIES).unwrap_or_default()];
    for _ in 0..ENTITIES * FLOWS {
        let number = done.recv().await.expect("relays go on");
        order[usize::try_from(number / FLOWS).unwrap_or_default()].push(number % FLOWS);
    }
    storing.join_all().await;
    relays.shutdown().await;
    let all: Vec<_> = (0..FLOWS).collect();
    assert!(order.iter().all(|of_one| *of_one == all), "each once, in its entity's order: {order:?}");
    assert!(claim(&*store, 10).await.is_empty());
}
