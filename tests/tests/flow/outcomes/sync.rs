use super::*;

fn boxed_pending(_: &Flow) -> impl Future<Output = HookResult> + Send + use<> {
    pending()
}

async fn slow(flow: &Flow) -> HookResult {
    yield_now().await;
    hooks::called(flow.ending().as_str());
    Ok(())
}

async fn slow_typed(_: &Failure<'_, UserError>) -> HookResult {
    yield_now().await;
    hooks::called("never");
    Ok(())
}

fn at_once(failure: &Failure<'_, UserError>) -> std::future::Ready<HookResult> {
    hooks::called(format!("{:?}", failure.error()));
    ready(Ok(()))
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = at_once))]
fn ask(error: Option<UserError>) -> Result<u64, UserError> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit = slow)]
fn ask_slowly(error: Option<UserError>) -> Result<u64, UserError> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = slow_typed))]
fn ask_with_a_slow_typed_hook() -> Result<u64, UserError> {
    Err(UserError::Broken)
}

#[orchestrate(pattern = "user", id = 42, audit(with = slow, required))]
fn require(error: Option<UserError>) -> Result<u64, UserError> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", id = 42, audit(with = boxed_pending, timeout = "1h"))]
fn hang() -> Result<u64, UserError> {
    Ok(1)
}

fn call<T>(world: &World, call: impl FnOnce() -> T) -> T {
    world.orchestrator.sync_scope(call)
}

#[test]
fn ready_steps_of_sync_handler_are_done_at_its_return_without_a_runtime() {
    let world = World::new();
    assert_eq!(call(&world, || ask(None)).unwrap(), 1);
    assert!(matches!(call(&world, || ask(Some(UserError::Broken))), Err(UserError::Broken)));
    assert_eq!(endings(&world), [CallOutcome::Ok, CallOutcome::Err]);
    for report in world.reports.all() {
        assert!(Step::ALL.into_iter().skip(1).all(|step| report.step(step).is_done()), "{report}");
    }
    assert_eq!(hooks::calls(), ["Some(Broken)"]);
}

#[tokio::test]
async fn pending_steps_of_sync_handler_continue_in_the_background() {
    let world = World::new();
    for (error, ending) in [(None, CallOutcome::Ok), (Some(UserError::Broken), CallOutcome::Err)] {
        let before = world.reports.count();
        drop(call(&world, || ask_slowly(error)));
        assert_eq!((world.reports.count(), hooks::calls().len()), (before, 0));
        let report = world.reports.until(before + 1).await.remove(before);
        assert_eq!((report.flow().ending(), report.failures().count()), (ending, 0), "{report}");
        assert_eq!(hooks::calls(), [ending.as_str()]);
    }
}

/// The runtime is the one that the orchestrator was built in or was given. The call itself may be outside of any
/// runtime.
#[test]
fn pending_steps_of_sync_handler_run_in_the_runtime_of_the_orchestrator() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::with(|builder| builder.runtime(runtime.handle().clone()));
    assert_eq!(call(&world, || ask_slowly(None)).unwrap(), 1);
    assert_eq!(world.reports.count(), 0);
    let reports = runtime.block_on(world.reports.until(1));
    assert_eq!(reports[0].failures().count(), 0, "{}", reports[0]);
}

#[test]
fn pending_step_without_a_runtime_is_abandoned_and_reported() {
    let world = World::new();
    assert_eq!(call(&world, || ask_slowly(None)).unwrap(), 1);
    let report = world.reports.only();
    assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::Abandoned);
    assert_eq!(report.failures().count(), 1, "{report}");
    assert_eq!(world.orchestrator.stats().failures(Step::Audit), 1);
}

#[tokio::test]
async fn pending_typed_hook_is_abandoned_and_reported() {
    let world = World::new();
    call(&world, ask_with_a_slow_typed_hook).unwrap_err();
    let report = world.reports.until(1).await.remove(0);
    assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::Abandoned);
    assert_eq!(report.failures().count(), 1, "{report}");
    assert_eq!(hooks::calls(), [""; 0]);
}

#[tokio::test]
async fn pending_required_step_is_an_err() {
    let world = World::new();
    for error in [None, Some(UserError::Broken)] {
        let error = call(&world, || require(error)).unwrap_err().step();
        assert_eq!(error.kind(), StepErrorKind::Abandoned);
    }
    // The step itself goes on.
    let reports = world.reports.until(2).await;
    assert!(reports.iter().all(|report| report.step(Step::Audit).is_done()), "{reports:?}");
}

#[tokio::test(start_paused = true)]
async fn hanging_step_does_not_delay_the_caller() {
    let world = World::new();
    assert_eq!(call(&world, hang).unwrap(), 1);
    tokio::time::advance(std::time::Duration::from_secs(3599)).await;
    assert_eq!(world.reports.count(), 0);
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    let report = world.reports.until(1).await.remove(0);
    assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::TimedOut);
}

#[orchestrate(pattern = "user", id = 42, audit = slow, alert(with = hooks::fails, required))]
fn require_what_fails_beside_what_is_slow(error: Option<UserError>) -> Result<u64, UserError> {
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn failed_required_step_is_the_err() {
    let world = World::new();
    for error in [None, Some(UserError::Broken)] {
        let error = call(&world, || require_what_fails_beside_what_is_slow(error)).unwrap_err().step();
        assert_eq!((error.step(), error.kind()), (Some(Step::Alert), StepErrorKind::Failed));
    }
}

#[tokio::test]
async fn pending_fallback_is_abandoned_and_reported() {
    async fn guest(_: &Failure<'_, UserError>) -> Option<u64> {
        yield_now().await;
        Some(7)
    }

    #[orchestrate(pattern = "user", id = 42, fallback = guest)]
    fn ask() -> Result<u64, UserError> {
        Err(UserError::Broken)
    }

    let world = World::new();
    assert!(matches!(call(&world, ask), Err(UserError::Broken)));
    let report = world.reports.until(1).await.remove(0);
    assert_eq!(report.step(Step::Fallback).error().unwrap().kind(), StepErrorKind::Abandoned);
    assert!(!report.flow().fallback_applied());
}

#[tokio::test]
async fn ready_fallback_recovers() {
    fn guest(_: &Failure<'_, UserError>) -> std::future::Ready<Option<u64>> {
        ready(Some(7))
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = guest)]
    fn with_hook() -> Result<u64, UserError> {
        Err(UserError::Broken)
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = last_good)]
    fn with_last_good(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(1), Err)
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = guest, audit = slow)]
    fn with_hook_and_slow_steps() -> Result<u64, UserError> {
        Err(UserError::Broken)
    }

    let world = World::new();
    assert_eq!(call(&world, with_hook).unwrap(), 7);
    assert_eq!(call(&world, || with_last_good(None)).unwrap(), 1);
    assert_eq!(call(&world, || with_last_good(Some(UserError::Broken))).unwrap(), 1);
    assert!(world.reports.last().flow().fallback_applied());
    assert_eq!(call(&world, with_hook_and_slow_steps).unwrap(), 7);
    assert!(world.reports.until(4).await[3].flow().fallback_applied());
}
