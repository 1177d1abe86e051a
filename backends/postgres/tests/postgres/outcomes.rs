//! Outcomes of attempts that end while a statement is under way are recorded together by the next statement.

use std::time::Duration;

use graceful::{
    Code, Step, StepErrorKind,
    backends::{
        AttemptFailure, AttemptOutcome, Claim, FailureCause, FlowState, FlowStore as _, Lane, QueuedFlow,
        Reply, Room, Uuid,
    },
};
use graceful_tests::{Link, gate::awaited};

use super::locked::{Locked, World};

const LEASE: Duration = Duration::from_secs(30);

fn flow(id: u128, entity: &str) -> QueuedFlow {
    QueuedFlow::new(Uuid::from_u128(id), entity, "h", Lane::default(), b"before".to_vec())
}

/// Stores and claims flows of so many entities.
async fn claims(world: &World, entities: u128) -> Vec<Claim> {
    for id in 0..entities {
        world.store.enqueue(flow(id, &format!("entity {id}"))).await.unwrap();
    }
    let mut room = Room::of(1_000);
    room.per_handler = 1_000;
    let claims = world.store.claim(room, LEASE).await.unwrap();
    assert_eq!(claims.len() as u128, entities);
    claims
}

fn failure(error: &str) -> AttemptFailure {
    let mut cause = FailureCause::new("h", error);
    (cause.step, cause.code) = (Some(Step::Event), Some(Code::Unavailable));
    let mut failure = AttemptFailure::new(cause).steps(vec![(Step::Event, error.to_owned())]);
    failure.took = Duration::from_millis(7);
    failure
}

fn retry(error: &str, body: Option<&[u8]>) -> AttemptOutcome {
    AttemptOutcome::Retry { after: Duration::ZERO, failure: failure(error), body: body.map(Vec::from) }
}

fn dead(error: &str, body: Option<&[u8]>) -> AttemptOutcome {
    AttemptOutcome::Dead { failure: failure(error), body: body.map(Vec::from) }
}

/// Records these outcomes while the statement of the first one waits for the lock.
async fn recorded_behind(
    world: &World,
    outcomes: Vec<(&Claim, AttemptOutcome)>,
) -> (Locked, Vec<Reply<bool>>) {
    let locked = world.lock().await;
    let mut replies = Vec::new();
    for (claim, outcome) in outcomes {
        replies.push(world.store.record_outcome(claim.claim_id(), outcome));
        if replies.len() == 1 {
            world.until_waiting(1).await;
        }
    }
    (locked, replies)
}

async fn answers(replies: Vec<Reply<bool>>) -> Vec<bool> {
    let mut answers = Vec::new();
    for reply in replies {
        answers.push(awaited(reply).await.unwrap());
    }
    answers
}

#[test(requires(Postgres))]
async fn outcomes_during_a_statement_are_recorded_together_and_each_as_alone() {
    let world = World::new().await;
    let claims = claims(&world, 12).await;
    let outcome = |number: usize| match number % 4 {
        0 => AttemptOutcome::Completed,
        1 => retry("no \0 route", Some(b"after")),
        2 => dead("gone", None),
        _ => retry("again", None),
    };
    let outcomes = claims.iter().enumerate().map(|(number, claim)| (claim, outcome(number))).collect();
    let (locked, replies) = recorded_behind(&world, outcomes).await;
    locked.release().await;
    assert_eq!(answers(replies).await, [true; 12]);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM graceful_flows";
    assert_eq!(world.number(transactions).await, 2, "the first alone, then the others");

    for (number, claim) in claims.iter().enumerate() {
        let stored = world.store.get(claim.id).await.unwrap().unwrap();
        let summary = &stored.summary;
        let (state, body, error) = match number % 4 {
            0 => (FlowState::Completed, "before", None),
            1 => (FlowState::Queued, "after", Some("no \0 route")),
            2 => (FlowState::Dead, "before", Some("gone")),
            _ => (FlowState::Queued, "before", Some("again")),
        };
        assert_eq!((summary.state, stored.body.as_slice()), (state, body.as_bytes()), "{number}");
        assert_eq!(summary.ended_at.is_some(), state != FlowState::Queued);
        assert_eq!(summary.failed_at.is_some(), error.is_some());
        assert!(!summary.running);
        let attempts = world.store.attempts(claim.id).await.unwrap();
        assert_eq!(attempts.len(), usize::from(error.is_some()));
        if let Some(error) = error {
            assert_eq!(summary.failure, Some(failure(error).cause));
            assert_eq!((attempts[0].number, &attempts[0].failure), (1, &failure(error)));
        }
    }
    assert_eq!(world.store.claim(Room::of(100), LEASE).await.unwrap().len(), 6, "those that are tried again");
    world.clean().await;
}

