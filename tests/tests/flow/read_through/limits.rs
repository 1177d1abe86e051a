//! The limits that `docs/LIMITS.md` and the guide state: what they say is what happens.

use std::{future::Future, pin::Pin, time::Duration};

use graceful::{
    Context, Failure, OrchestrationConfig, Orchestrator, StepError, Success, backends::memory, orchestrate,
};
use graceful_tests::{FaultyProtocol, Method};
use tokio::time::{advance, pause};

use super::{
    Database, User, UserError, orchestrator,
    source::{Source, poll_once, yield_until},
};

#[orchestrate(pattern = "rtl_user", cache(key = id, read))]
async fn get(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rtl_user", cache(key = user.id))]
async fn put(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

/// A cache, and a user that is in it.
struct Case {
    cache: FaultyProtocol,
    orchestrator: Orchestrator,
    database: Database,
}

impl Case {
    async fn new() -> Self {
        let cache = FaultyProtocol::default();
        let orchestrator = Orchestrator::builder().service("users").cache(cache.clone()).build().unwrap();
        let case = Self { cache, orchestrator, database: Database::with(&[User::new(1, "ada")]) };
        assert_eq!(case.read().await, "ada");
        case
    }

    async fn read(&self) -> String {
        read(&self.orchestrator, &self.database).await
    }

    fn eve(&self) {
        self.database.put(&User::new(1, "eve"));
    }

    /// Whether reading twice loads once at most.
    async fn is_cached(&self) -> bool {
        self.read().await;
        let loads = self.database.reads();
        self.read().await;
        self.database.reads() == loads
    }
}

async fn read(orchestrator: &Orchestrator, database: &Database) -> String {
    orchestrator.scope(get(database, 1)).await.unwrap().unwrap().name
}

/// It has a cache key and only reads.
#[orchestrate(pattern = "rtl_user", cache(key = id, on_ok = "invalidate"))]
async fn peek(id: u64) -> Result<u64, UserError> {
    Ok(id)
}

#[tokio::test]
async fn handler_with_a_cache_key_and_without_read_counts_as_a_write() {
    let case = Case::new().await;
    case.orchestrator.scope(peek(1)).await.unwrap();
    case.read().await;
    assert_eq!(case.database.reads(), 2);
}

#[orchestrate(pattern = "rtl_user", id = user.id, cache = off)]
async fn put_without_the_step(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[orchestrate(pattern = "rtl_user", id = user.id)]
async fn put_without_a_key(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[tokio::test]
async fn write_without_the_step_or_a_key_leaves_the_old_value_unless_it_uses_changing() {
    let case = Case::new().await;
    let eve = || User::new(1, "eve");
    case.orchestrator.scope(put_without_the_step(&case.database, eve())).await.unwrap();
    case.orchestrator.scope(put_without_a_key(&case.database, eve())).await.unwrap();
    assert_eq!((case.read().await, case.cache.calls(Method::Hold)), ("ada".to_owned(), 0));
    let change = || case.orchestrator.scope(put_without_the_step(&case.database, eve()));
    case.orchestrator.changing([("rtl_user", 1)], change).await.unwrap().unwrap();
    assert_eq!((case.read().await, case.cache.calls(Method::Hold)), ("eve".to_owned(), 1));
}

async fn hooked(_: &Success<'_, User>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "rtl_user", cache(key = user.id, ok = hooked))]
async fn put_with_a_hook(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[tokio::test]
async fn write_whose_cache_step_has_a_hook_is_held_and_ended_in_the_background() {
    let case = Case::new().await;
    case.orchestrator.scope(put_with_a_hook(&case.database, User::new(1, "eve"))).await.unwrap();
    assert_eq!(case.cache.calls(Method::Hold), 1);
    assert_eq!(case.read().await, "eve");
    case.cache.until_called(Method::End, 1).await;
    assert_eq!(case.orchestrator.cache_stats("rtl_user").unwrap().unconfirmed, 0, "the cache did not fail");
    assert!(case.is_cached().await);
}

#[tokio::test]
async fn flow_without_a_handler_is_not_held_and_puts_nothing() {
    let case = Case::new().await;
    let user = User::new(1, "eve");
    case.orchestrator.invalidate([("rtl_user", 1)]).await.unwrap();
    case.eve();
    // A load between the write and its flow is stored.
    assert!(case.is_cached().await);
    let loads = case.database.reads();
    let config = OrchestrationConfig::new("rtl_user").cache_key(1).on(&case.orchestrator);
    Success::wrap(graceful::Code::Ok, "updated", &user).orchestrate(&config).await;
    assert_eq!(case.cache.calls(Method::Hold), 0);
    case.read().await;
    assert_eq!(case.database.reads(), loads + 1, "it was invalidated, and its value was not put");
}

#[tokio::test]
async fn touch_outside_of_a_handler_keeps_the_entity_out_of_the_cache_for_30_seconds() {
    pause();
    let case = Case::new().await;
    case.orchestrator.sync_scope(|| graceful::touch("rtl_user", 1));
    case.eve();
    assert_eq!(case.read().await, "eve");
    assert!(!case.is_cached().await);
    advance(Duration::from_millis(29_999)).await;
    assert!(!case.is_cached().await);
    advance(Duration::from_millis(1)).await;
    assert!(case.is_cached().await);
}

/// Nobody reads these patterns.
#[orchestrate(pattern = "rtl_unread", cache(key = id, touches(rtl_unread_too = id), depends_on(rtl_unread_too = id)))]
async fn put_unread(id: u64) -> Result<u64, UserError> {
    graceful::touch("rtl_unread_too", id);
    Ok(id)
}

#[tokio::test]
async fn touches_of_patterns_that_are_not_held_do_nothing() {
    let case = Case::new().await;
    case.orchestrator.scope(put_unread(1)).await.unwrap();
    assert_eq!((case.cache.calls(Method::Hold), case.cache.calls(Method::End)), (0, 0));
    assert_eq!(case.orchestrator.cached::<u64>("rtl_unread", 1).await.unwrap(), Some(1));
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, UserError>> + Send + 'a>>;

#[orchestrate(pattern = "rtl_user", cache(key = id, read))]
fn get_by_an_alias(database: &Database, id: u64) -> Boxed<'_, Option<User>> {
    Box::pin(async move { Ok(database.get(id)) })
}

#[tokio::test]
async fn reader_that_returns_an_alias_of_a_boxed_future_looks_up_when_it_is_called() {
    let case = Case::new().await;
    case.orchestrator.scope(async { get_by_an_alias(&case.database, 1).await }).await.unwrap();
    let later = case.orchestrator.sync_scope(|| get_by_an_alias(&case.database, 1));
    case.orchestrator.scope(put(&case.database, User::new(1, "eve"))).await.unwrap();
    assert_eq!(later.await.unwrap().unwrap().name, "ada", "it was a hit when it was called");
}

#[orchestrate(pattern = "rtl_list", cache(key = (), read, depends_on(rtl_user = 1)))]
async fn list(database: &Database) -> Result<Vec<Option<User>>, UserError> {
    Ok(vec![database.get(1)])
}

#[orchestrate(pattern = "rtl_list", cache(key = ()))]
async fn put_list(list: Vec<Option<User>>) -> Result<Vec<Option<User>>, UserError> {
    Ok(list)
}

#[orchestrate(pattern = "rtl_list", cache(key = (), depends_on(rtl_user = 1)))]
async fn put_list_that_depends(list: Vec<Option<User>>) -> Result<Vec<Option<User>>, UserError> {
    Ok(list)
}

#[tokio::test]
async fn value_stored_without_the_dependencies_of_the_readers_is_no_hit() {
    let (orchestrator, database) = (orchestrator(), Database::default());
    orchestrator.scope(put_list(vec![None])).await.unwrap();
    orchestrator.scope(list(&database)).await.unwrap();
    assert_eq!(database.reads(), 1);
    orchestrator.scope(put_list_that_depends(vec![None])).await.unwrap();
    orchestrator.scope(list(&database)).await.unwrap();
    assert_eq!(database.reads(), 1);
}

#[orchestrate(pattern = "rtl_actor", cache(key = id, read, per_actor, unwritten))]
async fn get_own(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[tokio::test]
async fn read_without_a_handler_of_a_pattern_per_actor_has_the_entry_of_no_actor() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let load = async || Ok::<_, StepError>(database.get(1));
    let read = || orchestrator.read_through("rtl_actor", 1).load(load);
    Context::new().actor("a").scope(orchestrator.scope(get_own(&database, 1))).await.unwrap();
    Context::new().actor("a").scope(read()).await.unwrap();
    assert_eq!(database.reads(), 2);
    Context::new().actor("b").scope(read()).await.unwrap();
    assert_eq!(database.reads(), 2);
}

#[tokio::test]
async fn caches_in_memory_of_two_processes_do_not_know_each_others_writes() {
    let (one, other) = (orchestrator(), orchestrator());
    let database = Database::with(&[User::new(1, "ada")]);
    assert_eq!(read(&one, &database).await, "ada");
    other.scope(put(&database, User::new(1, "eve"))).await.unwrap();
    assert_eq!((read(&other, &database).await, read(&one, &database).await), ("eve".into(), "ada".into()));
}

#[tokio::test]
async fn write_of_another_service_leaves_the_old_value() {
    let cache = memory::Cache::new();
    let of = |service: &'static str| {
        Orchestrator::builder().service(service).cache(cache.clone()).build().unwrap()
    };
    let database = Database::with(&[User::new(1, "ada")]);
    assert_eq!(read(&of("users"), &database).await, "ada");
    of("billing").scope(put(&database, User::new(1, "eve"))).await.unwrap();
    assert_eq!(read(&of("users"), &database).await, "ada");
    of("users").scope(put(&database, User::new(1, "eve"))).await.unwrap();
    assert_eq!(read(&of("users"), &database).await, "eve");
}

/// It waits after its commit.
#[orchestrate(pattern = "rtl_user", cache(key = result.id))]
async fn create(database: &Database, user: User, source: Source) -> Result<User, UserError> {
    database.put(&user);
    source.load().await?;
    Ok(user)
}

#[tokio::test]
async fn write_with_a_key_over_its_result_that_is_dropped_after_its_commit_leaves_the_old_value() {
    let case = Case::new().await;
    let source = Source::new(Ok(0));
    let mut write = Box::pin(case.orchestrator.scope(create(&case.database, User::new(1, "eve"), source)));
    poll_once(write.as_mut()).await;
    drop(write);
    assert_eq!(case.read().await, "ada");
}

/// Its commit lands when the source answers, wherever its call is by then.
#[orchestrate(pattern = "rtl_user", cache(key = user.id))]
async fn put_in_a_task(database: Database, user: User, source: Source) -> Result<(), UserError> {
    let commit = tokio::spawn(async move {
        source.load().await?;
        database.put(&user);
        Ok(())
    });
    commit.await.unwrap()
}

#[tokio::test]
async fn commit_of_unknown_outcome_that_lands_after_its_hold_leaves_the_old_value() {
    for hold_is_over in [false, true] {
        pause();
        let case = Case::new().await;
        let source = Source::new(Ok(0));
        let write = put_in_a_task(case.database.clone(), User::new(1, "eve"), source.clone());
        let mut write = Box::pin(case.orchestrator.scope(write));
        poll_once(write.as_mut()).await;
        drop(write);
        source.until_loads(1).await;
        case.cache.until_called(Method::End, 1).await;
        if hold_is_over {
            advance(Duration::from_secs(31)).await;
        }
        assert_eq!(case.read().await, "ada", "it is not committed");
        source.gate.add_permits(1);
        yield_until(|| case.database.users.lock().unwrap()[&1].name == "eve").await;
        let name = if hold_is_over { "ada" } else { "eve" };
        assert_eq!(case.read().await, name, "hold is over: {hold_is_over}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn load_that_read_an_older_snapshot_than_the_write_is_stored_without_lag() {
    let case = Case::new().await;
    let replica = Database::with(&[User::new(1, "ada")]);
    case.orchestrator.scope(put(&case.database, User::new(1, "eve"))).await.unwrap();
    case.orchestrator.invalidate([("rtl_user", 1)]).await.unwrap();
    assert_eq!(read(&case.orchestrator, &replica).await, "ada");
    assert_eq!(case.read().await, "ada", "the value of the replica");
}

async fn failed(_: &Failure<'_, UserError>) -> Result<(), StepError> {
    Ok(())
}

/// A hook of the error arm.
#[orchestrate(pattern = "rtl_user", cache(key = user.id, err = failed))]
async fn put_and_fail(database: &Database, user: User) -> Result<(), UserError> {
    database.put(&user);
    Err(UserError::Down)
}

#[tokio::test]
async fn failed_write_whose_cache_step_has_a_hook_is_ended_in_the_background() {
    let case = Case::new().await;
    case.orchestrator.scope(put_and_fail(&case.database, User::new(1, "eve"))).await.unwrap_err();
    assert_eq!(case.read().await, "eve");
    case.cache.until_called(Method::End, 1).await;
    assert_eq!(case.orchestrator.cache_stats("rtl_user").unwrap().unconfirmed, 0, "the cache did not fail");
}
