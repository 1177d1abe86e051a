//! The counters of a pattern: each is counted once for what it stands for, and no other with it.

use std::time::Duration;

use graceful::{CacheStats, Orchestrator, StepError, orchestrate};
use graceful_tests::{FaultyProtocol, Method, ProtocolFault};
use tokio::time::{advance, pause};

use super::{
    UserError,
    source::{Source, poll_once, yield_until},
};

#[orchestrate(pattern = "rtc_user", cache(key = id, read, refresh = "1m"))]
async fn get(source: Source, id: u64) -> Result<u64, UserError> {
    source.load().await.map(|value| value + id)
}

#[orchestrate(pattern = "rtc_user", cache(key = id, on_ok = "invalidate"))]
async fn write(id: u64) -> Result<u64, UserError> {
    Ok(id)
}

struct Case {
    cache: FaultyProtocol,
    orchestrator: Orchestrator,
    source: Source,
}

impl Case {
    /// Loads are ready at once.
    fn new() -> Self {
        let case = Self::gated();
        case.source.gate.add_permits(99);
        case
    }

    /// Loads wait for the gate.
    fn gated() -> Self {
        let cache = FaultyProtocol::default();
        let builder = Orchestrator::builder().service("users").cache(cache.clone());
        let orchestrator = builder.reads("rtc_manual").build().unwrap();
        Self { cache, orchestrator, source: Source::new(Ok(6)) }
    }

    fn read(&self) -> impl Future<Output = Result<u64, UserError>> + use<> {
        self.orchestrator.scope(get(self.source.clone(), 1))
    }

    async fn write(&self) {
        self.orchestrator.scope(write(1)).await.unwrap();
    }

    fn stats(&self) -> CacheStats {
        self.orchestrator.cache_stats("rtc_user").unwrap()
    }

    #[track_caller]
    fn assert_counted(&self, count: impl FnOnce(&mut CacheStats)) {
        let mut expected = CacheStats::default();
        count(&mut expected);
        assert_eq!(self.stats(), expected);
    }
}

#[tokio::test]
async fn miss_and_fill_and_hit_are_each_counted_once() {
    let case = Case::new();
    case.assert_counted(|_| {});
    assert_eq!(case.read().await, Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.filled) = (1, 1));
    assert_eq!(case.read().await, Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.filled, stats.hits) = (1, 1, 1));
    case.write().await;
    case.assert_counted(|stats| (stats.misses, stats.filled, stats.hits) = (1, 1, 1));
}

#[tokio::test]
async fn failed_load_is_a_miss_and_nothing_else() {
    let case = Case::new();
    case.source.answer(Err(UserError::Down));
    case.read().await.unwrap_err();
    case.assert_counted(|stats| stats.misses = 1);
}

#[tokio::test]
async fn load_that_meets_a_write_is_refused_once() {
    let case = Case::gated();
    let load = tokio::spawn(case.read());
    case.source.until_loads(1).await;
    case.write().await;
    case.source.gate.add_permits(1);
    assert_eq!(load.await.unwrap(), Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.refused) = (1, 1));
}

#[tokio::test]
async fn load_that_begins_under_a_hold_is_refused_once() {
    let case = Case::new();
    let mut change = Box::pin(case.orchestrator.changing([("rtc_user", 1)], std::future::pending::<()>));
    poll_once(change.as_mut()).await;
    assert_eq!(case.read().await, Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.refused) = (1, 1));
}

#[tokio::test]
async fn reader_that_shares_a_load_has_waited_once() {
    let case = Case::gated();
    let (one, other) = (tokio::spawn(case.read()), tokio::spawn(case.read()));
    yield_until(|| case.stats().waited > 0).await;
    case.source.gate.add_permits(1);
    assert_eq!((one.await.unwrap(), other.await.unwrap()), (Ok(7), Ok(7)));
    case.assert_counted(|stats| (stats.misses, stats.waited, stats.filled) = (2, 1, 1));
}

#[tokio::test]
async fn refresh_is_counted_once_and_is_neither_hit_nor_miss() {
    pause();
    let case = Case::new();
    assert_eq!(case.read().await, Ok(7));
    advance(Duration::from_secs(60)).await;
    assert_eq!(case.read().await, Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.filled, stats.refreshed) = (1, 2, 1));
}

#[tokio::test]
async fn refresh_that_fails_is_counted_once_and_is_no_hit() {
    pause();
    let case = Case::new();
    assert_eq!(case.read().await, Ok(7));
    advance(Duration::from_secs(60)).await;
    case.source.answer(Err(UserError::Down));
    assert_eq!(case.read().await, Ok(7));
    case.assert_counted(|stats| (stats.misses, stats.filled, stats.refreshed) = (1, 1, 1));
}