#[test(requires(Postgres))]
async fn lost_claim_and_second_outcome_of_a_claim_are_not_recorded() {
    let world = World::new().await;
    let claims = claims(&world, 5).await;
    let mut lost = claims[1].clone();
    lost.token = Uuid::from_u128(1);
    let outcomes = vec![
        (&claims[0], AttemptOutcome::Completed),
        (&lost, AttemptOutcome::Completed),
        (&claims[2], retry("first", None)),
        (&claims[2], AttemptOutcome::Completed),
        (&claims[3], AttemptOutcome::Completed),
        (&claims[3], dead("second", None)),
        (&claims[0], dead("second", None)),
    ];
    let (locked, replies) = recorded_behind(&world, outcomes).await;
    locked.release().await;
    assert_eq!(answers(replies).await, [true, false, true, false, true, false, false]);
    let states = async |id: usize| world.store.get(claims[id].id).await.unwrap().unwrap().summary;
    assert!(states(1).await.running);
    assert_eq!((states(2).await.state, states(3).await.state), (FlowState::Queued, FlowState::Completed));
    assert_eq!(world.number("SELECT count(*) FROM graceful_attempts").await, 1);
    world.clean().await;
}

#[test(requires(Postgres))]
async fn outcome_that_the_server_refuses_fails_alone() {
    let world = World::new().await;
    world.execute("ALTER TABLE graceful_attempts ADD CONSTRAINT refused CHECK (error <> 'refused')").await;
    let claims = claims(&world, 8).await;
    let outcome = |number| match number {
        5 => retry("refused", None),
        3 => dead("accepted", None),
        _ => AttemptOutcome::Completed,
    };
    let outcomes = claims.iter().enumerate().map(|(number, claim)| (claim, outcome(number))).collect();
    let (locked, replies) = recorded_behind(&world, outcomes).await;
    locked.release().await;
    for (number, reply) in replies.into_iter().enumerate() {
        match awaited(reply).await {
            Ok(is_recorded) => assert!(is_recorded && number != 5),
            Err(error) => {
                assert!(number == 5 && error.message().contains("refused"), "{number}: {error}");
                assert_eq!(error.kind(), StepErrorKind::Failed);
            }
        }
    }
    assert!(world.store.get(claims[5].id).await.unwrap().unwrap().summary.running);
    world.clean().await;
}

/// The outcome that waits for the lock is lost with its connection; those behind it are recorded by the next one.
#[test(requires(Postgres))]
async fn lost_connection_fails_only_the_outcomes_of_its_statement() {
    let world = World::new().await;
    let claims = claims(&world, 4).await;
    let outcomes = claims.iter().map(|claim| (claim, AttemptOutcome::Completed)).collect();
    let (locked, mut replies) = recorded_behind(&world, outcomes).await;
    world.proxy.set(Link::Reset).await;
    world.proxy.set(Link::Up).await;
    let error = awaited(replies.remove(0)).await.unwrap_err();
    assert!(error.message().starts_with(&format!("PostgreSQL at {}", world.proxy.address())), "{error}");
    locked.release().await;
    assert_eq!(answers(replies).await, [true; 3]);
    world.clean().await;
}

#[test(requires(Postgres))]
async fn dropped_reply_of_an_outcome_loses_none() {
    let world = World::new().await;
    let claims = claims(&world, 6).await;
    let outcomes = claims.iter().map(|claim| (claim, AttemptOutcome::Completed)).collect();
    let (locked, mut replies) = recorded_behind(&world, outcomes).await;
    let last = replies.pop().unwrap();
    drop(replies);
    locked.release().await;
    assert!(awaited(last).await.unwrap());
    let completed = "SELECT count(*) FROM graceful_flows WHERE state = 1";
    assert_eq!(world.number(completed).await, 6);
    world.clean().await;
}

#[test(requires(Postgres))]
async fn next_flow_of_each_entity_can_be_claimed_after_a_batch() {
    let world = World::new().await;
    let claims = claims(&world, 6).await;
    for id in 0..6 {
        world.store.enqueue(flow(100 + id, &format!("entity {id}"))).await.unwrap();
    }
    assert_eq!(world.store.claim(Room::of(100), LEASE).await.unwrap(), []);
    let outcomes = claims.iter().enumerate().map(|(number, claim)| match number % 2 {
        0 => (claim, AttemptOutcome::Completed),
        _ => (claim, dead("gone", None)),
    });
    let (locked, replies) = recorded_behind(&world, outcomes.collect()).await;
    locked.release().await;
    assert_eq!(answers(replies).await, [true; 6]);
    let next = world.store.claim(Room::of(100), LEASE).await.unwrap();
    assert_eq!(
        next.iter().map(|claim| claim.id.as_u128()).collect::<Vec<_>>(),
        (100..106).collect::<Vec<_>>()
    );
    world.clean().await;
}

/// Leases are extended while outcomes are recorded. Both statements lock many rows, and neither waits for the other in a circle.
#[test(requires(Postgres), flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_and_extended_leases_do_not_wait_for_each_other() {
    let world = World::new().await;
    let mut held = claims(&world, 200).await;
    for _ in 0..30 {
        let ids = held.iter().map(Claim::claim_id).collect();
        let extended = tokio::spawn(world.store.extend(ids, LEASE));
        let mut recording = Vec::new();
        for claim in held.iter().rev() {
            recording.push(tokio::spawn(world.store.record_outcome(claim.claim_id(), retry("again", None))));
        }
        for recorded in recording {
            assert!(awaited(recorded).await.unwrap().unwrap());
        }
        awaited(extended).await.unwrap().expect("no deadlock");
        let mut room = Room::of(1_000);
        room.per_handler = 1_000;
        held = world.store.claim(room, LEASE).await.unwrap();
        assert_eq!(held.len(), 200);
        fastrand::shuffle(&mut held);
    }
    world.clean().await;
}
