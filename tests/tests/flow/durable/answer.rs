//! A durable handler answers after its flow is stored, whether it returns, panics or is dropped.

use super::*;

#[orchestrate(pattern = "user", id = 42, cache = 42, event = "asked", delivery = "durable")]
async fn ask(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(7), Err)
}

#[tokio::test]
async fn durable_answer_is_returned_after_the_flow_is_stored_and_before_its_steps() {
    for (error, ending, event) in
        [(None, CallOutcome::Ok, "asked"), (Some(Code::Unavailable), CallOutcome::Err, "asked.failed")]
    {
        let mut service = Service::new().await;
        let orchestrator = service.without_a_relay();
        assert_eq!(orchestrator.scope(ask(error)).await, error.map_or(Ok(7), Err));
        let stored = service.stored(FlowState::Queued).await;
        assert_eq!(stored.len(), 1);
        assert_eq!((&*stored[0].summary.entity, stored[0].summary.attempts), ("users::user:42", 0));
        let flow = stored[0].flow().unwrap();
        assert_eq!(
            (flow.ending(), flow.code(), flow.event_name()),
            (ending, error.unwrap_or(Code::Ok), Some(event))
        );
        assert_eq!((flow.id(), flow.handler()), (stored[0].summary.id, "ask"));
        assert!(service.emitted().is_empty());
        assert_eq!(service.reports.count(), 0);
    }
}

/// The trace is the part of the context that every event carries.
#[tokio::test]
async fn trace_of_the_call_is_stored_and_in_the_event_of_the_relay() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
    let context = graceful::Context::new().trace(parent.parse().unwrap()).trace_state(state.parse().unwrap());
    for error in [None, Some(Code::Unavailable)] {
        let mut service = Service::new().await;
        let _ = context.clone().scope(service.without_a_relay().scope(ask(error))).await;
        let stored = service.stored(FlowState::Queued).await.remove(0).flow().unwrap();
        assert_eq!(stored.context(), Some(&context));
        let relay = service.with_a_relay();
        service.until(FlowState::Completed, 1).await;
        let event = serde_json::to_value(service.emitted().remove(0)).unwrap();
        assert_eq!([&event["traceparent"], &event["tracestate"]], [parent, state]);
        drop(relay);
    }
}

/// The relay belongs to another orchestrator, as in another process.
#[tokio::test]
async fn relay_runs_the_steps_of_a_stored_flow_with_the_same_id() {
    for error in [None, Some(Code::Unavailable)] {
        let mut service = Service::new().await;
        let _ = service.without_a_relay().scope(ask(error)).await;
        let queued = service.stored(FlowState::Queued).await.remove(0);
        let relay = service.with_a_relay();
        let report = service.reports.until(1).await.remove(0);
        assert_eq!(report.failures().count(), 0, "{report}");
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
        assert_eq!(report.step(Step::Cache).to_string(), if error.is_none() { "put" } else { "invalidated" });
        let events = service.emitted();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].id(), report.flow().id()), (queued.summary.id, queued.summary.id));
        assert_eq!(events[0].data().result.as_json(), if error.is_none() { "7" } else { "null" });
        service.until(FlowState::Completed, 1).await;
        drop(relay);
    }
}

struct Opaque;

#[orchestrate(pattern = "user", cache = 42, delivery = "durable")]
async fn answer_without_a_payload() -> Result<Opaque, Code> {
    Ok(Opaque)
}

#[tokio::test]
async fn relay_reports_that_a_value_is_not_serialize() {
    let service = Service::new().await;
    service.without_a_relay().scope(answer_without_a_payload()).await.map(drop).unwrap();
    let relay = service.with_a_relay();
    let report = service.reports.until(1).await.remove(0);
    assert_eq!(report.step(Step::Cache).to_string(), "invalidated: the `Ok` value is not `Serialize`");
    drop(relay);
}

#[tokio::test]
async fn panic_continues_after_its_flow_is_stored() {
    #[orchestrate(pattern = "user", id = 42, delivery = "durable")]
    async fn panics() -> Result<u64, Code> {
        panic!("of the handler")
    }

    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    let panicked = tokio::spawn(orchestrator.scope(panics())).await.unwrap_err();
    assert_eq!(*panicked.into_panic().downcast::<&str>().unwrap(), "of the handler");
    let flow = service.stored(FlowState::Queued).await[0].flow().unwrap();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Panicked, Code::Internal));
}

