use super::*;

#[derive(Debug, PartialEq)]
struct Payload(u64);

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
async fn at_once() -> Result<u64, UserError> {
    resume_unwind(Box::new(Payload(7)))
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
async fn later() -> Result<u64, UserError> {
    yield_now().await;
    resume_unwind(Box::new(Payload(7)))
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
fn sync() -> Result<u64, UserError> {
    resume_unwind(Box::new(Payload(7)))
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
fn boxed() -> Pin<Box<dyn Future<Output = Result<u64, UserError>> + Send>> {
    Box::pin(async {
        yield_now().await;
        resume_unwind(Box::new(Payload(7)))
    })
}

async fn panics(world: &World, call: impl Future<Output = Result<u64, UserError>> + Send + 'static) {
    let payload = tokio::spawn(world.run(call)).await.unwrap_err().into_panic();
    assert_eq!(*payload.downcast::<Payload>().unwrap(), Payload(7), "the same panic goes on");
}

fn error_flow_has_run(world: &World) {
    let report = world.reports.only();
    let flow = report.flow();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Panicked, Code::Internal));
    assert_eq!(flow.message(), "internal error");
    for step in Step::ALL.into_iter().skip(1) {
        assert!(report.step(step).is_done(), "{report}");
    }
    assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
    assert_eq!(report.step(Step::Alert).to_string(), "fired");
    assert_eq!(world.events()[0].name(), "asked.failed");
    assert_eq!(hooks::calls(), ["INTERNAL None"], "there is no error to see");
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Panicked), 1);
}

#[tokio::test]
async fn panic_runs_the_error_flow_and_then_continues() {
    let world = World::new();
    panics(&world, at_once()).await;
    error_flow_has_run(&world);
}

#[tokio::test]
async fn panic_after_an_await_runs_the_error_flow_and_then_continues() {
    let world = World::new();
    panics(&world, later()).await;
    error_flow_has_run(&world);
}

#[tokio::test]
async fn panic_in_a_boxed_future_runs_the_error_flow_and_then_continues() {
    let world = World::new();
    panics(&world, world.orchestrator.sync_scope(boxed)).await;
    error_flow_has_run(&world);
}

#[tokio::test]
async fn panic_in_a_sync_handler_runs_the_error_flow_and_then_continues() {
    let world = World::new();
    let call = || world.orchestrator.sync_scope(sync);
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
    assert_eq!(*payload.downcast::<Payload>().unwrap(), Payload(7));
    world.reports.until(1).await;
    error_flow_has_run(&world);
}

/// After a panic there is no caller to return the value of a fallback to.
#[tokio::test]
async fn panic_calls_no_fallback() {
    async fn fallback(_: &Failure<'_, UserError>) -> Option<u64> {
        yield_now().await;
        hooks::called("fallback");
        Some(1)
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = fallback)]
    async fn with_hook() -> Result<u64, UserError> {
        resume_unwind(Box::new(Payload(7)))
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = last_good)]
    async fn with_last_good(panics: bool) -> Result<u64, UserError> {
        if panics { resume_unwind(Box::new(Payload(7))) } else { Ok(1) }
    }

    let world = World::new();
    panics(&world, with_hook()).await;
    assert_eq!(hooks::calls(), [""; 0]);
    world.run(with_last_good(false)).await.unwrap();
    panics(&world, with_last_good(true)).await;
    for report in [&world.reports.all()[0], &world.reports.all()[2]] {
        assert_eq!(report.step(Step::Fallback).to_string(), "skipped: no caller");
        assert!(!report.flow().fallback_applied());
    }
}

/// After a panic there is no caller to return the `Err` of a required step to.
#[tokio::test]
async fn failed_required_step_does_not_change_the_panic() {
    #[orchestrate(pattern = "user", id = 42, audit(with = hooks::fails, required))]
    async fn required() -> Result<u64, UserError> {
        resume_unwind(Box::new(Payload(7)))
    }

    let world = World::new();
    panics(&world, required()).await;
    assert_eq!(world.reports.only().required_failure().unwrap().step(), Some(Step::Audit));
}
