//! Several relays at once, transactions that commit late, and relays that die.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use graceful::{
    Orchestrator, RelaySettings, StepError,
    backends::{AttemptOutcome, Claim, FlowState, FlowStore as _, Lane, QueuedFlow, Room, Uuid},
    orchestrate,
};
use graceful_postgres::Store;
use sqlx::Connection as _;
use tokio::{sync::mpsc, task::JoinSet};

use super::{Postgres, execute};

const ENTITIES: i64 = 20;
const WRITERS: i64 = 8;
const FLOWS: i64 = 3000;
const LEASE: Duration = Duration::from_millis(300);

/// Claims, tells, settles, and tells whether it did; every few flows it dies with a claim in its hand, and another takes its place.
async fn relay(store: Store, told: mpsc::UnboundedSender<(Uuid, bool)>, dies_after: usize) {
    let mut claimed = 0;
    loop {
        for claim in store.claim(Room::of(7), LEASE).await.unwrap() {
            claimed += 1;
            if claimed == dies_after {
                return;
            }
            told.send((claim.id, false)).unwrap();
            let settled = store.record_outcome(claim.claim_id(), AttemptOutcome::Completed).await.unwrap();
            told.send((claim.id, settled)).unwrap();
        }
        tokio::task::yield_now().await;
    }
}

/// Another session has the lock of claims, so the relay's claim is in flight when the shutdown begins.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_waits_for_the_claim_in_flight_and_its_flows() {
    #[orchestrate(pattern = "user", id = id, delivery = "durable")]
    async fn ask(id: u8) -> Result<u8, StepError> {
        Ok(id)
    }

    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await.timeout(Duration::from_mins(1));
    let mut other = postgres.connection(&schema).await;
    let mut locked = other.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0))";
    sqlx::raw_sql(lock).execute(&mut *locked).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").store(store.clone()).build().unwrap();
    orchestrator.scope(ask(1)).await.unwrap();
    let waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid::bigint = \
                 hashtextextended('graceful_claim ' || current_schema(), 0) & 4294967295";
    let mut watching = postgres.connection(&schema).await;
    while sqlx::query(waits).fetch_optional(&mut watching).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let stopping = orchestrator.clone();
    let shutdown = tokio::spawn(async move { stopping.shutdown(Duration::from_mins(1)).await });
    orchestrator.shutdown_begins().await;
    locked.commit().await.unwrap();
    assert_eq!(shutdown.await.unwrap(), 0);
    assert_eq!(store.count(FlowState::Completed.into(), 10).await.unwrap().number, 1);
    postgres.clean().await;
}

/// Transactions insert flows and commit after a while. Each committed flow must be completed once, by the relay that
/// held its claim. When one transaction of an entity had committed before the next began, their flows must be completed
/// in that order.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn committed_flows_are_delivered_once_and_in_order() {
    #[orchestrate(pattern = "user", id = entity, payload = number, delivery = "durable", tx = tx)]
    async fn count(
        tx: &mut sqlx::Transaction<'_, sqlx::Postgres>,
        entity: i64,
        number: i64,
    ) -> Result<(), StepError> {
        let _ = (tx, entity, number);
        Ok(())
    }

    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let orchestrator = Orchestrator::builder()
        .service("users")
        .store(store.clone())
        .relay(RelaySettings::off())
        .build()
        .unwrap();

    let (told, mut settled) = mpsc::unbounded_channel();
    let mut relays = JoinSet::new();
    for dies_after in [usize::MAX, 40, 60, 80] {
        relays.spawn(relay(postgres.store(&schema).await, told.clone(), dies_after));
    }

    // Each entity has one writer, whose next transaction begins when the one before has committed.
    let (mut writers, numbers) = (JoinSet::new(), Arc::new(AtomicI64::new(0)));
    for writer in 0..WRITERS {
        let (mut connection, orchestrator) = (postgres.connection(&schema).await, orchestrator.clone());
        let numbers = Arc::clone(&numbers);
        writers.spawn(async move {
            let mut committed = Vec::new();
            for round in 0..FLOWS / WRITERS {
                let entity = (round % (ENTITIES / WRITERS + 1)) * WRITERS + writer;
                let number = numbers.fetch_add(1, Ordering::SeqCst);
                let mut transaction = connection.begin().await.unwrap();
                orchestrator.scope(count(&mut transaction, entity, number)).await.unwrap();
                for _ in 0..(number * 7919) % 50 {
                    tokio::task::yield_now().await;
                }
                // One in ten is rolled back.
                if number % 10 == 9 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                    committed.push((entity, number));
                }
            }
            committed
        });
    }
    let committed: Vec<_> = writers.join_all().await.into_iter().flatten().collect();

    let (mut delivered, mut seen, mut ended) = (HashMap::<String, Vec<i64>>::new(), HashSet::new(), 0);
    while ended < committed.len() {
        let (id, is_settled) = graceful_tests::gate::awaited(settled.recv()).await.unwrap();
        ended += usize::from(is_settled);
        // One whose lease was over comes again, by another.
        if seen.insert(id) {
            let flow = store.get(id).await.unwrap().unwrap().flow().unwrap();
            delivered.entry(flow.entity_id().to_string()).or_default().push(flow.payload().decode().unwrap());
        }
    }
    let mut expected = HashMap::<String, Vec<i64>>::new();
    for (entity, number) in committed {
        expected.entry(entity.to_string()).or_default().push(number);
    }
    assert_eq!(delivered, expected);
    relays.shutdown().await;
    while let Ok((_, is_settled)) = settled.try_recv() {
        assert!(!is_settled, "nothing is settled twice");
    }
    assert!(store.count(FlowState::Queued.into(), 1).await.unwrap().number == 0);
    postgres.clean().await;
}

