//! What the report says of a reader whose value is not cached, and what the counters and the log tell of an outage.

use std::time::Duration;

use graceful::{Context, Orchestrator, Step, StepError, orchestrate};
use graceful_tests::{
    FaultyProtocol, Method, ProtocolFault,
    log::{Line, Log},
    reports::Reports,
};

use super::UserError;

#[orchestrate(pattern = "rts_user", cache(key = id, read, refresh = "1m"))]
async fn get(id: &str) -> Result<u64, UserError> {
    Ok(id.len() as u64)
}

#[orchestrate(pattern = "rts_user", cache(key = id, read))]
fn get_now(id: &str) -> Result<u64, UserError> {
    Ok(id.len() as u64)
}

#[orchestrate(pattern = "rts_user", cache(key = id, on_ok = "invalidate"))]
async fn put(id: &str, reads: &str) -> Result<u64, UserError> {
    get(reads).await
}

#[orchestrate(pattern = "rts_own", cache(key = id, read, unwritten, per_actor))]
async fn get_own(id: &str) -> Result<u64, UserError> {
    Ok(id.len() as u64)
}

fn panics(id: &str) -> &str {
    assert!(!id.is_empty(), "an id is not empty");
    id
}

#[orchestrate(pattern = "rts_key", cache(key = panics(id), read, unwritten))]
async fn get_with_a_key_that_panics(id: &str) -> Result<u64, UserError> {
    Ok(id.len() as u64)
}

struct Case {
    cache: FaultyProtocol,
    orchestrator: Orchestrator,
    reports: Reports,
}

impl Case {
    fn new() -> Self {
        let (cache, reports) = (FaultyProtocol::default(), Reports::default());
        let builder = Orchestrator::builder().service("users").cache(cache.clone());
        let orchestrator = reports.of(builder).build().unwrap();
        Self { cache, orchestrator, reports }
    }

    /// What the report of the last flow says.
    fn step(&self) -> String {
        self.reports.last().step(Step::Cache).to_string()
    }

    fn unanswered(&self) -> u64 {
        self.orchestrator.cache_stats("rts_user").unwrap().unanswered
    }
}

/// The only log line of a cache that fails.
#[track_caller]
fn only(log: &Log) -> Line {
    let mut lines = log.of("graceful::cache");
    lines.retain(|line| line.level <= tracing::Level::WARN);
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    line.clone()
}

#[tokio::test]
async fn reader_with_an_empty_key_fails_its_step() {
    let case = Case::new();
    assert_eq!(case.orchestrator.scope(get("")).await, Ok(0));
    assert_eq!(case.step(), "FAILED: the cache key is empty");
}

#[tokio::test]
async fn reader_per_actor_without_an_actor_says_so() {
    let case = Case::new();
    assert_eq!(case.orchestrator.scope(get_own("a")).await, Ok(1));
    assert_eq!(case.step(), "skipped: no actor");
    let context = Context::new().actor("ada");
    assert_eq!(context.scope(case.orchestrator.scope(get_own("a"))).await, Ok(1));
    assert_eq!(case.step(), "filled");
}

#[tokio::test]
async fn reader_whose_key_panics_fails_its_step() {
    let case = Case::new();
    assert_eq!(case.orchestrator.scope(get_with_a_key_that_panics("")).await, Ok(0));
    let step = case.step();
    assert_eq!(step, "FAILED: the cache key panicked: an id is not empty");
}

#[tokio::test]
async fn reader_inside_of_a_write_says_so() {
    let case = Case::new();
    case.orchestrator.scope(put("a", "b")).await.unwrap();
    assert_eq!(case.reports.all()[0].step(Step::Cache).to_string(), "skipped: inside of a write");
}

#[tokio::test]
async fn reader_whose_cache_does_not_answer_says_so_and_is_counted() {
    for method in [Method::Hit, Method::LookUp] {
        for fault in [ProtocolFault::Fails, ProtocolFault::FailsLater] {
            let case = Case::new();
            case.cache.fail(method, fault);
            let (log, _listens) = Log::listen();
            assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
            assert_eq!((case.step().as_str(), case.unanswered()), ("skipped: the cache did not answer", 1));
            let line = only(&log);
            assert_eq!(
                (line.field("what"), line.field("pattern"), line.field("error")),
                ("a read", "rts_user", "the cache is down")
            );
            case.cache.mend(method);
            assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
            assert_eq!((case.step().as_str(), case.unanswered()), ("filled", 1));
        }
    }
}

#[tokio::test]
async fn reader_that_is_not_async_and_is_not_answered_at_once_says_so_and_is_counted() {
    for fault in ProtocolFault::ALL {
        let case = Case::new();
        case.cache.fail(Method::Hit, fault);
        assert_eq!(case.orchestrator.sync_scope(|| get_now("a")), Ok(1));
        assert_eq!((case.step().as_str(), case.unanswered()), ("skipped: the cache did not answer", 1));
    }
}

#[tokio::test]
async fn entry_of_another_form_is_a_miss_and_is_logged() {
    let case = Case::new();
    let text = async || Ok::<_, StepError>("text".to_owned());
    case.orchestrator.read_through("rts_user", "a").load(text).await.unwrap();
    let (log, _listens) = Log::listen();
    assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
    let stats = case.orchestrator.cache_stats("rts_user").unwrap();
    assert_eq!((stats.hits, stats.misses), (1, 2), "it was found, and loaded");
    assert_eq!(only(&log).field("what"), "decoding a cached value");
    assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
    assert_eq!(case.step(), "filled");
}

#[tokio::test]
async fn refresh_whose_cache_does_not_answer_returns_the_entry() {
    tokio::time::pause();
    let case = Case::new();
    assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
    tokio::time::advance(Duration::from_secs(61)).await;
    case.cache.fail(Method::LookUp, ProtocolFault::FailsLater);
    assert_eq!(case.orchestrator.scope(get("a")).await, Ok(1));
    assert_eq!((case.reports.count(), case.unanswered()), (1, 0), "it is a hit");
}

#[tokio::test]
async fn load_that_is_not_stored_returns_its_value_and_is_logged() {
    let case = Case::new();
    case.cache.fail(Method::Fill, ProtocolFault::FailsLater);
    let (log, _listens) = Log::listen();
    let load = async || Ok::<_, StepError>(7_u64);
    assert_eq!(case.orchestrator.read_through("rts_user", "b").load(load).await.unwrap(), 7);
    assert_eq!(only(&log).field("what"), "storing a load");
}
