//! Flows that have not ended when the process shuts down are stored or reported.

use super::*;

static GATE: Gate = Gate::closed();

async fn gated(_: &Flow) -> HookResult {
    GATE.pass().await;
    Ok(())
}

/// Its slow step is nobody's hook: an emitter that waits.
#[derive(Debug)]
struct Slow(Arc<Gate>);

impl graceful::backends::EventEmitter for Slow {
    fn emit(&self, _: Event) -> graceful::backends::Reply<()> {
        let gate = Arc::clone(&self.0);
        graceful::backends::Reply::pending(async move {
            gate.pass().await;
            Ok(())
        })
    }
}

#[orchestrate(pattern = "user", id = 42, event = "asked", delivery = "background")]
async fn in_the_background(n: u8, error: Option<Code>) -> Result<u8, Code> {
    error.map_or(Ok(n), Err)
}

#[tokio::test]
async fn flow_queued_at_the_shutdown_deadline_is_stored_and_run_by_the_next_process() {
    let mut service = Service::new().await;
    let gate = Arc::new(Gate::closed());
    let orchestrator =
        service.builder().events(Slow(Arc::clone(&gate))).relay(RelaySettings::off()).build().unwrap();
    for (n, error) in [(1, None), (2, Some(Code::Internal)), (3, None)] {
        let _ = orchestrator.scope(in_the_background(n, error)).await;
    }
    gate.reached().await;
    assert_eq!(orchestrator.shutdown(Duration::from_millis(10)).await, 0, "nothing is left");
    let stored = service.stored(FlowState::Queued).await;
    let endings: Vec<_> = stored.iter().map(|stored| stored.flow().unwrap().ending()).collect();
    assert_eq!(endings, [CallOutcome::Ok, CallOutcome::Err, CallOutcome::Ok], "in their order");
    drop(orchestrator);

    let _next = service.with_a_relay();
    let reports = service.reports.until(3).await;
    assert_eq!(reports[0].step(Step::Metadata).to_string(), "done before");
    assert_eq!(reports[0].step(Step::Event).to_string(), "emitted");
    assert_eq!(service.emitted().len(), 3);
}

/// Only this process knows the flow's hook, so the flow cannot be stored.
#[tokio::test]
async fn flow_that_cannot_be_stored_at_shutdown_is_left_and_counted() {
    #[orchestrate(pattern = "user", id = 42, audit = gated, delivery = "background")]
    async fn ask() -> Result<u8, Code> {
        Ok(1)
    }

    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    orchestrator.scope(ask()).await.unwrap();
    GATE.reached().await;
    assert_eq!(orchestrator.shutdown(Duration::from_millis(10)).await, 1);
    assert!(service.stored(FlowState::Queued).await.is_empty());
    GATE.open_for(1);
    service.reports.until(1).await;
}

#[tokio::test]
async fn relay_at_shutdown_claims_nothing_and_finishes_its_flows() {
    static GATE: Gate = Gate::closed();

    async fn gated(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = id, audit = gated, delivery = "durable")]
    async fn ask(id: u8) -> Result<u8, Code> {
        Ok(id)
    }

    let service = Service::new().await;
    let orchestrator = service.with_a_relay();
    orchestrator.scope(ask(1)).await.unwrap();
    GATE.reached().await;
    let mut shutdown = std::pin::pin!(orchestrator.shutdown(Duration::from_secs(60)));
    assert!(poll(shutdown.as_mut()).is_pending());
    // Still stored, for the next process.
    orchestrator.scope(ask(2)).await.unwrap();
    GATE.open_for(2);
    assert_eq!(shutdown.await, 0);
    service.until(FlowState::Completed, 1).await;
    let queued = service.stored(FlowState::Queued).await;
    assert_eq!(
        (queued.len(), &*queued[0].summary.entity, queued[0].summary.attempts),
        (1, "users::user:2", 0)
    );
}