/// A late commit reveals an older flow of an entity while a newer one is claimed: the older one waits.
#[test(requires(Postgres))]
async fn late_commit_does_not_claim_two_flows_of_one_entity() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let flow = |id: u128| QueuedFlow::new(Uuid::from_u128(id), "a", "h", Lane::default(), Vec::new());
    let mut connection = postgres.connection(&schema).await;
    let mut late = connection.begin().await.unwrap();
    sqlx::query("INSERT INTO graceful_flows (id, entity, handler, body, due) VALUES ($1, 'a', 'h', '', 0)")
        .bind(Uuid::from_u128(1))
        .execute(&mut *late)
        .await
        .unwrap();
    store.enqueue(flow(2)).await.unwrap();
    let claim = async || store.claim(Room::of(10), Duration::from_secs(30)).await.unwrap();
    let newer = claim().await;
    assert_eq!(newer[0].id, Uuid::from_u128(2));
    late.commit().await.unwrap();
    assert!(claim().await.is_empty());
    let settled = store.record_outcome(newer[0].claim_id(), AttemptOutcome::Completed).await.unwrap();
    assert!(settled);
    assert_eq!(claim().await[0].id, Uuid::from_u128(1));
    postgres.clean().await;
}

/// The older flow appears while the newer one is being claimed: another relay that claims meanwhile waits, and then sees
/// that claim.
#[test(requires(Postgres))]
async fn concurrent_claims_do_not_take_two_flows_of_one_entity() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let insert = "INSERT INTO graceful_flows (id, entity, handler, body, due) VALUES ($1, 'a', 'h', '', 0)";
    let [mut late, mut first] = [postgres.connection(&schema).await, postgres.connection(&schema).await];
    let (mut late, mut first) = (late.begin().await.unwrap(), first.begin().await.unwrap());
    sqlx::query(insert).bind(Uuid::from_u128(1)).execute(&mut *late).await.unwrap();
    sqlx::query(insert)
        .bind(Uuid::from_u128(2))
        .execute(&mut postgres.connection(&schema).await)
        .await
        .unwrap();
    let claimed: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM graceful_claim(10, 10, 60000000, gen_random_uuid(), '{}', '{}', '{}')",
    )
    .fetch_all(&mut *first)
    .await
    .unwrap();
    assert_eq!(claimed, [Uuid::from_u128(2)]);
    late.commit().await.unwrap();

    let second = tokio::spawn(store.claim(Room::of(10), Duration::from_secs(30)));
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *first).await.unwrap();
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))";
    let mut looking = postgres.connection(&schema).await;
    while !sqlx::query_scalar::<_, bool>(waits).bind(process).fetch_one(&mut looking).await.unwrap() {
        assert!(!second.is_finished(), "it did not wait: {:?}", second.await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap().unwrap(), []);
    postgres.clean().await;
}

/// Flows that wait behind a flow of their own entity do not delay other entities, however many they are.
#[test(requires(Postgres))]
async fn long_queue_of_one_entity_delays_no_other() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let store = postgres.store(&schema).await;
    let mut connection = postgres.connection(&schema).await;
    let insert = "INSERT INTO graceful_flows (id, entity, handler, body, due) \
                  SELECT gen_random_uuid(), $1, $1, '', 0 FROM generate_series(1, $2)";
    for (entity, count) in [("m", 20_000_i64), ("b", 2), ("x", 2)] {
        sqlx::query(insert).bind(entity).bind(count).execute(&mut connection).await.unwrap();
    }
    // The server does so by itself, sooner or later, and may then choose another plan.
    execute(&mut connection, "ANALYZE graceful_flows").await;
    let entities = |claims: &[Claim]| claims.iter().map(|claim| claim.handler.clone()).collect::<Vec<_>>();
    let claim = async |limit| store.claim(Room::of(limit), Duration::from_secs(30)).await.unwrap();
    // A claim looks at a part of what has arrived.
    let mut held = Vec::new();
    for _ in 0..100 {
        held.extend(claim(10).await);
    }
    held.sort_unstable_by(|one: &Claim, other| one.handler.cmp(&other.handler));
    assert_eq!(entities(&held), ["b", "m", "x"]);
    for held in &held[..2] {
        assert!(store.record_outcome(held.claim_id(), AttemptOutcome::Completed).await.unwrap());
    }
    assert_eq!(entities(&claim(10).await), ["m", "b"]);
    assert_eq!(claim(10).await, []);
    postgres.clean().await;
}
