//! Single flight: concurrent readers of one entry run one load.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use graceful::{Orchestrator, StepError, orchestrate};
use graceful_tests::gate::awaited;
use tokio::{
    task::JoinSet,
    time::{advance, sleep},
};

use super::{
    UserError, orchestrator,
    source::{Source, poll_once, yield_until},
};

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
async fn get(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

#[orchestrate(pattern = "rtf_two", cache(key = id, read, unwritten))]
async fn get_other(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

/// A service, whose repository reads the same entry. If they waited for each other, it would be for minutes.
#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten, wait = "10m"))]
async fn service(source: Source, id: u64) -> Result<u64, UserError> {
    repository(source, id).await
}

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten, wait = "10m"))]
async fn repository(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten, wait = "10m"))]
async fn recursive(source: Source, id: u64, depth: u8) -> Result<u64, UserError> {
    match depth {
        0 => source.load().await,
        _ => Box::pin(recursive(source, id, depth - 1)).await,
    }
}

/// Just longer than readers wait unless they say otherwise.
const LONGER_THAN_THE_WAIT: Duration = Duration::from_millis(2_001);

/// So many readers that all wait for one load.
async fn readers(
    orchestrator: &Orchestrator,
    source: &Source,
    count: usize,
) -> JoinSet<Result<u64, UserError>> {
    let mut readers = JoinSet::new();
    for _ in 0..count {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    yield_until(|| orchestrator.cache_stats("rtf_one").unwrap().misses == count as u64).await;
    readers
}

#[tokio::test]
async fn concurrent_readers_share_one_load() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let readers = readers(&orchestrator, &source, 200).await;
    source.gate.add_permits(1);
    assert!(readers.join_all().await.into_iter().all(|read| read == Ok(7)));
    assert_eq!(source.loads(), 1);
    let stats = orchestrator.cache_stats("rtf_one").unwrap();
    assert_eq!((stats.misses, stats.waited, stats.filled), (200, 199, 1));
}

#[tokio::test]
async fn readers_run_their_bodies_together_after_a_load_that_failed() {
    let (orchestrator, source) = (orchestrator(), Source::new(Err(UserError::NoSuchUser)));
    let readers = readers(&orchestrator, &source, 50).await;
    source.gate.add_permits(1);
    source.until_loads(50).await;
    source.gate.add_permits(49);
    assert!(readers.join_all().await.into_iter().all(|read| read == Err(UserError::NoSuchUser)));
}

#[tokio::test]
async fn next_reader_loads_when_the_leader_is_cancelled() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut leader = Box::pin(orchestrator.scope(get(source.clone(), 1)));
    poll_once(leader.as_mut()).await;
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    yield_until(|| orchestrator.cache_stats("rtf_one").unwrap().waited == 50).await;
    drop(leader);
    source.gate.add_permits(1);
    assert!(readers.join_all().await.into_iter().all(|read| read == Ok(7)));
    assert_eq!(source.loads(), 2);
    assert_eq!(orchestrator.cache_stats("rtf_one").unwrap().leader_cancelled, 1);
}

#[tokio::test]
async fn leader_that_is_not_polled_blocks_nobody_for_longer_than_the_wait() {
    tokio::time::pause();
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut leader = pin!(orchestrator.scope(get(source.clone(), 1)));
    poll_once(leader.as_mut()).await;
    source.gate.add_permits(2);
    assert_eq!(orchestrator.scope(get(source.clone(), 1)).await, Ok(7));
    assert_eq!(source.loads(), 2);
    assert_eq!(leader.await, Ok(7));
}

#[tokio::test]
async fn readers_that_have_waited_too_long_share_one_further_load() {
    tokio::time::pause();
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut leader = pin!(orchestrator.scope(get(source.clone(), 1)));
    poll_once(leader.as_mut()).await;
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    source.until_loads(2).await;
    source.gate.add_permits(2);
    assert!(readers.join_all().await.into_iter().all(|read| read == Ok(7)));
    assert_eq!(source.loads(), 2);
    assert_eq!(leader.await, Ok(7));
}

