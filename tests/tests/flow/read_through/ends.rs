//! The end of a write that the cache does not confirm: it is repeated in the background until it is.
//!
//! Time is paused, so that no test waits for the pauses between two attempts.

use std::time::Duration;

use graceful::{Orchestrator, Step, orchestrate};
use graceful_tests::{FaultyProtocol, Log, Method, ProtocolFault, Reports};

use super::{Database, User, UserError};

#[orchestrate(pattern = "rtn_user", cache(key = id, read))]
async fn get(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rtn_user", cache(key = user.id))]
async fn put(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtn_list", cache(key = (), read, depends_on(rtn_user = 1)))]
async fn list(database: &Database) -> Result<Option<User>, UserError> {
    Ok(database.get(1))
}

struct Case {
    cache: FaultyProtocol,
    orchestrator: Orchestrator,
    database: Database,
    reports: Reports,
}

impl Case {
    /// With an entry.
    async fn new() -> Self {
        let (cache, reports) = (FaultyProtocol::default(), Reports::default());
        let builder = reports.of(Orchestrator::builder().service("users").cache(cache.clone()));
        let database = Database::with(&[User::new(1, "ada")]);
        let case = Self { cache, orchestrator: builder.build().unwrap(), database, reports };
        assert_eq!(case.read().await, "ada");
        case
    }

    async fn read(&self) -> String {
        self.orchestrator.scope(get(&self.database, 1)).await.unwrap().unwrap().name
    }

    async fn put(&self, name: &str) {
        self.orchestrator.scope(put(&self.database, User::new(1, name))).await.unwrap();
    }

    fn filled(&self) -> u64 {
        self.orchestrator.cache_stats("rtn_user").unwrap().filled
    }

    /// Lets the ends be confirmed, and waits until the next one is.
    async fn confirmed(&self) {
        self.cache.mend(Method::End);
        self.cache.until_called(Method::End, self.cache.calls(Method::End) + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn end_is_repeated_until_the_cache_confirms_it() {
    for fault in ProtocolFault::ALL {
        let case = Case::new().await;
        case.cache.fail(Method::End, fault);
        case.put("eve").await;
        assert!(case.reports.last().step(Step::Cache).error().is_some(), "{fault:?}: the `Ok` stays");
        // The hold keeps the old value from readers.
        assert_eq!((case.read().await, case.filled()), ("eve".to_owned(), 1), "{fault:?}");
        case.cache.until_called(Method::End, 4).await;
        case.confirmed().await;
        // The hold is gone, so a load is stored.
        assert_eq!((case.read().await, case.filled()), ("eve".to_owned(), 2), "{fault:?}");
        let calls = case.cache.calls(Method::End);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(case.cache.calls(Method::End), calls, "{fault:?}: it is repeated no more");
    }
}

#[tokio::test(start_paused = true)]
async fn end_that_exceeds_the_time_budget_of_its_step_is_repeated() {
    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::Hangs);
    case.put("eve").await;
    case.confirmed().await;
    assert_eq!((case.read().await, case.read().await), ("eve".to_owned(), "eve".to_owned()));
    assert_eq!(case.filled(), 2, "the hold is gone");
    assert_eq!(case.orchestrator.cache_stats("rtn_user").unwrap().unconfirmed, 1);
}

/// Without a hold only the end keeps the old value from readers.
#[tokio::test(start_paused = true)]
async fn old_value_is_read_until_the_repeated_end_of_a_write_without_a_hold_is_confirmed() {
    let case = Case::new().await;
    case.orchestrator.scope(list(&case.database)).await.unwrap();
    case.cache.fail(Method::Hold, ProtocolFault::Fails);
    case.cache.fail(Method::End, ProtocolFault::Fails);
    case.put("eve").await;
    assert_eq!(case.read().await, "ada", "a documented limit of a write without `required`");
    case.confirmed().await;
    assert_eq!(case.read().await, "eve");
    let listed = case.orchestrator.scope(list(&case.database)).await.unwrap();
    assert_eq!(listed.unwrap().name, "eve", "what depends on it is invalidated as well");
}

#[tokio::test(start_paused = true)]
async fn ends_of_an_entity_that_are_not_confirmed_become_one() {
    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::Fails);
    for _ in 0..10 {
        case.put("eve").await;
    }
    assert_eq!(unended(&case).await.as_deref(), Some("1"));
    assert_eq!(case.orchestrator.cache_stats("rtn_user").unwrap().unconfirmed, 10);
}

/// How many ends a shutdown says are left.
async fn unended(case: &Case) -> Option<String> {
    let (log, _guard) = Log::listen();
    assert_eq!(case.orchestrator.shutdown(Duration::from_secs(1)).await, 0);
    let lines = log.of("graceful::cache");
    let unended = lines.iter().find_map(|line| line.fields.get("unended"));
    unended.cloned()
}

#[tokio::test(start_paused = true)]
async fn shutdown_logs_how_many_ends_are_not_confirmed() {
    let case = Case::new().await;
    case.put("eve").await;
    assert_eq!(unended(&case).await, None, "all are confirmed");

    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::Fails);
    case.put("eve").await;
    case.orchestrator.scope(put(&case.database, User::new(2, "bob"))).await.unwrap();
    assert_eq!(unended(&case).await.as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn end_that_is_confirmed_later_is_no_longer_pending() {
    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::Fails);
    case.put("eve").await;
    case.confirmed().await;
    // The task that repeats ends removes it after the reply.
    case.read().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(unended(&case).await, None);
}

#[tokio::test(start_paused = true)]
async fn invalidation_that_is_not_confirmed_fails_and_is_repeated() {
    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::FailsLater);
    case.database.put(&User::new(1, "eve"));
    case.orchestrator.invalidate([("rtn_user", 1)]).await.unwrap_err();
    assert_eq!(case.read().await, "ada");
    case.confirmed().await;
    assert_eq!(case.read().await, "eve");
    assert_eq!(case.orchestrator.cache_stats("rtn_user").unwrap().unconfirmed, 1);
}

#[tokio::test(start_paused = true)]
async fn invalidation_of_a_pattern_that_is_not_confirmed_fails_and_is_repeated() {
    let case = Case::new().await;
    case.cache.fail(Method::InvalidatePattern, ProtocolFault::FailsLater);
    case.database.put(&User::new(1, "eve"));
    case.orchestrator.invalidate_pattern("rtn_user").await.unwrap_err();
    assert_eq!(case.read().await, "ada");
    case.cache.mend(Method::InvalidatePattern);
    let calls = case.cache.calls(Method::InvalidatePattern);
    case.cache.until_called(Method::InvalidatePattern, calls + 1).await;
    assert_eq!(case.read().await, "eve");
    assert_eq!(case.orchestrator.cache_stats("rtn_user").unwrap().unconfirmed, 1);
}

#[tokio::test(start_paused = true)]
async fn change_without_a_handler_whose_end_is_not_confirmed_returns_its_answer_and_is_repeated() {
    let case = Case::new().await;
    case.cache.fail(Method::End, ProtocolFault::FailsLater);
    let change = async || case.database.put(&User::new(1, "eve"));
    case.orchestrator.changing([("rtn_user", 1)], change).await.unwrap();
    assert_eq!((case.read().await, case.filled()), ("eve".to_owned(), 1));
    case.confirmed().await;
    assert_eq!((case.read().await, case.filled()), ("eve".to_owned(), 2));
    assert_eq!(case.orchestrator.cache_stats("rtn_user").unwrap().unconfirmed, 1);
}
