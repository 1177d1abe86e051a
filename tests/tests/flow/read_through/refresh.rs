//! Refresh: one caller loads before the entry ends, the others get the cached value.

use std::time::Duration;

use graceful::{Orchestrator, orchestrate};
use tokio::{
    task::JoinHandle,
    time::{advance, pause},
};

use super::{UserError, orchestrator, source::Source};

#[orchestrate(pattern = "rtr_user", cache(key = (), read, ttl = "10s", refresh = "1s"))]
async fn get(source: Source) -> Result<u64, UserError> {
    source.load().await
}

#[orchestrate(pattern = "rtr_user", cache(key = (), on_ok = "invalidate"))]
async fn write() -> Result<(), UserError> {
    Ok(())
}

struct Case {
    orchestrator: Orchestrator,
    source: Source,
}

impl Case {
    /// An entry with the value 1, which is due.
    async fn due() -> Self {
        pause();
        let case = Self { orchestrator: orchestrator(), source: Source::new(Ok(1)) };
        case.source.gate.add_permits(1);
        assert_eq!(case.read().await, Ok(1));
        advance(Duration::from_millis(1_100)).await;
        case
    }

    async fn read(&self) -> Result<u64, UserError> {
        self.orchestrator.scope(get(self.source.clone())).await
    }

    /// A refresh whose load has begun.
    async fn refreshing(&self) -> JoinHandle<Result<u64, UserError>> {
        let loads = self.source.loads();
        let refresh = tokio::spawn(self.orchestrator.scope(get(self.source.clone())));
        self.source.until_loads(loads + 1).await;
        refresh
    }

    fn refreshed(&self) -> u64 {
        self.orchestrator.cache_stats("rtr_user").unwrap().refreshed
    }
}

#[tokio::test]
async fn first_caller_refreshes_and_the_others_get_the_cached_value() {
    let case = Case::due().await;
    let first = case.refreshing().await;
    assert_eq!((case.read().await, case.read().await), (Ok(1), Ok(1)));
    case.source.answer(Ok(2));
    case.source.gate.add_permits(1);
    assert_eq!((first.await.unwrap(), case.read().await), (Ok(2), Ok(2)));
    assert_eq!((case.refreshed(), case.source.loads()), (1, 2));
}

#[tokio::test]
async fn failing_refresh_answers_the_cached_value_and_is_tried_rarely() {
    let case = Case::due().await;
    case.source.answer(Err(UserError::Down));
    case.source.gate.add_permits(1_000);
    for _ in 0..1_000 {
        assert_eq!(case.read().await, Ok(1));
        advance(Duration::from_millis(1)).await;
    }
    // At first, and after each tenth of the time.
    assert_eq!(case.source.loads(), 1 + 10);
    advance(Duration::from_secs(10)).await;
    assert_eq!(case.read().await, Err(UserError::Down), "a refresh prolongs nothing");
}

#[tokio::test]
async fn hanging_refresh_does_not_prolong_the_entry() {
    let case = Case::due().await;
    let hanging = case.refreshing().await;
    assert_eq!(case.read().await, Ok(1));
    advance(Duration::from_secs(10)).await;
    let loads = case.source.loads();
    let next = tokio::spawn(case.orchestrator.scope(get(case.source.clone())));
    // It waits for the load that hangs, and then runs its body.
    case.source.until_loads(loads + 1).await;
    hanging.abort();
    case.source.answer(Ok(3));
    case.source.gate.add_permits(1);
    assert_eq!(next.await.unwrap(), Ok(3));
}

#[tokio::test]
async fn write_during_a_refresh_is_not_lost() {
    let case = Case::due().await;
    let refresh = case.refreshing().await;
    case.orchestrator.scope(write()).await.unwrap();
    case.source.gate.add_permits(1);
    assert_eq!(refresh.await.unwrap(), Ok(1), "its load began before the write");
    case.source.answer(Ok(2));
    case.source.gate.add_permits(1);
    assert_eq!((case.read().await, case.source.loads()), (Ok(2), 3), "it was not stored");
}