#[tokio::test]
async fn patterns_and_orchestrators_have_flights_of_their_own() {
    let (one, other) = (orchestrator(), orchestrator());
    let (a, b, c) = (Source::new(Ok(1)), Source::new(Ok(2)), Source::new(Ok(3)));
    for source in [&a, &b, &c] {
        source.gate.add_permits(1);
    }
    let reads = tokio::join!(
        one.scope(get(a.clone(), 1)),
        one.scope(get_other(b.clone(), 1)),
        other.scope(get(c.clone(), 1)),
    );
    assert_eq!(reads, (Ok(1), Ok(2), Ok(3)));
}

#[tokio::test]
async fn two_handlers_of_the_same_entry_share_no_load() {
    let (orchestrator, one, other) = (orchestrator(), Source::new(Ok(1)), Source::new(Ok(2)));
    let first = tokio::spawn(orchestrator.scope(get(one.clone(), 1)));
    one.until_loads(1).await;
    let second = tokio::spawn(orchestrator.scope(repository(other.clone(), 1)));
    // It would wait for minutes.
    other.until_loads(1).await;
    one.gate.add_permits(1);
    other.gate.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(1), Ok(2)));
    assert_eq!(orchestrator.cache_stats("rtf_one").unwrap().waited, 0);
}

#[tokio::test]
async fn reader_inside_of_a_load_of_its_entry_runs_at_once() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    source.gate.add_permits(2);
    assert_eq!(awaited(orchestrator.scope(service(source.clone(), 1))).await, Ok(7));
    assert_eq!(awaited(orchestrator.scope(recursive(source.clone(), 2, 3))).await, Ok(7));
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn concurrent_readers_of_nested_loads_share_the_outer_load() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        readers.spawn(orchestrator.scope(service(source.clone(), 1)));
        readers.spawn(orchestrator.scope(recursive(source.clone(), 2, 3)));
    }
    yield_until(|| orchestrator.cache_stats("rtf_one").unwrap().waited == 18).await;
    source.gate.add_permits(2);
    assert!(awaited(readers.join_all()).await.into_iter().all(|read| read == Ok(7)));
    assert_eq!(source.loads(), 2);
}

/// Panics when its gate opens, if it is told to.
#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten, wait = "10m"))]
async fn panicking(source: Source, id: u64, panics: Arc<AtomicBool>) -> Result<u64, UserError> {
    let value = source.load().await?;
    assert!(!panics.swap(false, Ordering::Relaxed), "no {id}");
    Ok(value)
}

#[tokio::test]
async fn readers_that_wait_for_a_load_that_panics_share_the_next_one() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let panics = Arc::new(AtomicBool::new(true));
    let read = || orchestrator.scope(panicking(source.clone(), 1, Arc::clone(&panics)));
    let leader = tokio::spawn(read());
    source.until_loads(1).await;
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        readers.spawn(read());
    }
    yield_until(|| orchestrator.cache_stats("rtf_one").unwrap().waited == 50).await;
    source.gate.add_permits(1);
    assert!(leader.await.unwrap_err().is_panic());
    source.until_loads(2).await;
    source.gate.add_permits(1);
    assert!(awaited(readers.join_all()).await.into_iter().all(|read| read == Ok(7)));
    let stats = orchestrator.cache_stats("rtf_one").unwrap();
    assert_eq!((source.loads(), stats.leader_cancelled, stats.filled), (2, 1, 1));
}

#[tokio::test]
async fn panicking_load_is_not_shared() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    source.gate.add_permits(11);
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        let panics = Arc::new(AtomicBool::new(true));
        readers.spawn(orchestrator.scope(panicking(source.clone(), 1, panics)));
    }
    while let Some(read) = awaited(readers.join_next()).await {
        assert!(read.unwrap_err().is_panic());
    }
    let panics = Arc::default();
    let next = awaited(orchestrator.scope(panicking(source.clone(), 1, panics))).await;
    assert_eq!((next, source.loads()), (Ok(7), 11), "the next load begins at once");
}

