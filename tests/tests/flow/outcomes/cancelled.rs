use super::*;

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
async fn ask() -> Result<u64, UserError> {
    pending().await
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
fn boxed() -> Pin<Box<dyn Future<Output = Result<u64, UserError>>>> {
    Box::pin(pending())
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
fn returned() -> impl Future<Output = Result<u64, UserError>> {
    pending::<Result<u64, UserError>>()
}

async fn dropped_half_way(world: &World, call: impl Future<Output = Result<u64, UserError>>) {
    {
        let mut call = pin!(world.run(call));
        assert!(poll(call.as_mut()).is_pending());
        assert_eq!(world.reports.count(), 0);
    }
    let report = world.reports.until(1).await.remove(0);
    let flow = report.flow();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Cancelled, Code::Cancelled));
    assert_eq!(flow.message(), "cancelled");
    assert_eq!(report.step(Step::Fallback).to_string(), "skipped: no caller");
    assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
    // The caller's choice is no fault of ours.
    assert_eq!(report.step(Step::Alert).to_string(), "skipped: not a server fault");
    assert_eq!(report.step(Step::Schedule).to_string(), "skipped: not a server fault");
    assert_eq!(world.events()[0].name(), "asked.failed");
    assert_eq!(hooks::calls(), ["CANCELLED None"], "there is no error to see");
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Cancelled), 1);
}

#[tokio::test]
async fn cancelled_call_runs_its_error_flow_in_the_background() {
    let world = World::new();
    dropped_half_way(&world, ask()).await;
}

#[tokio::test]
async fn cancelled_boxed_future_runs_its_error_flow_in_the_background() {
    let world = World::new();
    let call = world.orchestrator.sync_scope(boxed);
    dropped_half_way(&world, call).await;
}

#[tokio::test]
async fn cancelled_returned_future_runs_its_error_flow_in_the_background() {
    let world = World::new();
    let call = world.orchestrator.sync_scope(returned);
    dropped_half_way(&world, call).await;
}

#[tokio::test]
async fn future_that_was_never_polled_has_no_flow() {
    let world = World::new();
    drop(world.run(ask()));
    drop(world.orchestrator.sync_scope(boxed));
    drop(world.orchestrator.sync_scope(returned));
    // What would have come would have come before this.
    dropped_half_way(&world, ask()).await;
    assert_eq!(endings(&world), [CallOutcome::Cancelled]);
}

/// Values in the body must not outlive the call.
#[tokio::test]
async fn body_of_cancelled_call_is_dropped_before_its_flow_begins() {
    struct ClaimId;

    impl Drop for ClaimId {
        fn drop(&mut self) {
            hooks::called("dropped");
        }
    }

    #[orchestrate(pattern = "user", id = 42, audit = hooks::both)]
    async fn hold() -> Result<(), UserError> {
        let _held = ClaimId;
        pending().await
    }

    let world = World::new();
    {
        let mut call = pin!(world.run(hold()));
        assert!(poll(call.as_mut()).is_pending());
    }
    world.reports.until(1).await;
    assert_eq!(hooks::calls(), ["dropped", "cancelled 42"]);
}

/// The panic reaches the caller, and the flow still runs.
#[tokio::test]
async fn body_that_panics_while_dropped_has_its_flow() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("no drop")
        }
    }

    #[orchestrate(pattern = "user", id = 42)]
    async fn hold() -> Result<(), UserError> {
        let _bomb = Bomb;
        pending().await
    }

    let world = World::new();
    let mut call = Box::pin(world.run(hold()));
    assert!(poll(call.as_mut()).is_pending());
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(call))).unwrap_err();
    assert_eq!(world.reports.until(1).await[0].flow().ending(), CallOutcome::Cancelled);
}

#[tokio::test]
async fn flow_of_cancelled_call_has_the_context_of_the_call() {
    let world = World::new();
    {
        let context = graceful::Context::new().tenant("acme");
        let mut call = pin!(context.scope(world.run(ask())));
        assert!(poll(call.as_mut()).is_pending());
    }
    assert_eq!(world.reports.until(1).await[0].flow().tenant(), "acme");
}
