use super::*;

async fn gated(flow: &Flow, gate: &Gate) -> HookResult {
    gate.pass().await;
    hooks::called(flow.ending().as_str());
    Ok(())
}

#[tokio::test]
async fn steps_of_dropped_call_continue_in_the_background_on_both_arms() {
    static GATE: Gate = Gate::closed();

    async fn hook(flow: &Flow) -> HookResult {
        gated(flow, &GATE).await
    }

    #[orchestrate(pattern = "user", id = 42, cache = 42, graph = hook)]
    async fn ask(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    for (error, ending) in [(None, CallOutcome::Ok), (Some(Code::Internal), CallOutcome::Err)] {
        let world = World::new();
        {
            let mut call = pin!(world.run(ask(error)));
            assert!(poll(call.as_mut()).is_pending());
            GATE.reached().await;
        }
        assert_eq!(world.reports.count(), 0);
        GATE.open_for(1);
        let report = world.reports.until(1).await.remove(0);
        assert_eq!(report.flow().ending(), ending);
        assert_eq!(report.failures().count(), 0, "{report}");
        assert!(report.step(Step::Cache).is_done() && report.step(Step::Alert).is_done(), "{report}");
        assert_eq!(hooks::calls(), [ending.as_str()], "the hook ran once");
    }
}

/// A typed hook borrows the result and cannot continue without the call that owns it; every other step continues.
#[tokio::test]
async fn typed_hook_of_dropped_call_is_abandoned_and_reported() {
    static GATE: Gate = Gate::closed();

    async fn typed(failure: &Failure<'_, Code>) -> HookResult {
        gated(failure.flow(), &GATE).await
    }

    #[orchestrate(pattern = "user", id = 42, graph(err = typed))]
    async fn ask() -> Result<u64, Code> {
        Err(Code::Internal)
    }

    let world = World::new();
    {
        let mut call = pin!(world.run(ask()));
        assert!(poll(call.as_mut()).is_pending());
    }
    let report = world.reports.until(1).await.remove(0);
    assert_eq!(report.step(Step::Graph).error().unwrap().kind(), StepErrorKind::Abandoned);
    assert_eq!(report.failures().count(), 1, "{report}");
    assert!(report.step(Step::Alert).is_done(), "{report}");
}

#[tokio::test]
async fn steps_of_dropped_panicking_call_continue_in_the_background() {
    static GATE: Gate = Gate::closed();

    async fn hook(flow: &Flow) -> HookResult {
        gated(flow, &GATE).await
    }

    #[orchestrate(pattern = "user", id = 42, graph = hook)]
    async fn ask() -> Result<u64, Code> {
        resume_unwind(Box::new("a panic"))
    }

    let world = World::new();
    {
        let mut call = pin!(world.run(ask()));
        assert!(poll(call.as_mut()).is_pending(), "the panic goes on after the flow");
    }
    GATE.open_for(1);
    let report = world.reports.until(1).await.remove(0);
    assert_eq!((report.flow().ending(), report.failures().count()), (CallOutcome::Panicked, 0));
}
