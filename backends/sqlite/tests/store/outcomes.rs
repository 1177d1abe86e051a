//! Outcomes that are recorded while the writer is busy share a transaction, and so does the next claim.

use std::{future::poll_fn, path::Path, pin::pin, time::Duration};

use graceful::backends::{
    AttemptFailure, AttemptOutcome, Claim, FailureCause, FlowState, FlowStore as _, Lane, QueuedFlow, Room,
    Uuid,
};
use graceful_sqlite::Store;
use sqlx::{Connection as _, SqliteConnection};

use super::{elapse, fresh};

const LEASE: Duration = Duration::from_mins(10);

/// Another connection that has the write lock: what the store writes waits, and comes together.
struct Busy(SqliteConnection);

impl Busy {
    async fn new(store: &Store) -> Self {
        let mut connection = other(store).await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        Self(connection)
    }

    async fn end(mut self) {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
    }
}

async fn other(store: &Store) -> SqliteConnection {
    SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap()
}

/// The number of transactions in the write-ahead log: the frames that end one contain the size of the database. See
/// <https://sqlite.org/fileformat2.html#walformat>.
pub(super) fn transactions(database: &Path) -> usize {
    let log = std::fs::read(format!("{}-wal", database.display())).unwrap();
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salts) = (word(8) as usize, &log[16..24]);
    let frames = (32..).step_by(24 + page).take_while(|at| at + 24 + page <= log.len());
    // A frame of an earlier log has other salts.
    frames.take_while(|at| &log[at + 8..at + 16] == salts).filter(|at| word(at + 4) > 0).count()
}

async fn enqueue(store: &Store, flows: impl IntoIterator<Item = (u128, &str)>) {
    for (number, entity) in flows {
        let flow = QueuedFlow::new(Uuid::from_u128(number), entity, "h", Lane::default(), vec![1]);
        store.enqueue(flow).await.unwrap();
    }
}

async fn claim(store: &Store) -> Vec<Claim> {
    store.claim(Room::of(100), LEASE).await.unwrap()
}

fn numbers(claims: &[Claim]) -> Vec<u128> {
    claims.iter().map(|claim| claim.id.as_u128()).collect()
}

async fn states(store: &Store, numbers: impl IntoIterator<Item = u128>) -> Vec<FlowState> {
    let mut states = Vec::new();
    for number in numbers {
        states.push(store.get(Uuid::from_u128(number)).await.unwrap().unwrap().summary.state);
    }
    states
}

fn failure(error: &str) -> AttemptFailure {
    AttemptFailure::new(FailureCause::new("h", error))
}

fn retry() -> AttemptOutcome {
    AttemptOutcome::Retry { after: Duration::ZERO, failure: failure("again"), body: Some(vec![2]) }
}

