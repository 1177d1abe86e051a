//! Handlers that never return from `poll`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{Code, EventData, HealthStatus, State, subscribe};

use super::{Handled, Program, awaited};

/// Lets the blocked handler go on.
#[derive(Clone, Default)]
struct Blocked {
    is_over: Arc<AtomicBool>,
    calls: Arc<AtomicU32>,
}

#[subscribe(event = "user_updated", pattern = "user", from = "start", timeout = "50ms")]
async fn blocks(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(blocked): State<Blocked>,
) -> Result<(), Code> {
    if event.entity_id.as_deref() == Some("blocked") {
        blocked.calls.fetch_add(1, Ordering::SeqCst);
        while !blocked.is_over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    handled.add(event.entity_id.as_deref().unwrap_or_default(), event.result);
    Ok(())
}

#[tokio::test]
async fn handler_that_never_returns_blocks_only_its_entity_and_is_not_started_twice() {
    let program = Program::new();
    program.emit([("blocked".to_owned(), 0), ("blocked".to_owned(), 1)]).await;
    let (handled, blocked) = (Handled::new(), Blocked::default());
    let subscribers = program.orchestrator.subscribers().only("subscribers::stuck::blocks").concurrency(1);
    let subscribers = subscribers.provide(handled.clone()).provide(blocked.clone());
    let others = async {
        while blocked.calls.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        program.emit((0..1000).map(|entity| (entity.to_string(), 0))).await;
        handled.wait_for(1000).await;
        let health = program.orchestrator.health().await;
        assert_eq!(health.status, HealthStatus::Degraded);
        assert_eq!(
            health.reasons,
            ["subscriber `subscribers::stuck::blocks`: 1 handlers do not return from `poll`"]
        );
    };
    let began = Instant::now();
    awaited(subscribers.run_until(others)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(40), "shutdown does not wait for it");
    assert_eq!(blocked.calls.load(Ordering::SeqCst), 1);
    assert_eq!(handled.all().len(), 1000);
    assert_eq!(program.orchestrator.health().await.reasons, [""; 0], "it has stopped");
    blocked.is_over.store(true, Ordering::SeqCst);
}
