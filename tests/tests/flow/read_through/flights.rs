//! Single flight: concurrent readers of one entry run one load.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use graceful::{Orchestrator, StepError, orchestrate};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use super::{UserError, orchestrator};

/// A source that answers when it is allowed to, and counts.
#[derive(Clone, Debug)]
struct Source {
    loads: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
    answer: Result<u64, UserError>,
}

impl Source {
    fn new(answer: Result<u64, UserError>) -> Self {
        Self { loads: Arc::default(), gate: Arc::new(Semaphore::new(0)), answer }
    }

    async fn load(&self) -> Result<u64, UserError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.gate.acquire().await.unwrap().forget();
        self.answer.clone()
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
async fn get(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

#[orchestrate(pattern = "rtf_two", cache(key = id, read, unwritten))]
async fn get_other(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

/// A service, whose repository reads the same entry.
#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
async fn service(source: Source, id: u64) -> Result<u64, UserError> {
    repository(source, id).await
}

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
async fn repository(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await
}

#[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
async fn recursive(source: Source, id: u64, depth: u8) -> Result<u64, UserError> {
    match depth {
        0 => source.load().await,
        _ => Box::pin(recursive(source, id, depth - 1)).await,
    }
}

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
    let stats = || orchestrator.cache_stats("rtf_one").unwrap();
    while stats().misses < count as u64 {
        tokio::task::yield_now().await;
    }
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
    while source.loads() < 50 {
        tokio::task::yield_now().await;
    }
    source.gate.add_permits(49);
    assert!(readers.join_all().await.into_iter().all(|read| read == Err(UserError::NoSuchUser)));
}

#[tokio::test]
async fn next_reader_loads_when_the_leader_is_cancelled() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    let mut leader = Box::pin(orchestrator.scope(get(source.clone(), 1)));
    assert!(poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx))).await.is_pending());
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    while orchestrator.cache_stats("rtf_one").unwrap().waited < 50 {
        tokio::task::yield_now().await;
    }
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
    assert!(poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx))).await.is_pending());
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
    assert!(poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx))).await.is_pending());
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        readers.spawn(orchestrator.scope(get(source.clone(), 1)));
    }
    while source.loads() < 2 {
        sleep(Duration::from_millis(100)).await;
    }
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
async fn reader_inside_of_a_load_of_its_entry_runs_at_once() {
    let (orchestrator, source) = (orchestrator(), Source::new(Ok(7)));
    source.gate.add_permits(2);
    assert_eq!(orchestrator.scope(service(source.clone(), 1)).await, Ok(7));
    assert_eq!(orchestrator.scope(recursive(source.clone(), 2, 3)).await, Ok(7));
}

#[tokio::test]
async fn panicking_load_is_not_shared() {
    #[orchestrate(pattern = "rtf_one", cache(key = id, read, unwritten))]
    async fn panics(id: u64) -> Result<u64, UserError> {
        tokio::task::yield_now().await;
        panic!("no {id}")
    }
    let orchestrator = orchestrator();
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        readers.spawn(orchestrator.scope(panics(1)));
    }
    while let Some(read) = readers.join_next().await {
        assert!(read.unwrap_err().is_panic());
    }
    let source = Source::new(Ok(7));
    source.gate.add_permits(1);
    assert_eq!(orchestrator.scope(get(source, 1)).await, Ok(7), "the next load begins at once");
}

#[orchestrate(pattern = "rtf_hot", cache(key = (), read))]
async fn hot(running: Arc<AtomicU64>, most: Arc<AtomicU64>) -> Result<u64, UserError> {
    most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    sleep(Duration::from_millis(100)).await;
    running.fetch_sub(1, Ordering::Relaxed);
    Ok(7)
}

#[orchestrate(pattern = "rtf_hot", cache(key = (), on_ok = "invalidate"))]
async fn write() -> Result<(), UserError> {
    Ok(())
}

#[tokio::test]
async fn hot_key_has_one_load_at_a_time() {
    tokio::time::pause();
    let (orchestrator, running, most) = (orchestrator(), Arc::default(), Arc::<AtomicU64>::default());
    let mut readers = JoinSet::new();
    for round in 0..100 {
        for _ in 0..5 {
            let read = orchestrator.scope(hot(Arc::clone(&running), Arc::clone(&most)));
            readers.spawn(async {
                let began = tokio::time::Instant::now();
                (read.await, began.elapsed())
            });
        }
        orchestrator.scope(write()).await.unwrap_or_else(|error| panic!("{round}: {error:?}"));
        sleep(Duration::from_millis(5)).await;
    }
    for (read, took) in readers.join_all().await {
        assert_eq!(read, Ok(7));
        // Time is paused, so this is exact: the rest of one load, and one more.
        assert!(took <= Duration::from_millis(201), "{took:?}");
    }
    assert_eq!(most.load(Ordering::Relaxed), 1);
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
