//! Handlers with `tx` on a pattern that is read through the cache: their hold is set before the commit.

use graceful::{StepErrorKind, orchestrate};
use graceful_tests::{FaultyProtocol, Method, ProtocolFault};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::time::{advance, pause, resume};

use super::*;

/// A source of its own, so that no test waits for a lock of the database.
#[orchestrate(pattern = "rth_row", cache(key = id, read))]
async fn get(loads: &AtomicUsize, id: i64) -> Result<usize, StepError> {
    let _ = id;
    Ok(loads.fetch_add(1, Ordering::Relaxed) + 1)
}

#[orchestrate(pattern = "rth_row", cache(key = id), event = "inserted", delivery = "durable", tx = tx)]
async fn insert(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    insert_row(tx, id).await
}

#[orchestrate(pattern = "rth_row", cache(key = id, required = false), event = "inserted", delivery = "durable", tx = tx)]
async fn insert_anyway(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    insert_row(tx, id).await
}

#[orchestrate(pattern = "rth_row", cache(key = id), event = "inserted", delivery = "durable", tx = tx)]
async fn insert_and_fail(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    insert_row(tx, id).await?;
    Err(StepError::new("refused"))
}

/// Reads inside of its open transaction, without the step that would hold.
#[orchestrate(pattern = "rth_row", cache = off, event = "inserted", delivery = "durable", tx = tx, when = runs)]
async fn read_inside(
    tx: &mut Transaction<'_, Sqlite>,
    loads: &AtomicUsize,
    runs: bool,
) -> Result<usize, StepError> {
    insert_row(tx, 1).await?;
    get(loads, 1).await
}

async fn insert_row(tx: &mut Transaction<'_, Sqlite>, id: i64) -> Result<i64, StepError> {
    let insert = sqlx::query("INSERT INTO rows (id) VALUES (?)").bind(id).execute(&mut **tx).await;
    insert.map(|_| id).map_err(StepError::caused_by)
}

struct Case {
    service: Service,
    cache: FaultyProtocol,
    connection: SqliteConnection,
    loads: AtomicUsize,
}

impl Case {
    async fn new() -> Self {
        let service = Service::new().await;
        let mut connection = service.data().await;
        sqlx::query("CREATE TABLE rows (id INTEGER PRIMARY KEY)").execute(&mut connection).await.unwrap();
        Self { service, cache: FaultyProtocol::default(), connection, loads: AtomicUsize::new(0) }
    }

    fn without_a_relay(&self) -> Orchestrator {
        self.service.builder().cache(self.cache.clone()).relay(RelaySettings::off()).build().unwrap()
    }