#[tokio::test]
async fn dropped_load_is_a_cancelled_leader_once_whether_others_wait_or_not() {
    for others in [0, 3] {
        let case = Case::gated();
        let mut leader = Box::pin(case.read());
        poll_once(leader.as_mut()).await;
        let waiting: Vec<_> = (0..others).map(|_| tokio::spawn(case.read())).collect();
        yield_until(|| case.stats().waited == others).await;
        drop(leader);
        case.source.until_loads(1 + others.min(1)).await;
        case.source.gate.add_permits(1);
        for read in waiting {
            assert_eq!(read.await.unwrap(), Ok(7));
        }
        yield_until(|| case.stats().leader_cancelled > 0).await;
        case.assert_counted(|stats| {
            (stats.misses, stats.waited, stats.leader_cancelled) = (1 + others, others, 1);
            stats.filled = others.min(1);
        });
    }
}

#[tokio::test]
async fn load_without_a_handler_that_is_dropped_is_a_cancelled_leader_once() {
    let case = Case::new();
    let load = std::future::pending::<Result<u64, StepError>>;
    let mut read = Box::pin(case.orchestrator.read_through("rtc_manual", 1).load(load));
    poll_once(read.as_mut()).await;
    drop(read);
    let mut expected = CacheStats::default();
    (expected.misses, expected.leader_cancelled) = (1, 1);
    assert_eq!(case.orchestrator.cache_stats("rtc_manual"), Some(expected));
    case.assert_counted(|_| {});
}

#[tokio::test]
async fn hold_that_is_not_confirmed_is_unconfirmed_once() {
    for fault in [ProtocolFault::Fails, ProtocolFault::FailsLater] {
        let case = Case::new();
        case.cache.fail(Method::Hold, fault);
        case.write().await;
        case.assert_counted(|stats| stats.unconfirmed = 1);
    }
}

#[tokio::test]
async fn end_that_is_not_confirmed_is_unconfirmed_once_although_it_is_repeated() {
    pause();
    let case = Case::new();
    case.cache.fail(Method::End, ProtocolFault::FailsLater);
    case.write().await;
    case.cache.until_called(Method::End, 5).await;
    case.assert_counted(|stats| stats.unconfirmed = 1);
    case.cache.mend(Method::End);
    case.cache.until_called(Method::End, case.cache.calls(Method::End) + 1).await;
    case.assert_counted(|stats| stats.unconfirmed = 1);
}

#[tokio::test]
async fn hold_and_end_of_one_write_that_are_not_confirmed_are_unconfirmed_twice() {
    let case = Case::new();
    case.cache.fail(Method::Hold, ProtocolFault::Fails);
    case.cache.fail(Method::End, ProtocolFault::Fails);
    case.write().await;
    case.assert_counted(|stats| stats.unconfirmed = 2);
}

#[orchestrate(pattern = "rtc_order", cache(key = id, touches(rtc_user = [id, id + 1])))]
async fn order(id: u64) -> Result<u64, UserError> {
    Ok(id)
}

#[tokio::test]
async fn hold_and_end_of_a_write_of_another_pattern_are_unconfirmed_for_what_it_touches() {
    let case = Case::new();
    case.cache.fail(Method::Hold, ProtocolFault::Fails);
    case.orchestrator.scope(order(1)).await.unwrap();
    case.assert_counted(|stats| stats.unconfirmed = 1);
    case.cache.mend(Method::Hold);
    case.cache.fail(Method::End, ProtocolFault::Fails);
    case.orchestrator.scope(order(1)).await.unwrap();
    case.assert_counted(|stats| stats.unconfirmed = 2);
}

#[tokio::test]
async fn change_whose_hold_fails_is_unconfirmed() {
    let case = Case::new();
    case.cache.fail(Method::Hold, ProtocolFault::FailsLater);
    case.orchestrator.changing([("rtc_user", 1)], async || ()).await.unwrap_err();
    case.assert_counted(|stats| stats.unconfirmed = 1);
}

#[tokio::test(start_paused = true)]
async fn end_of_a_dropped_change_is_repeated_until_the_cache_confirms_it() {
    let case = Case::new();
    assert_eq!(case.read().await, Ok(7));
    case.cache.fail(Method::End, ProtocolFault::FailsLater);
    let change = async || {
        graceful::touch("rtc_user", 1);
        std::future::pending::<()>().await;
    };
    let mut change = Box::pin(case.orchestrator.changing([("rtc_user", 9)], change));
    poll_once(change.as_mut()).await;
    drop(change);
    case.cache.until_called(Method::End, 3).await;
    case.cache.mend(Method::End);
    while case.read().await.is_ok() && case.stats().misses == 1 {
        // The clock is paused, so this awaits the next try.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(case.stats().unconfirmed, 1);
}

#[tokio::test]
async fn read_whose_cache_fails_is_unanswered_and_runs_its_body() {
    for method in [Method::Hit, Method::LookUp, Method::Fill] {
        let case = Case::new();
        case.cache.fail(method, ProtocolFault::FailsLater);
        assert_eq!((case.read().await, case.read().await), (Ok(7), Ok(7)), "{method:?}");
        // One that was not stored was a miss.
        let (misses, unanswered) = if method == Method::Fill { (2, 0) } else { (0, 2) };
        case.assert_counted(|stats| (stats.misses, stats.unanswered) = (misses, unanswered));
        assert_eq!(case.source.loads(), 2, "{method:?}");
    }
}
