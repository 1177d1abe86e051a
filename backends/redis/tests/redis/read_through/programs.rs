//! Programs that share entities on one server.

use std::sync::atomic::{AtomicU64, Ordering};

use graceful::{Orchestrator, OrchestratorBuilder, StepError, StepErrorKind, orchestrate};
use graceful_tests::{Link, Proxy, gate::until};

use super::*;

/// Nothing in this program reads these patterns by a handler.
#[orchestrate(pattern = "rp_setting", cache(key = name, on_ok = "invalidate"))]
async fn set(name: &str) -> Result<(), StepError> {
    let _ = name;
    Ok(())
}

#[orchestrate(pattern = "rp_shared", cache(key = name, shared, on_ok = "invalidate"))]
async fn set_shared(name: &str) -> Result<(), StepError> {
    let _ = name;
    Ok(())
}

#[orchestrate(pattern = "rp_required", cache(key = name, shared, required, on_ok = "invalidate"))]
async fn set_required(name: &str, runs: &AtomicU64) -> Result<(), StepError> {
    let _ = name;
    runs.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// A program with a connection of its own.
async fn program(
    redis: &Redis,
    change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder,
) -> Orchestrator {
    let cache = redis.cache().await.timeout(LONG);
    change(Orchestrator::builder().service(redis.service.clone()).cache(cache)).build().unwrap()
}

async fn read(orchestrator: &Orchestrator, pattern: &str, value: &str) -> String {
    let load = async || Ok::<_, StepError>(value.to_owned());
    orchestrator.read_through(pattern, "theme").load(load).await.unwrap()
}

#[test(requires(Redis))]
async fn write_of_a_program_without_a_reader_is_seen_if_the_builder_shares_the_pattern() {
    let redis = Redis::connect().await;
    let reader = program(&redis, |builder| builder.reads("rp_setting")).await;
    let unshared = program(&redis, |builder| builder).await;
    let shared = program(&redis, |builder| builder.shared("rp_setting")).await;
    assert_eq!(read(&reader, "rp_setting", "light").await, "light");
    unshared.scope(set("theme")).await.unwrap();
    assert_eq!(read(&reader, "rp_setting", "dark").await, "light", "a documented limit");
    assert_eq!(
        (unshared.cache_stats("rp_setting"), shared.cache_stats("rp_setting").is_some()),
        (None, true)
    );
    shared.scope(set("theme")).await.unwrap();
    assert_eq!(read(&reader, "rp_setting", "dark").await, "dark");
    redis.clean().await;
}

#[test(requires(Redis))]
async fn write_of_a_program_without_a_reader_is_seen_if_its_handler_shares_the_pattern() {
    let redis = Redis::connect().await;
    let reader = program(&redis, |builder| builder.reads("rp_shared")).await;
    let writer = program(&redis, |builder| builder).await;
    assert_eq!(read(&reader, "rp_shared", "light").await, "light");
    assert_eq!(read(&reader, "rp_shared", "dark").await, "light");
    writer.scope(set_shared("theme")).await.unwrap();
    assert_eq!(read(&reader, "rp_shared", "dark").await, "dark");
    redis.clean().await;
}

#[test(requires(Redis))]
async fn two_programs_share_an_entry() {
    let redis = Redis::connect().await;
    let (one, other) = (
        program(&redis, |builder| builder.reads("rp_shared")).await,
        program(&redis, |builder| builder.reads("rp_shared")).await,
    );
    assert_eq!(read(&one, "rp_shared", "light").await, "light");
    assert_eq!(read(&other, "rp_shared", "dark").await, "light");
    assert_eq!(other.cache_stats("rp_shared").unwrap().hits, 1);
    redis.clean().await;
}

/// In memory nobody else can read it.
#[test]
fn shared_pattern_is_not_held_in_memory() {
    let orchestrator = Orchestrator::builder().in_memory().shared("rp_setting").build().unwrap();
    assert_eq!(orchestrator.cache_stats("rp_setting"), None);
    assert_eq!(orchestrator.cache_stats("rp_shared"), None);
}

#[test(requires(Redis))]
async fn cached_answers_nothing_for_an_entry_that_depends_on_other_entities() {
    let redis = Redis::connect().await;
    let program = program(&redis, |builder| builder.reads("rp_setting").reads("rp_tenant")).await;
    let load = async || Ok::<_, StepError>("light".to_owned());
    program.read_through("rp_setting", "theme").load(load).await.unwrap();
    let cached = program.cached::<String>("rp_setting", "theme").await.unwrap();
    assert_eq!(cached.as_deref(), Some("light"));
    program.invalidate([("rp_setting", "theme")]).await.unwrap();
    let read = program.read_through("rp_setting", "theme").depends_on([("rp_tenant", 7)]);
    read.load(load).await.unwrap();
    // It does not know which marks to ask for.
    assert_eq!(program.cached::<String>("rp_setting", "theme").await.unwrap(), None);
    redis.clean().await;
}

/// The cache of one program cannot be reached: its reads stay `Ok`, and its write does not run.
#[test(requires(Redis))]
async fn program_that_cannot_reach_the_server_reads_its_source_and_refuses_required_writes() {
    let redis = Redis::connect().await;
    let proxy = Proxy::to(redis.address).await;
    let cache = Cache::connect(&url(proxy.address())).await.unwrap().timeout(Duration::from_millis(200));
    let builder = Orchestrator::builder().service(redis.service.clone()).cache(cache);
    let cut_off = builder.reads("rp_required").build().unwrap();
    let other = program(&redis, |builder| builder.reads("rp_required")).await;
    assert_eq!(read(&other, "rp_required", "light").await, "light");
    let runs = AtomicU64::new(0);
    for link in [Link::BlackHole, Link::Refused, Link::Reset] {
        proxy.set(link).await;
        assert_eq!(read(&cut_off, "rp_required", "source").await, "source", "{link:?}");
        let error = cut_off.scope(set_required("theme", &runs)).await.unwrap_err();
        assert_eq!((error.kind(), runs.load(Ordering::SeqCst)), (StepErrorKind::Unavailable, 0));
        proxy.set(Link::Up).await;
    }
    until(async || cut_off.scope(set_required("theme", &runs)).await.is_ok()).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "it runs when the server is reached");
    assert_eq!(read(&other, "rp_required", "dark").await, "dark");
    redis.clean().await;
}

/// The end of a write is lost, and is repeated until it gets through.
#[test(requires(Redis))]
async fn end_that_is_lost_is_confirmed_after_the_server_is_reached_again() {
    let redis = Redis::connect().await;
    let proxy = Proxy::to(redis.address).await;
    let cache = Cache::connect(&url(proxy.address())).await.unwrap().timeout(Duration::from_millis(200));
    let builder = Orchestrator::builder().service(redis.service.clone()).cache(cache);
    let cut_off = builder.reads("rp_setting").build().unwrap();
    let other = program(&redis, |builder| builder.reads("rp_setting")).await;
    assert_eq!(read(&other, "rp_setting", "light").await, "light");
    proxy.set(Link::BlackHole).await;
    cut_off.scope(set("theme")).await.unwrap();
    assert_eq!(cut_off.cache_stats("rp_setting").unwrap().unconfirmed, 2, "the hold and the end");
    assert_eq!(read(&other, "rp_setting", "dark").await, "light", "a documented limit without `required`");
    // What was under way in the black hole is lost, too.
    proxy.set(Link::Reset).await;
    proxy.set(Link::Up).await;
    until(async || read(&other, "rp_setting", "dark").await == "dark").await;
    redis.clean().await;
}
