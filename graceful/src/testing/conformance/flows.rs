//! What a [`FlowStore`] must do.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::at;
use crate::backends::{Claim, FlowState, FlowStore, QueuedFlow, Settlement};

const LEASE: Duration = Duration::from_secs(30);

/// Checks the promises of [`FlowStore`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// use graceful::{backends::memory, testing::conformance};
/// conformance::flow_store(async || memory::Flows::new()).await;
/// # });
/// ```
pub async fn flow_store<S: FlowStore>(fresh: impl AsyncFn() -> S) {
    is_handed_out_as_it_came(fresh().await).await;
    the_same_id_is_the_same_flow(fresh().await).await;
    an_entity_has_one_at_a_time_in_order(fresh().await).await;
    what_is_not_due_waits(fresh().await).await;
    a_lease_that_is_over_gives_the_flow_to_another(fresh().await).await;
    a_lease_can_be_extended(fresh().await).await;
    a_retry_holds_back_its_entity_only(fresh().await).await;
    a_dead_letter_holds_back_nothing(fresh().await).await;
    what_is_resubmitted_comes_last(fresh().await).await;
    purging_forgets_what_has_ended(fresh().await).await;
    what_is_not_there_is_not_found(fresh().await).await;
    many_at_once_lose_nothing_and_keep_the_order(fresh().await).await;
}

fn flow(number: u128, entity: &str) -> QueuedFlow {
    QueuedFlow {
        id: Uuid::from_u128(number),
        entity: entity.to_owned(),
        handler: format!("handler of {entity}"),
        body: number.to_be_bytes().to_vec(),
        at: at(0),
    }
}

async fn enqueue<S: FlowStore>(store: &S, flows: impl IntoIterator<Item = (u128, &str)>) {
    for (number, entity) in flows {
        store.enqueue(flow(number, entity)).await.expect("a flow is stored");
    }
}

async fn claim<S: FlowStore>(store: &S, second: i64, limit: usize) -> Vec<Claim> {
    store.claim(at(second), limit, LEASE).await.expect("flows are handed out")
}

fn numbers(claims: &[Claim]) -> Vec<u128> {
    claims.iter().map(|claim| claim.id.as_u128()).collect()
}

async fn settle<S: FlowStore>(store: &S, claim: &Claim, settlement: Settlement) -> bool {
    store.settle(claim.held(), settlement, at(10)).await.expect("an attempt is settled")
}

async fn complete<S: FlowStore>(store: &S, claim: &Claim) -> bool {
    settle(store, claim, Settlement::Completed).await
}

fn dead() -> Settlement {
    Settlement::Dead { error: "no use".to_owned(), body: None }
}

async fn listed<S: FlowStore>(store: &S, state: FlowState) -> Vec<u128> {
    let listed = store.list(state, 100).await.expect("flows are listed");
    assert!(listed.iter().all(|stored| stored.state == state));
    listed.iter().map(|stored| stored.id.as_u128()).collect()
}

async fn is_handed_out_as_it_came<S: FlowStore>(store: S) {
    // Not a text, and with every byte that means something to somebody.
    let body: Vec<u8> = (0..=255).collect();
    let entity = "a:b%'\"\0é";
    store.enqueue(QueuedFlow { body: body.clone(), ..flow(1, entity) }).await.unwrap();
    let stored = store.get(Uuid::from_u128(1)).await.unwrap().expect("it is there");
    assert_eq!((stored.state, stored.attempts, stored.due), (FlowState::Queued, 0, at(0)));
    assert_eq!((&*stored.entity, stored.error, stored.ended_at), (entity, None, None));

    let claims = claim(&store, 0, 10).await;
    assert_eq!(numbers(&claims), [1]);
    let claim_of = &claims[0];
    assert_eq!((&claim_of.body, claim_of.attempt), (&body, 1), "the attempt is counted when it begins");
    assert_eq!(claim_of.handler, format!("handler of {entity}"));
    assert!(claim(&store, 0, 10).await.is_empty(), "it is handed out once");
    assert!(complete(&store, claim_of).await);
    assert!(!complete(&store, claim_of).await, "it is settled once");
    let stored = store.get(Uuid::from_u128(1)).await.unwrap().expect("it is kept");
    assert_eq!((stored.state, stored.attempts, stored.ended_at), (FlowState::Completed, 1, Some(at(10))));
    assert!(claim(&store, 1_000_000, 10).await.is_empty(), "it is never handed out again");
}

