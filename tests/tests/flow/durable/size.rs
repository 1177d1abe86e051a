//! Events that are larger than the emitter's limit are refused.

use super::*;

#[orchestrate(pattern = "user", id = id, event = "asked", delivery = "durable")]
async fn ask(id: u8, size: usize) -> Result<String, Code> {
    Ok("x".repeat(size))
}

#[orchestrate(pattern = "user", id = 42, event(name = "asked", payload = 1), metadata = serde_json::json!({ "text": "x".repeat(size) }), delivery = "durable")]
async fn fail(size: usize) -> Result<String, Code> {
    Err(Code::Internal)
}

#[tokio::test]
async fn event_over_the_size_limit_is_refused_once_and_other_steps_run() {
    let mut service = Service::new().await;
    let orchestrator = service.with_a_relay();
    orchestrator.scope(ask(1, 66_000)).await.unwrap();
    orchestrator.scope(ask(2, 60_000)).await.unwrap();
    let completed = service.until(FlowState::Completed, 2).await;
    assert!(
        completed.iter().all(|stored| stored.summary.attempts == 1),
        "refused when stored, and never tried"
    );
    let events = service.emitted();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].flow().entity_id(), "2");
    assert_eq!(orchestrator.stats().failures(Step::Event), 1);
    let reports = service.reports.until(2).await;
    assert!(reports.iter().all(|report| report.step(Step::Audit).is_done()));
}

#[tokio::test]
async fn size_limit_applies_to_the_event_and_not_to_the_stored_flow() {
    let mut service = Service::new().await;
    let orchestrator = service.builder().max_event_bytes(70_000).build().unwrap();
    orchestrator.scope(ask(1, 66_000)).await.unwrap();
    // The error flow has no value, and what its metadata says is part of its event.
    orchestrator.scope(fail(100)).await.unwrap_err();
    service.until(FlowState::Completed, 2).await;
    assert_eq!(service.emitted().len(), 2);

    // What the metadata step adds later is not known yet when the flow is stored.
    orchestrator.scope(fail(80_000)).await.unwrap_err();
    service.until(FlowState::Completed, 3).await;
}

#[tokio::test]
async fn size_limit_counts_the_bytes_on_the_wire() {
    let mut service = Service::new().await;
    let limit = 10_000;
    let orchestrator = service.builder().max_event_bytes(limit).build().unwrap();
    for size in [9_000, 9_300, 9_600, 9_900] {
        orchestrator.scope(ask(u8::try_from(size / 100).unwrap(), size)).await.unwrap();
    }
    service.until(FlowState::Completed, 4).await;
    for event in service.emitted() {
        let without_metadata =
            event.to_json().unwrap().len() - serde_json::to_string(&event.data().metadata).unwrap().len();
        assert!(without_metadata <= limit, "{without_metadata}");
    }
    assert_eq!(orchestrator.stats().failures(Step::Event), 2);
}
