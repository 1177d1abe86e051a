use super::*;

#[tokio::test]
async fn background_answer_is_returned_before_the_steps_run() {
    gated!(GATE, ask);

    for (error, ending) in [(None, CallOutcome::Ok), (Some(Code::Internal), CallOutcome::Err)] {
        let world = World::new();
        assert_eq!(world.run(ask(7, error)).await, error.map_or(Ok(7), Err));
        assert_eq!(world.events().len(), 0, "no step has run yet");
        GATE.reached().await;
        assert_eq!(world.reports.count(), 0);
        GATE.open_for(1);
        let report = world.reports.until(1).await.remove(0);
        assert_eq!((report.flow().ending(), report.failures().count()), (ending, 0), "{report}");
        assert!(Step::ALL.into_iter().skip(1).all(|step| report.step(step).is_done()), "{report}");
        assert_eq!(world.events().len(), 1);
    }
}

#[tokio::test]
async fn required_steps_run_once_and_before_the_answer() {
    async fn audit(flow: &Flow) -> HookResult {
        yield_now().await;
        hooks::called(format!("required {}", flow.ending().as_str()));
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, audit(with = audit, required), alert = hooks::both, delivery = "background")]
    async fn ask(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    let world = World::new();
    for (error, ending) in [(None, "ok"), (Some(UserError::Broken), "err")] {
        let before = world.reports.count();
        drop(world.run(ask(error)).await);
        assert_eq!(hooks::calls(), [format!("required {ending}")], "before the answer, and nothing else");
        let report = world.reports.until(before + 1).await.remove(before);
        assert_eq!(hooks::calls(), [format!("{ending} 42")], "after it, the rest");
        assert!(report.step(Step::Audit).is_done() && report.step(Step::Event).error().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn failed_required_step_is_the_err_and_other_steps_continue() {
    #[orchestrate(pattern = "user", id = 42, audit(with = hooks::fails, required), delivery = "background")]
    async fn fails(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    #[orchestrate(pattern = "user", id = 42, audit(with = hooks::hangs, required), delivery = "background")]
    async fn hangs(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    #[orchestrate(
        pattern = "user",
        id = 42,
        audit(ok = typed, err = hooks::failure::fails, required),
        delivery = "background"
    )]
    async fn typed_fails(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    async fn typed(_: &graceful::Success<'_, u64>) -> HookResult {
        yield_now().await;
        Err(StepError::new("the hook failed"))
    }

    let world = World::new();
    for arm in [true, false] {
        let error = || if arm { None } else { Some(UserError::Broken) };
        for (result, kind) in [
            (world.run(fails(error())).await, StepErrorKind::Failed),
            (world.run(hangs(error())).await, StepErrorKind::TimedOut),
            (world.run(typed_fails(error())).await, StepErrorKind::Failed),
        ] {
            let error = result.unwrap_err().step();
            assert_eq!((error.step(), error.kind()), (Some(Step::Audit), kind));
        }
    }
    for report in world.reports.until(6).await {
        assert_eq!(report.failures().count(), 1, "{report}");
        assert!(report.step(Step::Graph).is_done(), "{report}");
    }
    assert_eq!(world.orchestrator.stats().failures(Step::Audit), 6, "each failed once");
}

#[tokio::test]
async fn fallback_runs_before_the_answer() {
    async fn guest(_: &Failure<'_, UserError>) -> Option<u64> {
        yield_now().await;
        hooks::called("fallback");
        Some(0)
    }

    #[orchestrate(pattern = "user", id = 42, fallback = guest, audit = hooks::both, delivery = "background")]
    async fn ask(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    #[orchestrate(pattern = "user", cache = 42, fallback = last_good, delivery = "background")]
    async fn remember(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    let world = World::new();
    assert_eq!(world.run(ask(Some(UserError::Broken))).await.unwrap(), 0);
    assert_eq!(hooks::calls(), ["fallback"]);
    let report = world.reports.until(1).await.remove(0);
    assert!(report.flow().fallback_applied());
    assert_eq!(report.step(Step::Fallback).to_string(), "recovered");

    assert_eq!(world.run(remember(None)).await.unwrap(), 7);
    world.reports.until(2).await;
    assert_eq!(world.run(remember(Some(UserError::Broken))).await.unwrap(), 7);
    world.reports.until(3).await;
}

/// Steps that are not required have the longer budget, because no caller waits for them.
#[tokio::test(start_paused = true)]
async fn background_step_may_take_half_a_minute() {
    #[orchestrate(pattern = "user", id = 42, audit = hooks::hangs, delivery = "background")]
    async fn hangs() -> Result<u64, UserError> {
        Ok(7)
    }

    let world = World::new();
    assert_eq!(world.run(hangs()).await.unwrap(), 7);
    // One minute at most; the clock jumps from timer to timer.
    let report = world.reports.until(1).await.remove(0);
    let said = report.step(Step::Audit).to_string();
    assert_eq!(said, "FAILED: timed out after its time budget of 30s");
}

#[tokio::test]
async fn panicked_or_dropped_call_is_delivered() {
    gated!(GATE, ask);

    #[orchestrate(pattern = "user", cache = 42, audit = audit, delivery = "background")]
    async fn panics() -> Result<u64, Code> {
        panic!("in the handler")
    }

    #[orchestrate(pattern = "user", cache = 42, audit = audit, delivery = "background")]
    async fn never_ends() -> Result<u64, Code> {
        pending().await
    }

    let world = World::new();
    assert!(tokio::spawn(world.run(panics())).await.unwrap_err().is_panic());
    assert_eq!(world.reports.count(), 0, "the panic does not wait for the steps");
    {
        let mut call = pin!(world.run(never_ends()));
        assert!(poll(call.as_mut()).is_pending());
    }
    world.run(ask(1, None)).await.unwrap();
    GATE.open_for(3);
    let reports = world.reports.until(3).await;
    let endings: Vec<_> = reports.iter().map(|report| report.flow().ending()).collect();
    assert_eq!(
        endings,
        [CallOutcome::Panicked, CallOutcome::Cancelled, CallOutcome::Ok],
        "in order, for one entity"
    );
}

#[tokio::test]
async fn sync_handler_delivers_in_the_background() {
    #[orchestrate(pattern = "user", id = 42, audit = hooks::both, delivery = "background")]
    fn ask(error: Option<UserError>) -> Result<u64, UserError> {
        error.map_or(Ok(7), Err)
    }

    let world = World::new();
    assert_eq!(world.orchestrator.sync_scope(|| ask(None)).unwrap(), 7);
    world.orchestrator.sync_scope(|| ask(Some(UserError::Broken))).unwrap_err();
    assert_eq!(world.reports.count(), 0);
    world.reports.until(2).await;
    assert_eq!(hooks::calls(), ["ok 42", "err 42"]);
}