fn dead() -> AttemptOutcome {
    AttemptOutcome::Dead { failure: failure("no use"), body: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_of_every_kind_while_writer_is_busy_share_one_transaction() {
    let (_dir, store) = fresh().await;
    let entities: Vec<_> = (0..30).map(|number| format!("e{number}")).collect();
    enqueue(&store, (0..).zip(entities.iter().map(String::as_str))).await;
    let claims = claim(&store).await;
    let (busy, before) = (Busy::new(&store).await, transactions(store.path()));
    let outcomes = [|| AttemptOutcome::Completed, retry, dead];
    let replies: Vec<_> = (0..)
        .zip(&claims)
        .map(|(number, claim)| store.record_outcome(claim.claim_id(), outcomes[number % 3]()))
        .collect();
    busy.end().await;
    for reply in replies {
        assert!(reply.await.unwrap());
    }
    assert_eq!(transactions(store.path()) - before, 1);
    let expected = [FlowState::Completed, FlowState::Queued, FlowState::Dead].repeat(10);
    assert_eq!(states(&store, 0..30).await, expected);
    let retried = store.get(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((retried.body, retried.summary.error()), (vec![2], Some("again")));
    for (number, attempts) in [(0, 0), (1, 1), (2, 1)] {
        assert_eq!(store.attempts(Uuid::from_u128(number)).await.unwrap().len(), attempts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lone_outcome_is_committed_at_once() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a")]).await;
    let claims = claim(&store).await;
    let before = transactions(store.path());
    assert!(store.record_outcome(claims[0].claim_id(), AttemptOutcome::Completed).await.unwrap());
    assert_eq!(transactions(store.path()) - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_outcome_fails_alone() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a"), (2, "bad"), (3, "b"), (4, "worse"), (5, "c")]).await;
    let claims = claim(&store).await;
    let refuse = "CREATE TRIGGER refused BEFORE UPDATE OF state ON graceful_flows WHEN OLD.entity IN ('bad', 'worse') \
                  BEGIN SELECT raise(ABORT, 'refused here'); END";
    sqlx::raw_sql(refuse).execute(&mut other(&store).await).await.unwrap();
    let busy = Busy::new(&store).await;
    let completed = || AttemptOutcome::Completed;
    let outcomes = [completed(), completed(), retry(), dead(), dead()];
    let replies: Vec<_> = claims
        .iter()
        .zip(outcomes)
        .map(|(claim, outcome)| store.record_outcome(claim.claim_id(), outcome))
        .collect();
    busy.end().await;
    let mut refused = Vec::new();
    for reply in replies {
        match reply.await {
            Ok(is_recorded) => assert!(is_recorded),
            Err(error) => refused.push(error.message().contains("refused here")),
        }
    }
    assert_eq!(refused, [true, true]);
    assert_eq!(
        states(&store, 1..6).await,
        [FlowState::Completed, FlowState::Queued, FlowState::Queued, FlowState::Queued, FlowState::Dead]
    );
}

/// The commit of a deferred constraint that is violated fails.
#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_acknowledged_only_after_their_commit() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a"), (2, "b")]).await;
    let claims = claim(&store).await;
    let violate = "CREATE TABLE parent (id INTEGER PRIMARY KEY); \
        CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED); \
        CREATE TRIGGER violate AFTER UPDATE OF state ON graceful_flows WHEN OLD.entity = 'a' BEGIN INSERT INTO child VALUES (7); END";
    let mut connection = other(&store).await;
    sqlx::raw_sql(violate).execute(&mut connection).await.unwrap();
    let busy = Busy::new(&store).await;
    let record = |claim: &Claim| store.record_outcome(claim.claim_id(), AttemptOutcome::Completed);
    let (first, mut second) = (record(&claims[0]), pin!(record(&claims[1])));
    let is_ready = poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx).is_ready())).await;
    assert!(!is_ready, "nothing is committed yet");
    busy.end().await;
    let error = first.await.unwrap_err();
    assert!(error.message().contains("FOREIGN KEY"), "{error}");
    assert!(second.await.unwrap());
    let completed = "SELECT count(*) FROM graceful_flows WHERE state = 1";
    let completed: i64 = sqlx::query_scalar(completed).fetch_one(&mut connection).await.unwrap();
    assert_eq!(completed, 1, "another connection sees what is acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_repeated_claims_in_a_batch_change_nothing() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a"), (2, "b"), (3, "c"), (4, "c")]).await;
    let lost = claim(&store).await;
    elapse(&store, LEASE * 2).await;
    let held = claim(&store).await;
    assert_eq!((numbers(&lost), numbers(&held)), (vec![1, 2, 3], vec![1, 2, 3]));
    let busy = Busy::new(&store).await;
    let complete = |claim: &Claim| store.record_outcome(claim.claim_id(), AttemptOutcome::Completed);
    let replies = [
        complete(&lost[0]),
        complete(&held[0]),
        complete(&held[1]),
        complete(&lost[1]),
        complete(&lost[2]),
        store.record_outcome(lost[2].claim_id(), dead()),
        complete(&held[0]),
    ];
    busy.end().await;
    let mut recorded = Vec::new();
    for reply in replies {
        recorded.push(reply.await.unwrap());
    }
    assert_eq!(recorded, [false, true, true, false, false, false, false]);
    assert_eq!(
        states(&store, 1..5).await,
        [FlowState::Completed, FlowState::Completed, FlowState::Queued, FlowState::Queued]
    );
    assert_eq!(claim(&store).await, [], "the entity's claim is still held");
}

#[tokio::test(flavor = "multi_thread")]
async fn claim_after_outcomes_is_in_their_transaction_and_finds_the_next_flows_of_their_entities() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "a"), (6, "c"), (7, "c")]).await;
    let claims = claim(&store).await;
    assert_eq!(numbers(&claims), [1, 3, 6]);
    let (busy, before) = (Busy::new(&store).await, transactions(store.path()));
    let first = store.record_outcome(claims[0].claim_id(), AttemptOutcome::Completed);
    let second = store.record_outcome(claims[1].claim_id(), dead());
    let third = store.record_outcome(claims[2].claim_id(), retry());
    let next = store.claim(Room::of(100), LEASE);
    busy.end().await;
    assert_eq!(numbers(&next.await.unwrap()), [2, 4, 6], "at most one of each entity, in order");
    assert!(first.await.unwrap() && second.await.unwrap() && third.await.unwrap());
    assert_eq!(transactions(store.path()) - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_of_dropped_callers_are_recorded() {
    let (_dir, store) = fresh().await;
    enqueue(&store, [(1, "a"), (2, "b")]).await;
    let claims = claim(&store).await;
    let busy = Busy::new(&store).await;
    drop(store.record_outcome(claims[0].claim_id(), AttemptOutcome::Completed));
    let second = store.record_outcome(claims[1].claim_id(), AttemptOutcome::Completed);
    busy.end().await;
    assert!(second.await.unwrap());
    assert_eq!(states(&store, 1..3).await, [FlowState::Completed; 2]);
}