async fn the_same_id_is_the_same_flow<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (1, "a")]).await;
    let claims = claim(&store, 0, 10).await;
    assert_eq!(numbers(&claims), [1]);
    assert!(complete(&store, &claims[0]).await);
    // Stored again after its end, beside a new one of the same entity.
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    assert_eq!(numbers(&claim(&store, 0, 10).await), [2]);
}

async fn an_entity_has_one_at_a_time_in_order<S: FlowStore>(store: S) {
    enqueue(&store, [(5, "a"), (3, "b"), (4, "a"), (2, "b"), (1, "a")]).await;
    assert_eq!(listed(&store, FlowState::Queued).await, [5, 3, 4, 2, 1], "by age, not by id");
    let first = claim(&store, 0, 10).await;
    assert_eq!(numbers(&first), [5, 3]);
    assert!(claim(&store, 0, 10).await.is_empty());
    assert!(complete(&store, &first[0]).await);
    let second = claim(&store, 0, 10).await;
    assert_eq!(numbers(&second), [4], "b still waits");
    assert!(complete(&store, &second[0]).await);
    assert!(complete(&store, &first[1]).await);
    assert_eq!(numbers(&claim(&store, 0, 1).await), [2], "the limit holds");
    assert_eq!(numbers(&claim(&store, 0, 1).await), [1]);
}

async fn what_is_not_due_waits<S: FlowStore>(store: S) {
    store.enqueue(QueuedFlow { at: at(60), ..flow(1, "a") }).await.unwrap();
    enqueue(&store, [(2, "a")]).await;
    assert!(claim(&store, 59, 10).await.is_empty(), "nor does what is behind it overtake");
    assert_eq!(numbers(&claim(&store, 60, 10).await), [1]);
}

async fn a_lease_that_is_over_gives_the_flow_to_another<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    let lost = claim(&store, 0, 10).await.remove(0);
    assert!(claim(&store, 29, 10).await.is_empty());
    let claims = claim(&store, 30, 10).await;
    assert_eq!((numbers(&claims).as_slice(), claims[0].attempt), ([1].as_slice(), 2));
    for settlement in [Settlement::Completed, dead()] {
        assert!(!settle(&store, &lost, settlement).await, "whoever lost it settles nothing");
    }
    let retry = Settlement::Retry { due: at(0), error: String::new(), body: Some(Vec::new()) };
    assert!(!settle(&store, &lost, retry).await);
    assert!(complete(&store, &claims[0]).await);
    assert_eq!(numbers(&claim(&store, 30, 10).await), [2]);
}

async fn a_lease_can_be_extended<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "b")]).await;
    let claims = claim(&store, 0, 10).await;
    store.extend(vec![claims[0].held()], at(100)).await.unwrap();
    let lost = claim(&store, 99, 10).await;
    assert_eq!(numbers(&lost), [2], "the other one was not extended");
    store.extend(vec![claims[1].held()], at(1000)).await.unwrap();
    assert_eq!(numbers(&claim(&store, 500, 10).await), [1, 2], "a claim that was lost extends nothing");
}

async fn a_retry_holds_back_its_entity_only<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b")]).await;
    let claims = claim(&store, 0, 10).await;
    let retry = Settlement::Retry { due: at(60), error: "not now".to_owned(), body: Some(b"less".to_vec()) };
    assert!(settle(&store, &claims[0], retry).await);
    assert!(complete(&store, &claims[1]).await);
    enqueue(&store, [(4, "b")]).await;
    assert_eq!(numbers(&claim(&store, 59, 10).await), [4]);
    let stored = store.get(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((stored.error.as_deref(), stored.attempts, stored.due), (Some("not now"), 1, at(60)));
    let again = claim(&store, 60, 10).await;
    assert_eq!((again[0].attempt, again[0].body.as_slice()), (2, b"less".as_slice()));
    let retry = Settlement::Retry { due: at(60), error: "not yet".to_owned(), body: None };
    assert!(settle(&store, &again[0], retry).await);
    assert_eq!(claim(&store, 60, 1).await[0].body, b"less", "without a new body the old one stays");
}

