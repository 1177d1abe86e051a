//! Discarding flows beside relays strands no other flow of their entities.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use graceful::backends::{
    Action, AttemptOutcome, Claim, FlowFilter, FlowState, FlowStore as _, Lane, NewOperation,
    Operations as _, QueuedFlow, Room, SelectedFlow, Uuid,
};
use graceful_postgres::Store;
use sqlx::Connection as _;
use tokio::task::JoinSet;

use super::Postgres;

const ENTITIES: u128 = 150;
const LEASE: Duration = Duration::from_mins(10);

/// The flows of an entity: `3 * entity`, and the next two.
async fn three_flows_of_each_entity(store: &Store) {
    for number in 0..3 * ENTITIES {
        let (id, entity) = (Uuid::from_u128(number), format!("e{}", number / 3));
        store.enqueue(QueuedFlow::new(id, entity, "h", Lane::default(), Vec::new())).await.unwrap();
    }
}

async fn complete(store: &Store, claim: Claim) {
    assert!(store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap());
}

/// Claims and completes all flows, and returns how many are left.
async fn run_the_rest(store: &Store) -> u64 {
    loop {
        let claims = store.claim(Room::of(100), LEASE).await.unwrap();
        if claims.is_empty() {
            return store.count(FlowFilter::from(FlowState::Queued), 1000).await.unwrap().number;
        }
        for claim in claims {
            complete(store, claim).await;
        }
    }
}

/// The next flow is discarded while the head ends.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn flow_discarded_beside_the_end_of_its_entitys_head_strands_no_other() {
    let postgres = Postgres::new();
    let store = postgres.fresh().await;
    three_flows_of_each_entity(&store).await;
    let mut heads = Vec::new();
    while heads.len() < usize::try_from(ENTITIES).unwrap() {
        heads.extend(store.claim(Room::of(100), LEASE).await.unwrap());
    }
    let store = Arc::new(store);
    let mut tasks = JoinSet::new();
    for claim in heads {
        let next = Uuid::from_u128(claim.id.as_u128() + 1);
        let discarding = Arc::clone(&store);
        tasks.spawn(async move {
            let _ = discarding.discard(next, FlowState::Queued).await.unwrap();
        });
        let completing = Arc::clone(&store);
        tasks.spawn(async move { complete(&completing, claim).await });
        if tasks.len() >= 8 {
            tasks.join_next().await.unwrap().unwrap();
        }
    }
    tasks.join_all().await;
    assert_eq!(run_the_rest(&store).await, 0);
    postgres.clean().await;
}

/// The first flow, at which no claim has looked, is discarded while claims begin.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn flow_discarded_beside_its_first_claim_strands_no_other() {
    let postgres = Postgres::new();
    let store = Arc::new(postgres.fresh().await);
    three_flows_of_each_entity(&store).await;
    let mut tasks = JoinSet::new();
    for entity in 0..ENTITIES {
        let discarding = Arc::clone(&store);
        let first = Uuid::from_u128(3 * entity);
        tasks.spawn(async move {
            let _ = discarding.discard(first, FlowState::Queued).await.unwrap();
            Vec::new()
        });
        let claiming = Arc::clone(&store);
        tasks.spawn(async move { claiming.claim(Room::of(3), LEASE).await.unwrap() });
    }
    let mut claimed = BTreeSet::new();
    for claims in tasks.join_all().await {
        for claim in claims {
            assert!(claimed.insert(claim.id), "a flow is claimed once");
            complete(&store, claim).await;
        }
    }
    assert_eq!(run_the_rest(&store).await, 0);
    postgres.clean().await;
}

/// Somebody has locked the row of a flow, e.g. by a transaction that was forgotten.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn operation_on_a_locked_flow_fails_and_stops_no_claim() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    three_flows_of_each_entity(&store).await;
    let new = NewOperation::new(Action::Postpone(LEASE), "id", "ada");
    let (operation, locked) = (new.id, store.get(Uuid::from_u128(0)).await.unwrap().unwrap().summary);
    store.prepare(new).await.unwrap();
    store.select(operation, vec![SelectedFlow::of(&locked)]).await.unwrap();
    store.fix(operation).await.unwrap();
    store.start(operation).await.unwrap();
    let claim = store.claim_operation(Some(operation), LEASE).await.unwrap().unwrap();
    let mut connection = postgres.connection(&schema).await;
    let mut forgotten = connection.begin().await.unwrap();
    let lock = "SELECT FROM graceful_flows WHERE id = '00000000-0000-0000-0000-000000000000' FOR UPDATE";
    sqlx::raw_sql(lock).execute(&mut *forgotten).await.unwrap();
    let error = store.advance(claim, LEASE, 10).await.unwrap_err();
    assert!(error.message().contains("lock timeout"), "{error}");
    let error = store.discard(locked.id, FlowState::Queued).await.unwrap_err();
    assert!(error.message().contains("lock timeout"), "{error}");
    let claims = store.claim(Room::of(10), LEASE).await.unwrap();
    assert!(
        claims.len() >= 9 && claims.iter().all(|claim| claim.id != locked.id),
        "others are claimed: {claims:?}"
    );
    forgotten.rollback().await.unwrap();
    assert_eq!(store.advance(claim, LEASE, 10).await.unwrap().unwrap().done, 1);
    postgres.clean().await;
}
