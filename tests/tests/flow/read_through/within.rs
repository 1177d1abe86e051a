//! Readers and touches inside of the bodies of writes that hold nothing: what is not committed is not cached.

use graceful::{Context, Orchestrator, Step, orchestrate};
use graceful_tests::reports::Reports;

use super::{Database, User, UserError};

#[orchestrate(pattern = "rti_user", cache(key = id, read))]
async fn get(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rti_user", cache(key = id, read))]
fn get_now(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

/// Writes in an open transaction, reads what it has written, and rolls back.
#[orchestrate(pattern = "rti_import", when = runs)]
async fn import(database: &Database, runs: bool) -> Result<User, UserError> {
    database.put(&User::new(1, "uncommitted"));
    let read = get(database, 1).await?.unwrap();
    database.put(&User::new(1, "ada"));
    Ok(read)
}

#[orchestrate(pattern = "rti_import", when = runs)]
fn import_now(database: &Database, runs: bool) -> Result<User, UserError> {
    database.put(&User::new(1, "uncommitted"));
    let read = get_now(database, 1)?.unwrap();
    database.put(&User::new(1, "ada"));
    Ok(read)
}

#[orchestrate(pattern = "rti_import", when = false)]
async fn touch_without_steps(database: &Database) -> Result<(), UserError> {
    database.put(&User::new(1, "eve"));
    graceful::touch("rti_user", 1);
    Ok(())
}

#[orchestrate(pattern = "rti_user", cache(key = id))]
async fn touch_the_own_entity(database: &Database, id: u64) -> Result<User, UserError> {
    database.put(&User::new(id, "eve"));
    graceful::touch("rti_user", id);
    Err(UserError::EmptyName)
}

#[orchestrate(pattern = "rti_admin")]
async fn touch_in_another_tenant(database: &Database) -> Result<(), UserError> {
    let change = async {
        database.put(&User::new(1, "eve"));
        graceful::touch("rti_user", 1);
    };
    Context::new().tenant("acme").scope(change).await;
    Ok(())
}

#[orchestrate(pattern = "rti_import")]
async fn touch_many(ids: u64) -> Result<(), UserError> {
    for id in 0..ids {
        graceful::touch("rti_user", id);
        tokio::task::yield_now().await;
    }
    Ok(())
}

struct Case {
    orchestrator: Orchestrator,
    database: Database,
    reports: Reports,
}

impl Case {
    fn new() -> Self {
        let reports = Reports::default();
        let orchestrator = reports.of(Orchestrator::builder().in_memory().service("users")).build().unwrap();
        Self { orchestrator, database: Database::with(&[User::new(1, "ada")]), reports }
    }

    async fn read(&self) -> String {
        self.orchestrator.scope(get(&self.database, 1)).await.unwrap().unwrap().name
    }
}

#[tokio::test]
async fn reader_inside_of_a_write_with_or_without_steps_caches_nothing() {
    for runs in [true, false] {
        let case = Case::new();
        let read = case.orchestrator.scope(import(&case.database, runs)).await.unwrap();
        assert_eq!((read.name.as_str(), case.read().await.as_str()), ("uncommitted", "ada"), "runs: {runs}");
        let case = Case::new();
        let read = case.orchestrator.sync_scope(|| import_now(&case.database, runs)).unwrap();
        assert_eq!((read.name.as_str(), case.read().await.as_str()), ("uncommitted", "ada"), "runs: {runs}");
    }
}

#[tokio::test]
async fn write_without_steps_runs_none_and_ends_what_it_touched() {
    let case = Case::new();
    case.read().await;
    case.orchestrator.scope(touch_without_steps(&case.database)).await.unwrap();
    assert_eq!(case.reports.count(), 1, "the read");
    let reads = case.database.reads();
    assert_eq!((case.read().await.as_str(), case.read().await.as_str()), ("eve", "eve"));
    assert_eq!(case.database.reads(), reads + 1, "no hold is left");
}

#[tokio::test]
async fn cancelled_write_without_steps_runs_none() {
    let case = Case::new();
    let mut write = Box::pin(case.orchestrator.scope(never(&case.database)));
    super::source::poll_once(write.as_mut()).await;
    drop(write);
    case.read().await;
    assert_eq!(case.reports.count(), 1, "the read");
}

#[orchestrate(pattern = "rti_import", when = false)]
async fn never(database: &Database) -> Result<(), UserError> {
    database.put(&User::new(1, "eve"));
    std::future::pending().await
}

#[tokio::test]
async fn touched_entity_is_invalidated_although_the_error_says_that_nothing_changed() {
    let case = Case::new();
    case.read().await;
    case.orchestrator.scope(touch_the_own_entity(&case.database, 1)).await.unwrap_err();
    assert_eq!(case.read().await, "eve");
    assert_eq!(case.reports.last().step(Step::Cache).to_string(), "filled");
}

#[tokio::test]
async fn touched_entity_is_of_the_tenant_at_its_place() {
    let case = Case::new();
    let read = || Context::new().tenant("acme").scope(case.read());
    assert_eq!(read().await, "ada");
    case.orchestrator.scope(touch_in_another_tenant(&case.database)).await.unwrap();
    assert_eq!(read().await, "eve");
    case.database.put(&User::new(1, "bob"));
    let change = async || {
        Context::new().tenant("acme").scope(async { graceful::touch("rti_user", 1) }).await;
    };
    case.orchestrator.changing([("rti_user", 2)], change).await.unwrap();
    assert_eq!(read().await, "bob");
}

/// As many as one write may hold. A cost that grew with the square of their number would take minutes.
#[tokio::test]
async fn many_entities_are_touched_one_after_the_other() {
    let case = Case::new();
    let touched = case.orchestrator.scope(touch_many(20_000));
    tokio::time::timeout(std::time::Duration::from_secs(60), touched).await.unwrap().unwrap();
}