#[tokio::test]
async fn flow_of_dropped_handler_is_stored() {
    #[orchestrate(pattern = "user", id = 42, delivery = "durable")]
    async fn never_ends() -> Result<u64, Code> {
        std::future::pending().await
    }

    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    {
        let mut call = std::pin::pin!(orchestrator.scope(never_ends()));
        assert!(poll(call.as_mut()).is_pending());
    }
    let flow = service.until(FlowState::Queued, 1).await[0].flow().unwrap();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Cancelled, Code::Cancelled));
}

/// The caller is cancelled while the flow is being written, and the flow is stored once.
#[tokio::test]
async fn caller_cancelled_during_the_write_loses_no_flow() {
    for error in [None, Some(Code::Internal)] {
        let service = Service::new().await;
        let orchestrator = service.without_a_relay();
        {
            let mut call = std::pin::pin!(orchestrator.scope(ask(error)));
            assert!(poll(call.as_mut()).is_pending(), "the disk takes its time");
        }
        let stored = service.until(FlowState::Queued, 1).await;
        orchestrator.shutdown(Duration::from_secs(60)).await;
        assert_eq!(service.stored(FlowState::Queued).await, stored, "once");
        assert_eq!(
            stored[0].flow().unwrap().ending(),
            if error.is_none() { CallOutcome::Ok } else { CallOutcome::Err }
        );
    }
}

#[tokio::test]
async fn required_step_runs_before_the_answer_and_not_again() {
    static RUN: AtomicUsize = AtomicUsize::new(0);

    async fn counted(_: &Flow) -> HookResult {
        RUN.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit(with = counted, required))]
    async fn ask(error: bool) -> Result<u64, StepError> {
        if error { Err(StepError::new("no")) } else { Ok(1) }
    }

    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    for (error, run) in [(false, 1), (true, 2)] {
        assert_eq!(orchestrator.scope(ask(error)).await.is_err(), error);
        assert_eq!(RUN.load(Ordering::Relaxed), run);
    }
    let _relay = service.with_a_relay();
    for report in service.reports.until(2).await {
        assert_eq!(report.step(Step::Audit).to_string(), "done before");
    }
    assert_eq!(RUN.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn required_step_that_fails_is_the_err_and_a_relay_tries_it_again() {
    static RUN: AtomicUsize = AtomicUsize::new(0);

    async fn fails_once(_: &Flow) -> HookResult {
        match RUN.fetch_add(1, Ordering::Relaxed) {
            0 => Err(StepError::new("not now")),
            _ => Ok(()),
        }
    }

    #[orchestrate(pattern = "user", id = 42, event = "asked", delivery = "durable", audit(with = fails_once, required))]
    async fn ask() -> Result<u64, StepError> {
        Ok(1)
    }

    let mut service = Service::new().await;
    let error = service.without_a_relay().scope(ask()).await.unwrap_err();
    assert_eq!((error.step(), error.message()), (Some(Step::Audit), "not now"));
    let relay = service.with_a_relay();
    service.until(FlowState::Completed, 1).await;
    assert_eq!(RUN.load(Ordering::Relaxed), 2);
    assert_eq!(service.emitted().iter().map(Event::name).collect::<Vec<_>>(), ["asked"]);
    drop(relay);
}

/// A sync handler cannot wait for the disk.
#[tokio::test]
async fn flow_of_sync_handler_is_stored_in_the_background() {
    #[orchestrate(pattern = "user", id = 42, delivery = "durable")]
    fn ask(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }

    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    assert_eq!(orchestrator.sync_scope(|| ask(None)), Ok(7));
    assert_eq!(orchestrator.sync_scope(|| ask(Some(Code::Internal))), Err(Code::Internal));
    let stored = service.until(FlowState::Queued, 2).await;
    let endings: Vec<_> = stored.iter().map(|stored| stored.flow().unwrap().ending()).collect();
    assert_eq!(endings, [CallOutcome::Ok, CallOutcome::Err]);
}

/// The store's table is missing: the steps run while the caller waits, and the failure is counted.
#[tokio::test]
async fn flow_that_cannot_be_stored_runs_its_steps_at_once() {
    for error in [None, Some(Code::Unavailable)] {
        let mut service = Service::new().await;
        let orchestrator = service.without_a_relay();
        sqlx::query("DROP TABLE graceful_flows").execute(&mut service.data().await).await.unwrap();
        assert_eq!(orchestrator.scope(ask(error)).await, error.map_or(Ok(7), Err));
        assert_eq!(service.reports.only().step(Step::Event).to_string(), "emitted");
        assert_eq!(service.emitted().len(), 1);
        assert_eq!(orchestrator.stats().store_failures(), 1);
    }
}
