//! Which entry a reader gets: `per_actor`, `rev`, `when`, `lag`, and what is not stored.

use std::time::Duration;

use graceful::{Context, Orchestrator, orchestrate};
use graceful_tests::Log;
use tokio::time::{advance, pause};
use tonic::Response;
use tracing::Level;

use super::{
    Database, User, UserError, orchestrator,
    source::{Source, yield_until},
};

#[orchestrate(pattern = "rte_own", cache(key = id, read, per_actor))]
async fn get_own(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rte_own", cache(key = user.id))]
async fn put_own(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

/// Reads as an actor, and returns the name and how many loads there were until now.
async fn own(orchestrator: &Orchestrator, database: &Database, actor: Option<&str>) -> (String, u64) {
    let context = actor.map_or_else(Context::new, |actor| Context::new().actor(actor.to_owned()));
    let user = context.scope(orchestrator.scope(get_own(database, 1))).await.unwrap().unwrap();
    (user.name, database.reads())
}

#[tokio::test]
async fn actors_have_entries_of_their_own_that_one_write_invalidates() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let read = async |actor| own(&orchestrator, &database, Some(actor)).await;
    for (actor, loads) in [("a", 1), ("b", 2), ("a", 2), ("b", 2)] {
        assert_eq!(read(actor).await, ("ada".to_owned(), loads), "{actor}");
    }
    // The writer is an actor as well; what it has written need not be what it may read.
    let write = orchestrator.scope(put_own(&database, User::new(1, "eve")));
    Context::new().actor("a").scope(write).await.unwrap();
    assert_eq!(orchestrator.cached::<User>("rte_own", 1).await.unwrap(), None, "a write puts no value");
    for (actor, loads) in [("a", 3), ("b", 4), ("a", 4), ("b", 4)] {
        assert_eq!(read(actor).await, ("eve".to_owned(), loads), "{actor}");
    }
}

#[tokio::test]
async fn read_per_actor_without_an_actor_is_not_cached() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    for loads in 1..=3 {
        assert_eq!(own(&orchestrator, &database, None).await, ("ada".to_owned(), loads));
    }
    let stats = orchestrator.cache_stats("rte_own").unwrap();
    assert_eq!((stats.misses, stats.filled), (0, 0), "the cache is not asked");
}

#[orchestrate(pattern = "rte_own", cache(key = id, read, per_actor))]
async fn load_own(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await.map(|value| value + id)
}

#[tokio::test]
async fn actors_share_no_load() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let read = |actor: &'static str| {
        Context::new().actor(actor).scope(orchestrator.scope(load_own(source.clone(), 1)))
    };
    source.gate.add_permits(2);
    assert_eq!(tokio::join!(read("a"), read("b"), read("a")), (Ok(8), Ok(8), Ok(8)));
    assert_eq!(source.loads(), 2);
}

