//! Refresh: one caller loads before the entry ends, the others get the cached value.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use graceful::orchestrate;
use tokio::time::{advance, pause, sleep};

use super::{UserError, orchestrator};

/// Counts its loads; each takes 100 ms.
#[derive(Clone, Debug, Default)]
struct Source {
    loads: Arc<AtomicU64>,
    fails: Arc<AtomicU64>,
    hangs: Arc<AtomicU64>,
}

#[orchestrate(pattern = "rtr_user", cache(key = (), read, unwritten, ttl = "10s", refresh = "1s"))]
async fn get(source: &Source) -> Result<u64, UserError> {
    let number = source.loads.fetch_add(1, Ordering::Relaxed) + 1;
    sleep(Duration::from_millis(100)).await;
    if source.hangs.load(Ordering::Relaxed) > 0 {
        std::future::pending::<()>().await;
    }
    match source.fails.load(Ordering::Relaxed) {
        0 => Ok(number),
        _ => Err(UserError::Down),
    }
}

#[tokio::test]
async fn first_caller_refreshes_and_the_others_get_the_cached_value() {
    pause();
    let (orchestrator, source) = (orchestrator(), Source::default());
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(1));
    advance(Duration::from_millis(1_100)).await;
    let (first, second, third) = tokio::join!(
        orchestrator.scope(get(&source)),
        orchestrator.scope(get(&source)),
        orchestrator.scope(get(&source)),
    );
    assert_eq!((first, second, third), (Ok(2), Ok(1), Ok(1)));
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(2));
    assert_eq!(orchestrator.cache_stats("rtr_user").unwrap().refreshed, 1);
}

#[tokio::test]
async fn failing_refresh_answers_the_cached_value_and_is_tried_rarely() {
    pause();
    let (orchestrator, source) = (orchestrator(), Source::default());
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(1));
    source.fails.store(1, Ordering::Relaxed);
    advance(Duration::from_millis(1_100)).await;
    for _ in 0..1_000 {
        assert_eq!(orchestrator.scope(get(&source)).await, Ok(1));
        advance(Duration::from_millis(1)).await;
    }
    let loads = source.loads.load(Ordering::Relaxed);
    assert!((2..=12).contains(&loads), "one try in a tenth of the time: {loads}");
    advance(Duration::from_secs(10)).await;
    assert_eq!(orchestrator.scope(get(&source)).await, Err(UserError::Down), "a refresh prolongs nothing");
}

#[tokio::test]
async fn hanging_refresh_does_not_prolong_the_entry() {
    pause();
    let (orchestrator, source) = (orchestrator(), Source::default());
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(1));
    source.hangs.store(1, Ordering::Relaxed);
    advance(Duration::from_millis(1_100)).await;
    let hanging = tokio::spawn({
        let (orchestrator, source) = (orchestrator.clone(), source.clone());
        async move { orchestrator.scope(get(&source)).await }
    });
    sleep(Duration::from_millis(200)).await;
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(1));
    advance(Duration::from_secs(10)).await;
    source.hangs.store(0, Ordering::Relaxed);
    assert_eq!(orchestrator.scope(get(&source)).await, Ok(3));
    hanging.abort();
}
