//! What only a body knows that it changes: `graceful::touch`.

use std::time::Duration;

use graceful::{CallOutcome, Orchestrator, Step, orchestrate};
use graceful_tests::reports::Reports;

use super::{Database, User, UserError};

#[orchestrate(pattern = "rtt_user", cache(key = id, read))]
async fn get_user(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

/// Nobody reads its own pattern.
#[orchestrate(pattern = "rtt_order", event = off)]
async fn cancel(database: &Database, user: User) -> Result<(), UserError> {
    database.put(&user);
    tokio::task::yield_now().await;
    graceful::touch("rtt_user", user.id);
    tokio::task::yield_now().await;
    Ok(())
}

#[orchestrate(pattern = "rtt_order", event = off)]
fn cancel_now(database: &Database, user: User) -> Result<(), UserError> {
    database.put(&user);
    graceful::touch("rtt_user", user.id);
    Ok(())
}

/// It has no value of its own.
#[orchestrate(pattern = "rtt_orders", cache(touches(rtt_user = ids)))]
async fn cancel_all(database: &Database, ids: &[u64], fails: bool) -> Result<usize, UserError> {
    for id in ids {
        database.put(&User::new(*id, "eve"));
    }
    if fails { Err(UserError::EmptyName) } else { Ok(ids.len()) }
}

#[orchestrate(pattern = "rtt_order", cache = off)]
async fn without_the_step(database: &Database, user: User) -> Result<(), UserError> {
    database.put(&user);
    graceful::touch("rtt_user", user.id);
    Ok(())
}

#[orchestrate(pattern = "rtt_order")]
async fn fails(database: &Database, user: User, panics: bool) -> Result<(), UserError> {
    database.put(&user);
    graceful::touch("rtt_user", user.id);
    assert!(!panics, "the body panics");
    Err(UserError::EmptyName)
}

#[orchestrate(pattern = "rtt_nothing")]
async fn touches_nothing() -> Result<(), UserError> {
    Ok(())
}

#[orchestrate(pattern = "rtt_outer")]
async fn around(database: &Database, user: User) -> Result<(), UserError> {
    graceful::touch("rtt_user", user.id);
    touches_nothing().await?;
    database.put(&user);
    Ok(())
}

#[orchestrate(pattern = "rtt_unread")]
async fn touches_what_nobody_reads() -> Result<(), UserError> {
    graceful::touch("rtt_unread_either", 1);
    Ok(())
}

struct Case {
    orchestrator: Orchestrator,
    database: Database,
    reports: Reports,
}

impl Case {
    /// `ada` is cached.
    async fn new() -> Self {
        let reports = Reports::default();
        let orchestrator = reports.of(Orchestrator::builder().in_memory().service("users")).build().unwrap();
        let case = Self { orchestrator, database: Database::with(&[User::new(1, "ada")]), reports };
        assert_eq!(case.read().await, "ada");
        assert!(case.is_cached().await);
        case
    }

    async fn read(&self) -> String {
        self.orchestrator.scope(get_user(&self.database, 1)).await.unwrap().unwrap().name
    }

    /// Whether a read is answered without the database.
    async fn is_cached(&self) -> bool {
        let before = self.database.reads();
        self.read().await;
        self.database.reads() == before
    }

    /// The new name is read, and cached at once.
    async fn shows_eve(&self) {
        assert_eq!(self.read().await, "eve");
        assert!(self.is_cached().await, "no hold is left");
    }
}

fn eve() -> User {
    User::new(1, "eve")
}

#[tokio::test]
async fn write_of_a_pattern_that_nobody_reads_invalidates_what_it_touched() {
    let case = Case::new().await;
    case.orchestrator.scope(cancel(&case.database, eve())).await.unwrap();
    assert_eq!(case.reports.last().step(Step::Cache).to_string(), "invalidated");
    case.shows_eve().await;
}

#[tokio::test]
async fn write_of_many_entities_without_a_key_holds_and_invalidates_each() {
    let case = Case::new().await;
    case.orchestrator.scope(get_user(&case.database, 2)).await.unwrap();
    assert_eq!(case.orchestrator.scope(cancel_all(&case.database, &[1, 2], false)).await, Ok(2));
    assert_eq!(case.reports.last().step(Step::Cache).to_string(), "invalidated");
    case.shows_eve().await;
    let other = case.orchestrator.scope(get_user(&case.database, 2)).await.unwrap();
    assert_eq!(other.unwrap().name, "eve");
    assert_eq!(case.orchestrator.cached::<usize>("rtt_orders", "").await.unwrap(), None);
}

#[tokio::test]
async fn write_of_many_entities_that_changed_nothing_keeps_each() {
    let case = Case::new().await;
    case.orchestrator.scope(cancel_all(&case.database, &[1], true)).await.unwrap_err();
    assert!(case.is_cached().await);
}

#[tokio::test]
async fn write_that_is_not_async_invalidates_what_it_touched() {
    let case = Case::new().await;
    case.orchestrator.sync_scope(|| cancel_now(&case.database, eve())).unwrap();
    case.shows_eve().await;
}

#[tokio::test]
async fn write_whose_step_is_off_holds_what_it_touched_for_a_while() {
    let case = Case::new().await;
    case.orchestrator.scope(without_the_step(&case.database, eve())).await.unwrap();
    assert_eq!(case.read().await, "eve");
    assert!(!case.is_cached().await, "nothing ends the hold");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    case.shows_eve().await;
}

#[tokio::test]
async fn failed_write_invalidates_what_it_touched() {
    let case = Case::new().await;
    case.orchestrator.scope(fails(&case.database, eve(), false)).await.unwrap_err();
    case.shows_eve().await;
}

#[tokio::test]
async fn panicking_write_invalidates_what_it_touched() {
    let case = Case::new().await;
    let (orchestrator, database) = (case.orchestrator.clone(), case.database.clone());
    let write = tokio::spawn(async move { orchestrator.scope(fails(&database, eve(), true)).await });
    assert!(write.await.unwrap_err().is_panic());
    assert_eq!(case.reports.last().flow().ending(), CallOutcome::Panicked);
    assert_eq!(case.read().await, "eve");
}

#[tokio::test]
async fn inner_handler_does_not_end_what_the_outer_one_touched() {
    let case = Case::new().await;
    case.orchestrator.scope(around(&case.database, eve())).await.unwrap();
    let steps = case.reports.all().into_iter().map(|report| report.step(Step::Cache).to_string());
    assert_eq!(steps.collect::<Vec<_>>()[1..], ["skipped: no key", "invalidated"]);
    case.shows_eve().await;
}

#[tokio::test]
async fn touched_entity_of_a_pattern_that_nobody_reads_changes_nothing() {
    let case = Case::new().await;
    case.orchestrator.scope(touches_what_nobody_reads()).await.unwrap();
    assert_eq!(case.reports.last().step(Step::Cache).to_string(), "skipped: no key");
}

#[tokio::test]
async fn change_without_a_handler_invalidates_what_it_touched() {
    let case = Case::new().await;
    let change = async || {
        case.database.put(&eve());
        graceful::touch("rtt_user", 1);
    };
    case.orchestrator.changing([("rtt_order", 1)], change).await.unwrap();
    case.shows_eve().await;
}

#[tokio::test]
async fn panicking_change_without_a_handler_invalidates_what_it_touched() {
    let case = Case::new().await;
    let (orchestrator, database) = (case.orchestrator.clone(), case.database.clone());
    let change = tokio::spawn(async move {
        let change = async || {
            database.put(&eve());
            graceful::touch("rtt_user", 1);
            panic!("the change panics");
        };
        orchestrator.changing::<(), _>([("rtt_order", 1)], change).await
    });
    assert!(change.await.unwrap_err().is_panic());
    assert_eq!(case.read().await, "eve");
}

#[tokio::test]
async fn touch_outside_of_a_handler_holds_for_a_while() {
    let case = Case::new().await;
    case.database.put(&eve());
    case.orchestrator.scope(async { graceful::touch("rtt_user", 1) }).await;
    assert_eq!(case.read().await, "eve");
    assert!(!case.is_cached().await, "nothing ends the hold");
}