#[orchestrate(pattern = "rte_form", cache(key = id, read))]
async fn get_old_form(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

/// Readers of one pattern with different `rev` stand for two versions of the program.
#[orchestrate(pattern = "rte_form", cache(key = id, read, rev = 2))]
async fn get_new_form(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[orchestrate(pattern = "rte_form", cache(key = user.id))]
async fn put_form(database: &Database, user: User) -> Result<User, UserError> {
    database.put(&user);
    Ok(user)
}

#[tokio::test]
async fn entry_of_another_rev_is_a_miss_and_a_write_puts_the_rev_of_its_program() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let old = async || {
        let user = orchestrator.scope(get_old_form(&database, 1)).await.unwrap().unwrap();
        (user.name, database.reads())
    };
    let new = async || {
        let user = orchestrator.scope(get_new_form(&database, 1)).await.unwrap().unwrap();
        (user.name, database.reads())
    };
    let ada = |loads| ("ada".to_owned(), loads);
    assert_eq!((old().await, new().await), (ada(1), ada(2)));
    assert_eq!((old().await, new().await), (ada(2), ada(2)));
    orchestrator.scope(put_form(&database, User::new(1, "eve"))).await.unwrap();
    let eve = |loads| ("eve".to_owned(), loads);
    assert_eq!(
        (new().await, old().await),
        (eve(2), eve(3)),
        "the write has put one form and invalidated both"
    );
}

#[orchestrate(pattern = "rte_when", cache(key = id, read, unwritten), when = cached)]
async fn get_when(database: &Database, id: u64, cached: bool) -> Result<Option<User>, UserError> {
    let _ = cached;
    Ok(database.get(id))
}

#[orchestrate(pattern = "rte_when", cache(key = id, read, unwritten), when = result.is_some())]
async fn get_if_there_is_one(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

#[tokio::test]
async fn reader_whose_when_is_false_bypasses_the_cache() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let read = async |cached| {
        let user = orchestrator.scope(get_when(&database, 1, cached)).await.unwrap().unwrap();
        (user.name, database.reads())
    };
    assert_eq!(read(false).await, ("ada".to_owned(), 1));
    assert_eq!(read(true).await, ("ada".to_owned(), 2), "nothing was stored");
    database.put(&User::new(1, "eve"));
    assert_eq!(read(false).await, ("eve".to_owned(), 3), "the entry is no answer");
    assert_eq!(read(true).await, ("ada".to_owned(), 3), "the entry is as it was");
}

#[tokio::test]
async fn load_whose_when_is_false_is_not_stored() {
    let (orchestrator, database) = (orchestrator(), Database::default());
    let read = async || orchestrator.scope(get_if_there_is_one(&database, 1)).await.unwrap();
    assert_eq!((read().await, read().await), (None, None));
    assert_eq!(database.reads(), 2);
    database.put(&User::new(1, "ada"));
    assert_eq!((read().await.is_some(), read().await.is_some()), (true, true));
    assert_eq!(database.reads(), 3);
}

#[orchestrate(pattern = "rte_response", cache(key = id, read, unwritten))]
async fn respond(
    database: &Database,
    id: u64,
    header: Option<&'static str>,
) -> Result<Response<User>, UserError> {
    let mut response = Response::new(database.get(id).ok_or(UserError::NoSuchUser)?);
    if let Some(header) = header {
        response.metadata_mut().insert("x-shard", header.parse().unwrap());
    }
    Ok(response)
}

#[tokio::test]
async fn response_with_metadata_of_its_own_is_neither_stored_nor_shared() {
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let read = |header| orchestrator.scope(respond(&database, 1, header));
    for loads in 1..=2 {
        let response = read(Some("7")).await.unwrap();
        assert_eq!(response.metadata().get("x-shard").unwrap(), "7");
        assert_eq!(database.reads(), loads);
    }
    let (one, other) = tokio::join!(read(Some("7")), read(Some("7")));
    assert!([one, other].iter().all(|response| response.as_ref().unwrap().metadata().len() == 1));
    assert_eq!(database.reads(), 4);
    for _ in 0..2 {
        assert!(read(None).await.unwrap().metadata().is_empty());
        assert_eq!(database.reads(), 5, "one without metadata is stored");
    }
}

#[orchestrate(pattern = "rte_lag", cache(key = id, read, lag = "500ms"))]
async fn get_from_a_replica(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await.map(|value| value + id)
}

#[orchestrate(pattern = "rte_lag", cache(key = id, on_ok = "invalidate"))]
async fn write_to_the_primary(id: u64) -> Result<u64, UserError> {
    Ok(id)
}

#[tokio::test]
async fn load_within_the_lag_of_a_mark_is_not_stored_until_the_lag_is_over() {
    pause();
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    source.gate.add_permits(9);
    let read = async || {
        assert_eq!(orchestrator.scope(get_from_a_replica(source.clone(), 1)).await, Ok(8));
        let stats = orchestrator.cache_stats("rte_lag").unwrap();
        (source.loads(), stats.refused, stats.filled)
    };
    // The first look-up makes the mark.
    assert_eq!(read().await, (1, 1, 0));
    advance(Duration::from_millis(499)).await;
    assert_eq!(read().await, (2, 2, 0));
    advance(Duration::from_millis(1)).await;
    assert_eq!((read().await, read().await), ((3, 2, 1), (3, 2, 1)), "the lag is over");

    orchestrator.scope(write_to_the_primary(1)).await.unwrap();
    assert_eq!(read().await, (4, 3, 1), "a write has changed the mark");
    advance(Duration::from_millis(500)).await;
    assert_eq!((read().await, read().await), ((5, 3, 2), (5, 3, 2)));
}

#[tokio::test]
async fn load_within_the_lag_is_not_shared_with_a_call_that_began_after_its_look_up() {
    pause();
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let read = || tokio::spawn(orchestrator.scope(get_from_a_replica(source.clone(), 1)));
    let first = read();
    source.until_loads(1).await;
    let second = read();
    yield_until(|| orchestrator.cache_stats("rte_lag").unwrap().waited == 1).await;
    source.gate.add_permits(2);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(8), Ok(8)));
    assert_eq!(source.loads(), 2);
}

