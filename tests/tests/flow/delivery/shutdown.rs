use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn shutdown_waits_for_queued_flows() {
    gated!(GATE, ask);

    let world = World::new();
    for n in 1..=3 {
        world.run(ask(n, None)).await.unwrap();
    }
    let mut shutdown = pin!(world.orchestrator.shutdown(MINUTE));
    assert!(poll(shutdown.as_mut()).is_pending());
    GATE.open_for(3);
    assert_eq!(shutdown.await, 0, "nothing is left");
    assert_eq!(world.reports.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn shutdown_at_its_deadline_counts_unfinished_flows() {
    gated!(GATE, ask);

    let (log, _listening) = Log::listen();
    let world = World::new();
    for n in 1..=3 {
        world.run(ask(n, None)).await.unwrap();
    }
    GATE.open_for(1);
    world.reports.until(1).await;
    assert_eq!(world.orchestrator.shutdown(Duration::from_secs(5)).await, 2);
    let lines = log.of("graceful::background");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].field("left"), "2");

    // What is left is not given up while the process lives.
    GATE.open_for(2);
    let reports = world.reports.until(3).await;
    assert!(reports.iter().all(|report| report.failures().count() == 0), "{reports:?}");
}

#[tokio::test]
async fn shutdown_without_flows_returns_at_once() {
    let world = World::new();
    assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
    assert_eq!(world.orchestrator.shutdown(MINUTE).await, 0, "and twice is no harm");
}

#[tokio::test]
async fn flow_after_shutdown_runs_inline() {
    gated!(GATE, ask);

    let world = World::new();
    assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
    for (n, error) in [(1, None), (2, Some(Code::Internal))] {
        let before = world.reports.count();
        let mut call = pin!(world.run(ask(n, error)));
        assert!(poll(call.as_mut()).is_pending(), "it waits for its steps");
        GATE.open_for(1);
        assert_eq!(call.await, error.map_or(Ok(n), Err));
        assert_eq!(world.reports.count(), before + 1);
    }
}

#[tokio::test]
async fn caller_cancelled_after_shutdown_loses_no_flow() {
    gated!(GATE, ask);

    let world = World::new();
    assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
    {
        let mut call = pin!(world.run(ask(1, None)));
        assert!(poll(call.as_mut()).is_pending());
    }
    GATE.open_for(1);
    let report = world.reports.until(1).await.remove(0);
    assert_eq!(report.failures().count(), 0, "{report}");
}

/// Shutdown also waits for an inline flow whose caller was cancelled.
#[tokio::test]
async fn shutdown_waits_for_inline_flows_of_cancelled_callers() {
    static GATE: Gate = Gate::closed();

    async fn audit(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, audit = audit)]
    async fn never_ends() -> Result<u64, Code> {
        pending().await
    }

    let world = World::new();
    {
        let mut call = pin!(world.run(never_ends()));
        assert!(poll(call.as_mut()).is_pending());
    }
    let mut shutdown = pin!(world.orchestrator.shutdown(MINUTE));
    assert!(poll(shutdown.as_mut()).is_pending());
    GATE.open_for(1);
    assert_eq!(shutdown.await, 0);
    assert_eq!(world.reports.count(), 1);
}