    async fn rows(&mut self) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM rows").fetch_all(&mut self.connection).await.unwrap()
    }

    /// The number of the load that answers.
    async fn read(&self, orchestrator: &Orchestrator) -> usize {
        orchestrator.scope(get(&self.loads, 1)).await.unwrap()
    }

    /// Whether the second of two reads is a hit.
    async fn is_cached(&self, orchestrator: &Orchestrator) -> bool {
        self.read(orchestrator).await == self.read(orchestrator).await
    }

    async fn insert(&mut self, orchestrator: &Orchestrator) {
        let mut transaction = self.connection.begin().await.unwrap();
        orchestrator.scope(insert(&mut transaction, 1)).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

fn unconfirmed(orchestrator: &Orchestrator) -> u64 {
    orchestrator.cache_stats("rth_row").unwrap().unconfirmed
}

#[tokio::test]
async fn write_in_a_transaction_fails_if_its_hold_is_not_confirmed() {
    for fault in [ProtocolFault::Fails, ProtocolFault::FailsLater] {
        let mut case = Case::new().await;
        let orchestrator = case.without_a_relay();
        case.cache.fail(Method::Hold, fault);
        let mut transaction = case.connection.begin().await.unwrap();
        let error = orchestrator.scope(insert(&mut transaction, 1)).await.unwrap_err();
        transaction.rollback().await.unwrap();
        assert_eq!((error.kind(), error.step()), (StepErrorKind::Unavailable, Some(Step::Cache)));
        assert!(error.message().starts_with("the transaction must not be committed, because"), "{error}");
        assert_eq!((case.rows().await, unconfirmed(&orchestrator)), (vec![], 1), "{fault:?}");
        let queued = case.service.until(FlowState::Queued, 1).await;
        let outcomes: Vec<_> = queued.iter().map(|stored| stored.flow().unwrap().ending()).collect();
        assert_eq!(outcomes, [CallOutcome::Err], "{fault:?}: only its error is stored");

        case.cache.mend(Method::Hold);
        case.insert(&orchestrator).await;
        assert_eq!((case.rows().await, unconfirmed(&orchestrator)), (vec![1], 1), "{fault:?}");
    }
}

#[tokio::test]
async fn write_in_a_transaction_without_required_commits_and_counts_a_hold_that_is_not_confirmed() {
    for fault in [ProtocolFault::Fails, ProtocolFault::FailsLater] {
        let mut case = Case::new().await;
        let orchestrator = case.without_a_relay();
        case.cache.fail(Method::Hold, fault);
        let mut transaction = case.connection.begin().await.unwrap();
        assert_eq!(orchestrator.scope(insert_anyway(&mut transaction, 1)).await.unwrap(), 1);
        transaction.commit().await.unwrap();
        assert_eq!((case.rows().await, unconfirmed(&orchestrator)), (vec![1], 1), "{fault:?}");
        assert_eq!(case.service.stored(FlowState::Queued).await.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn reader_inside_of_a_transaction_is_never_answered_from_the_cache() {
    for runs in [true, false] {
        let mut case = Case::new().await;
        let orchestrator = case.without_a_relay();
        let before = case.read(&orchestrator).await;
        let mut transaction = case.connection.begin().await.unwrap();
        let read = orchestrator.scope(read_inside(&mut transaction, &case.loads, runs)).await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!((read, case.read(&orchestrator).await), (before + 1, before), "runs: {runs}");
    }
}

#[tokio::test]
async fn write_in_a_transaction_that_returns_an_error_sets_no_hold() {
    let mut case = Case::new().await;
    let orchestrator = case.without_a_relay();
    case.read(&orchestrator).await;
    let mut transaction = case.connection.begin().await.unwrap();
    orchestrator.scope(insert_and_fail(&mut transaction, 1)).await.unwrap_err();
    transaction.rollback().await.unwrap();
    assert_eq!(case.cache.calls(Method::Hold), 0);
    assert_eq!(case.read(&orchestrator).await, 1, "a hit");
}

/// A limit: whoever commits after an `Err` leaves the old value.
#[tokio::test]
async fn commit_after_an_error_of_a_handler_with_a_transaction_leaves_the_old_value() {
    let mut case = Case::new().await;
    let orchestrator = case.without_a_relay();
    case.read(&orchestrator).await;
    let mut transaction = case.connection.begin().await.unwrap();
    orchestrator.scope(insert_and_fail(&mut transaction, 1)).await.unwrap_err();
    transaction.commit().await.unwrap();
    assert_eq!((case.rows().await, case.read(&orchestrator).await), (vec![1], 1));
}

/// A limit: until the relay has run the step `cache`, or for 30 seconds.
#[tokio::test]
async fn entity_written_in_a_transaction_is_not_cached_until_the_relay_ends_the_write() {
    let mut case = Case::new().await;
    let orchestrator = case.without_a_relay();
    case.read(&orchestrator).await;
    case.insert(&orchestrator).await;
    assert!(!case.is_cached(&orchestrator).await);
    let relay = case.service.builder().cache(case.cache.clone()).build().unwrap();
    case.service.until(FlowState::Completed, 1).await;
    assert!(case.is_cached(&orchestrator).await, "the hold has ended");
    drop(relay);
}

#[tokio::test]
async fn hold_of_a_transaction_expires_without_a_relay_and_its_later_end_invalidates() {
    let mut case = Case::new().await;
    let orchestrator = case.without_a_relay();
    case.insert(&orchestrator).await;
    assert!(!case.is_cached(&orchestrator).await);
    pause();
    advance(Duration::from_secs(30)).await;
    assert!(case.is_cached(&orchestrator).await);
    let cached = case.read(&orchestrator).await;
    resume();
    let relay = case.service.builder().cache(case.cache.clone()).build().unwrap();
    case.service.until(FlowState::Completed, 1).await;
    assert_eq!(case.read(&orchestrator).await, cached + 1, "the end has invalidated the load");
    drop(relay);
}

/// A limit: nothing ends the hold.
#[tokio::test]
async fn relay_without_a_cache_leaves_the_hold_to_expire() {
    let mut case = Case::new().await;
    let orchestrator = case.without_a_relay();
    case.insert(&orchestrator).await;
    let relay = Orchestrator::builder().service("users").store(case.service.store.clone()).relay(quick());
    let relay = relay.build().unwrap();
    case.service.until(FlowState::Completed, 1).await;
    assert!(!case.is_cached(&orchestrator).await);
    assert_eq!(case.cache.calls(Method::End), 0);
    pause();
    advance(Duration::from_secs(30)).await;
    assert!(case.is_cached(&orchestrator).await);
    drop(relay);
}