#[orchestrate(pattern = "rte_good", cache(key = id, read), fallback = last_good)]
async fn get_or_last(database: &Database, id: u64, fails: bool) -> Result<User, UserError> {
    let user = database.get(id).ok_or(UserError::NoSuchUser)?;
    if fails { Err(UserError::Down) } else { Ok(user) }
}

#[orchestrate(pattern = "rte_good", cache(key = user.id))]
async fn put_good(database: &Database, user: User) -> Result<(), UserError> {
    database.put(&user);
    Err(UserError::Down)
}

#[tokio::test]
async fn value_recovered_by_last_good_is_not_stored() {
    pause();
    let (orchestrator, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    let read = async |fails| {
        let user = orchestrator.scope(get_or_last(&database, 1, fails)).await.unwrap();
        (user.name, database.reads())
    };
    assert_eq!(read(false).await, ("ada".to_owned(), 1));
    // Its outcome is unknown, so the last good value stays and the entry does not.
    orchestrator.scope(put_good(&database, User::new(1, "eve"))).await.unwrap_err();
    advance(Duration::from_secs(31)).await;
    let filled = || orchestrator.cache_stats("rte_good").unwrap().filled;
    assert_eq!(read(true).await, ("ada".to_owned(), 2), "it is recovered");
    assert_eq!((read(true).await, filled()), (("ada".to_owned(), 3), 1), "it was not stored");
    assert_eq!((read(false).await, filled()), (("eve".to_owned(), 4), 2));
    assert_eq!(read(true).await, ("eve".to_owned(), 4), "a hit");
}

trait Kind {
    const PATTERN: &'static str;
}

struct Invoice;

impl Kind for Invoice {
    const PATTERN: &'static str = "rte_invoice";
}

#[orchestrate(pattern = K::PATTERN, cache(key = id, read, unwritten))]
async fn get_of_kind<K: Kind>(database: &Database, id: u64) -> Result<Option<User>, UserError> {
    Ok(database.get(id))
}

/// A limit: the held patterns are known at start.
#[tokio::test]
async fn reader_whose_pattern_is_generic_is_cached_only_if_the_builder_names_it() {
    let (log, _guard) = Log::listen();
    let (unnamed, database) = (orchestrator(), Database::with(&[User::new(1, "ada")]));
    for loads in 1..=3 {
        unnamed.scope(get_of_kind::<Invoice>(&database, 1)).await.unwrap();
        assert_eq!(database.reads(), loads);
    }
    let lines = log.of("graceful::requirements");
    let errors: Vec<_> = lines.iter().filter(|line| line.level == Level::ERROR).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].field("pattern"), "rte_invoice");
    let named = Orchestrator::builder().in_memory().reads("rte_invoice").build().unwrap();
    for _ in 0..3 {
        named.scope(get_of_kind::<Invoice>(&database, 1)).await.unwrap();
        assert_eq!(database.reads(), 4);
    }
}
