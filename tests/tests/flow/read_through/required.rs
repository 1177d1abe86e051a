//! `cache(…, required)`: a write whose hold is not confirmed does not run.

use std::{future::Future, pin::Pin};

use graceful::{CallOutcome, Orchestrator, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{FaultyProtocol, Method, ProtocolFault};

use super::{Database, User, UserError};

type Written = Result<User, StepError>;

#[orchestrate(pattern = "rtq_user", cache(key = id, read))]
async fn get(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rtq_user", cache(key = user.id, required))]
async fn save(database: &Database, user: User) -> Written {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtq_user", cache(key = user.id, required))]
fn save_now(database: &Database, user: User) -> Written {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtq_user", cache(key = user.id, required))]
fn save_later(database: Database, user: User) -> impl Future<Output = Written> {
    async move {
        database.put(&user);
        Ok(user)
    }
}

#[orchestrate(pattern = "rtq_user", cache(key = user.id, required))]
fn save_in_a_box(database: Database, user: User) -> Pin<Box<dyn Future<Output = Written> + Send>> {
    Box::pin(async move {
        database.put(&user);
        Ok(user)
    })
}

#[orchestrate(pattern = "rtq_user", cache(key = user.id))]
async fn save_anyway(database: &Database, user: User) -> Written {
    database.put(&user);
    Ok(user)
}

struct Case {
    cache: FaultyProtocol,
    orchestrator: Orchestrator,
    database: Database,
}

impl Case {
    fn new() -> Self {
        let cache = FaultyProtocol::default();
        let orchestrator = Orchestrator::builder().service("users").cache(cache.clone()).build().unwrap();
        Self { cache, orchestrator, database: Database::with(&[User::new(1, "ada")]) }
    }

    async fn read(&self) -> String {
        self.orchestrator.scope(get(&self.database, 1)).await.unwrap().unwrap().name
    }

    fn name(&self) -> String {
        self.database.users.lock().unwrap()[&1].name.clone()
    }

    fn unconfirmed(&self) -> u64 {
        self.orchestrator.cache_stats("rtq_user").unwrap().unconfirmed
    }
}

/// Writes with each fault of the hold: the body does not run. Then without: it does. A hold that hangs ends with its time budget.
async fn assert_refused(save: impl AsyncFn(&Case, User) -> Written) {
    for fault in ProtocolFault::ALL {
        let case = Case::new();
        case.read().await;
        case.cache.fail(Method::Hold, fault);
        let error = save(&case, User::new(1, "eve")).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.step()),
            (StepErrorKind::Unavailable, Some(Step::Cache)),
            "{fault:?}"
        );
        assert!(error.message().starts_with("the body did not run, because"), "{error}");
        assert_eq!(case.name(), "ada", "{fault:?}");
        let flows = |outcome| case.orchestrator.stats().flows(outcome);
        assert_eq!((flows(CallOutcome::Ok), flows(CallOutcome::Err)), (1, 1), "{fault:?}");
        assert_eq!(case.unconfirmed(), 1, "{fault:?}");
        case.cache.mend(Method::Hold);
        save(&case, User::new(1, "eve")).await.unwrap();
        assert_eq!((case.name(), case.read().await), ("eve".to_owned(), "eve".to_owned()), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn required_hold_of_an_async_handler_refuses_the_body_if_it_is_not_confirmed() {
    let save = async |case: &Case, user| case.orchestrator.scope(save(&case.database, user)).await;
    assert_refused(save).await;
}

#[tokio::test(start_paused = true)]
async fn required_hold_of_a_sync_handler_refuses_the_body_if_it_is_not_confirmed_at_once() {
    let save = async |case: &Case, user| case.orchestrator.sync_scope(|| save_now(&case.database, user));
    assert_refused(save).await;
}

#[tokio::test(start_paused = true)]
async fn required_hold_of_a_returned_future_refuses_the_body_if_it_is_not_confirmed() {
    let save = async |case: &Case, user| {
        let (database, orchestrator) = (case.database.clone(), case.orchestrator.clone());
        orchestrator.scope(async { save_later(database, user).await }).await
    };
    assert_refused(save).await;
}

#[tokio::test(start_paused = true)]
async fn required_hold_of_a_boxed_future_refuses_the_body_if_it_is_not_confirmed() {
    let save = async |case: &Case, user| {
        let (database, orchestrator) = (case.database.clone(), case.orchestrator.clone());
        orchestrator.scope(async { save_in_a_box(database, user).await }).await
    };
    assert_refused(save).await;
}

#[tokio::test(start_paused = true)]
async fn write_without_required_runs_and_invalidates_if_its_hold_is_not_confirmed() {
    for fault in ProtocolFault::ALL {
        let case = Case::new();
        case.read().await;
        case.cache.fail(Method::Hold, fault);
        case.orchestrator.scope(save_anyway(&case.database, User::new(1, "eve"))).await.unwrap();
        assert_eq!((case.read().await, case.unconfirmed()), ("eve".to_owned(), 1), "{fault:?}");
        assert_eq!(case.database.reads(), 2, "{fault:?}: a write without a hold puts nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn change_without_a_handler_does_not_run_if_its_hold_is_not_confirmed() {
    let case = Case::new();
    case.cache.fail(Method::Hold, ProtocolFault::FailsLater);
    let change = async || case.database.put(&User::new(1, "eve"));
    let error = case.orchestrator.changing([("rtq_user", 1)], change).await.unwrap_err();
    assert_eq!((error.kind(), case.name()), (StepErrorKind::Unavailable, "ada".to_owned()));
    case.cache.mend(Method::Hold);
    let change = async || case.database.put(&User::new(1, "eve"));
    case.orchestrator.changing([("rtq_user", 1)], change).await.unwrap();
    assert_eq!(case.name(), "eve");
}