/// Its loads, and how many of them run.
#[derive(Debug, Default)]
struct Hot {
    loads: AtomicU64,
    running: AtomicU64,
    most: AtomicU64,
}

/// Returns its number.
#[orchestrate(pattern = "rtf_hot", cache(key = (), read))]
async fn load_hot(hot: Arc<Hot>) -> Result<u64, UserError> {
    hot.most.fetch_max(hot.running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    let number = hot.loads.fetch_add(1, Ordering::Relaxed) + 1;
    sleep(Duration::from_millis(100)).await;
    hot.running.fetch_sub(1, Ordering::Relaxed);
    Ok(number)
}

#[orchestrate(pattern = "rtf_hot", cache(key = (), on_ok = "invalidate"))]
async fn write() -> Result<(), UserError> {
    Ok(())
}

#[tokio::test]
async fn hot_key_has_one_load_at_a_time_and_nobody_waits_for_more_than_the_next() {
    tokio::time::pause();
    let (orchestrator, hot) = (orchestrator(), Arc::<Hot>::default());
    let mut readers = JoinSet::new();
    for _ in 0..100 {
        for _ in 0..5 {
            let (read, hot) = (orchestrator.scope(load_hot(Arc::clone(&hot))), Arc::clone(&hot));
            readers.spawn(async move {
                let begun = hot.loads.load(Ordering::Relaxed);
                (begun, read.await.unwrap())
            });
        }
        orchestrator.scope(write()).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    for (begun, load) in readers.join_all().await {
        assert!(
            (begun..=begun + 1).contains(&load),
            "{begun} loads had begun, and it waited for load {load}"
        );
    }
    assert_eq!(hot.most.load(Ordering::Relaxed), 1);
    assert!(hot.loads.load(Ordering::Relaxed) > 3, "writes made loads necessary");
}

/// Nobody can do without a load: each leader hangs.
#[tokio::test]
async fn reader_waits_for_two_loads_that_hang_and_then_runs_its_body() {
    tokio::time::pause();
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut first = pin!(orchestrator.scope(get(source.clone(), 1)));
    poll_once(first.as_mut()).await;
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    yield_until(|| orchestrator.cache_stats("rtf_one").unwrap().waited == 3).await;
    // One of them leads another load, and then the other two run their own bodies.
    for loads in [2, 4] {
        advance(LONGER_THAN_THE_WAIT).await;
        yield_until(|| source.loads() >= loads).await;
        assert_eq!(source.loads(), loads);
    }
    source.gate.add_permits(4);
    assert!(readers.join_all().await.into_iter().all(|read| read == Ok(7)));
    assert_eq!((first.await, source.loads()), (Ok(7), 4));
}

#[tokio::test]
async fn read_without_a_handler_shares_flights_and_entries() {
    let orchestrator = Orchestrator::builder().in_memory().reads("rtf_manual").build().unwrap();
    let source = Source::new(Ok(7));
    source.gate.add_permits(1);
    let read = || {
        let (orchestrator, source) = (orchestrator.clone(), source.clone());
        async move {
            let load = || async { source.load().await.map_err(|_| StepError::new("down")) };
            orchestrator.read_through("rtf_manual", 1).load::<u64, StepError, _, _>(load).await.unwrap()
        }
    };
    assert_eq!(tokio::join!(read(), read(), read()), (7, 7, 7));
    assert_eq!((read().await, source.loads()), (7, 1));
    let unheld = orchestrator.read_through("rtf_typo", 1);
    let error = unheld.load::<u64, StepError, _, _>(async || Ok(1)).await.unwrap_err();
    assert!(error.message().contains("reads(\"rtf_typo\")"), "{error}");
}