async fn a_dead_letter_holds_back_nothing<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a")]).await;
    let claims = claim(&store, 0, 10).await;
    assert!(settle(&store, &claims[0], dead()).await);
    assert_eq!(numbers(&claim(&store, 0, 10).await), [2]);
    let letters = store.list(FlowState::Dead, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].error.as_deref(), letters[0].ended_at), (Some("no use"), Some(at(10))));
    assert_eq!((letters[0].body.clone(), letters[0].attempts), (1_u128.to_be_bytes().to_vec(), 1));
}

async fn what_is_resubmitted_comes_last<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "a"), (3, "a")]).await;
    let first = claim(&store, 0, 10).await;
    assert!(settle(&store, &first[0], dead()).await);
    let second = claim(&store, 0, 10).await;
    assert!(store.resubmit(Uuid::from_u128(1), at(20)).await.unwrap());
    assert!(!store.resubmit(Uuid::from_u128(1), at(20)).await.unwrap(), "it is queued already");
    let stored = store.get(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.attempts, stored.due), (FlowState::Queued, 0, at(20)));
    assert_eq!((stored.error, stored.ended_at), (None, None));
    assert!(claim(&store, 20, 10).await.is_empty(), "an attempt of its entity is under way");
    assert!(complete(&store, &second[0]).await);
    let third = claim(&store, 20, 10).await;
    assert_eq!(numbers(&third), [3]);
    assert!(complete(&store, &third[0]).await);
    assert_eq!(numbers(&claim(&store, 20, 10).await), [1]);
    assert!(store.resubmit(Uuid::from_u128(2), at(20)).await.unwrap(), "what is completed can be, too");
}

async fn purging_forgets_what_has_ended<S: FlowStore>(store: S) {
    enqueue(&store, [(1, "a"), (2, "b"), (3, "c")]).await;
    let claims = claim(&store, 0, 2).await;
    assert!(complete(&store, &claims[0]).await);
    assert!(settle(&store, &claims[1], dead()).await);
    assert_eq!(store.purge(FlowState::Completed, at(10)).await.unwrap(), 0, "not before its time");
    assert_eq!(store.purge(FlowState::Queued, at(1_000_000)).await.unwrap(), 0);
    assert_eq!(store.purge(FlowState::Completed, at(11)).await.unwrap(), 1);
    assert_eq!(store.purge(FlowState::Dead, at(11)).await.unwrap(), 1);
    assert_eq!(listed(&store, FlowState::Queued).await, [3]);
    assert_eq!(store.get(Uuid::from_u128(1)).await.unwrap(), None);
}

async fn what_is_not_there_is_not_found<S: FlowStore>(store: S) {
    assert!(claim(&store, 0, 10).await.is_empty());
    assert_eq!(store.get(Uuid::from_u128(1)).await.unwrap(), None);
    assert!(!store.resubmit(Uuid::from_u128(1), at(0)).await.unwrap());
    enqueue(&store, [(1, "a")]).await;
    assert!(claim(&store, 0, 0).await.is_empty(), "a limit of nothing hands out nothing");
    let held = crate::backends::Held { id: Uuid::from_u128(1), token: Uuid::nil() };
    assert!(!store.settle(held, Settlement::Completed, at(0)).await.unwrap(), "nobody holds it");
    store.extend(vec![held], at(100)).await.unwrap();
    store.extend(Vec::new(), at(100)).await.unwrap();
    assert_eq!(numbers(&claim(&store, 0, 10).await), [1]);
}

const ENTITIES: u128 = 7;
const FLOWS: u128 = 50;
const RELAYS: usize = 4;

/// Whoever stores, and whoever takes out, does it at the same time as others.
async fn many_at_once_lose_nothing_and_keep_the_order<S: FlowStore>(store: S) {
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
                for claim in store.claim(at(0), 3, LEASE).await.unwrap() {
                    sender.send(claim.id.as_u128()).unwrap();
                    assert!(store.settle(claim.held(), Settlement::Completed, at(0)).await.unwrap());
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
    assert!(claim(&*store, 0, 10).await.is_empty());
}
