//! The relay is shared fairly: neither a hanging hook nor a backlog of another lane delays a flow.

use super::*;

/// The hook of one handler hangs for many flows, and the flows of another handler still run.
#[tokio::test]
async fn hanging_hook_delays_no_other_handler() {
    static GATE: Gate = Gate::closed();

    async fn hangs(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = id, delivery = "durable", audit(with = hangs, timeout = "1h"))]
    async fn stuck(id: u32) -> Result<u32, Code> {
        Ok(id)
    }

    #[orchestrate(pattern = "user", id = id, delivery = "durable", event = "done")]
    async fn other(id: u32, error: Option<Code>) -> Result<u32, Code> {
        error.map_or(Ok(id), Err)
    }

    let service = Service::new().await;
    let storing = service.without_a_relay();
    for id in 0..200 {
        storing.scope(stuck(id)).await.unwrap();
    }
    let relay = service.builder().relay(quick().concurrency(8)).build().unwrap();
    // Of its eight places the handler has two, and no more.
    GATE.reached().await;
    GATE.reached().await;
    for (id, error) in [(1000, None), (1001, Some(Code::Internal)), (1002, None)] {
        assert_eq!(relay.scope(other(id, error)).await.err(), error);
    }
    let completed = service.until(FlowState::Completed, 3).await;
    assert!(
        completed.iter().all(|stored| stored.summary.entity.starts_with("users::user:100")),
        "{completed:?}"
    );
    let attempted =
        service.stored(FlowState::Queued).await.iter().filter(|flow| flow.summary.attempts > 0).count();
    assert_eq!(attempted, 2);
    GATE.open_for(1000);
}

/// One tenant has a backlog of slow flows, and the flow of another tenant still gets its turn.
#[tokio::test]
async fn backlog_of_one_tenant_delays_no_other() {
    static DONE: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

    async fn note(flow: &Flow) -> HookResult {
        DONE.lock().unwrap().push(flow.tenant().to_owned());
        Ok(())
    }

    #[orchestrate(pattern = "user", id = id, delivery = "durable", audit = note)]
    async fn save(id: u32) -> Result<u32, Code> {
        Ok(id)
    }

    let service = Service::new().await;
    let storing = service.without_a_relay();
    let of = |tenant: &str, id: u32| {
        let mut context = graceful::Context::new();
        context.tenant = Some(tenant.into());
        storing.scope(context.scope(save(id)))
    };
    for id in 0..500 {
        of("many", id).await.unwrap();
    }
    of("few", 0).await.unwrap();
    // One at a time, so that whoever is next shows whose turn it is.
    let _relay = service.builder().relay(quick().concurrency(1)).build().unwrap();
    service.until(FlowState::Completed, 50).await;
    let place = DONE.lock().unwrap().iter().position(|tenant| tenant == "few");
    assert!(place.is_some_and(|place| place < 3), "{place:?}");
}
