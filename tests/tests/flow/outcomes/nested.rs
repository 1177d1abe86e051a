use super::*;

async fn notify(flow: &Flow) -> HookResult {
    hooks::called(format!("outer {}", flow.id()));
    tell(flow.is_success()).await.map(drop).map_err(not_told)
}

#[orchestrate(pattern = "mail", id = 1)]
async fn tell(works: bool) -> Result<u64, UserError> {
    yield_now().await;
    if works { Ok(1) } else { Err(UserError::Broken) }
}

fn not_told(_: UserError) -> StepError {
    StepError::new("not told")
}

#[orchestrate(pattern = "user", id = 42, audit = notify)]
async fn ask(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

#[tokio::test]
async fn handler_called_by_a_hook_has_its_own_flow_with_a_parent() {
    let world = World::new();
    for error in [None, Some(Code::Internal)] {
        assert_eq!(world.run(ask(error)).await.err(), error);
    }
    let reports = world.reports.all();
    let [inner_ok, outer_ok, inner_err, outer_err] = &reports[..] else { panic!("{reports:?}") };
    for (inner, outer) in [(inner_ok, outer_ok), (inner_err, outer_err)] {
        assert_eq!((inner.flow().pattern(), outer.flow().pattern()), ("mail", "user"));
        assert_eq!((inner.flow().parent(), outer.flow().parent()), (Some(outer.flow().id()), None));
        assert_eq!(inner.flow().metadata().unwrap().related, [outer.flow().id()]);
        assert_eq!(inner.flow().ending(), outer.flow().ending());
    }
    assert_eq!(outer_ok.failures().count(), 0);
    assert_eq!(outer_err.step(Step::Audit).to_string(), "FAILED: not told");
}

#[tokio::test]
async fn flow_after_the_hook_has_no_parent() {
    let world = World::new();
    world
        .run(async {
            ask(None).await.unwrap();
            tell(true).await.unwrap();
        })
        .await;
    assert_eq!(world.reports.last().flow().parent(), None);
}

/// A hook runs within the context of its flow, also in the background.
#[tokio::test]
async fn handler_called_by_a_hook_has_the_context_of_the_call() {
    #[orchestrate(pattern = "user", id = 42, audit = notify, delivery = "background")]
    async fn later() -> Result<u64, Code> {
        Ok(1)
    }

    let world = World::new();
    let context = graceful::Context::new().tenant("acme").correlation_id("order-9");
    context.scope(world.run(later())).await.unwrap();
    for report in world.reports.until(2).await {
        assert_eq!((report.flow().tenant(), &*report.flow().correlation_id()), ("acme", "order-9"));
    }
}

fn again(flow: &Flow) -> Pin<Box<dyn Future<Output = HookResult> + Send + '_>> {
    Box::pin(async {
        hooks::called(flow.pattern());
        matryoshka().await.map(drop).map_err(not_told)
    })
}

#[orchestrate(pattern = "doll", id = 1, audit = again)]
async fn matryoshka() -> Result<u64, UserError> {
    Ok(1)
}

fn recover_again<'a>(
    failure: &'a Failure<'_, UserError>,
) -> Pin<Box<dyn Future<Output = Option<u64>> + Send + 'a>> {
    Box::pin(async {
        hooks::called(failure.flow().pattern());
        // Not for ever, whatever becomes of the bound.
        if hooks::calls_so_far() < 50 { recovering().await.ok() } else { None }
    })
}

#[orchestrate(pattern = "doll", id = 1, fallback = recover_again)]
async fn recovering() -> Result<u64, UserError> {
    Err(UserError::Broken)
}

#[tokio::test]
async fn depth_of_nested_fallbacks_is_bounded() {
    let world = World::new();
    assert!(matches!(world.run(recovering()).await, Err(UserError::Broken)));
    assert_eq!(hooks::calls().len(), 9);
    let deepest = &world.reports.all()[0];
    assert_eq!(deepest.step(Step::Fallback).error().unwrap().kind(), StepErrorKind::TooDeep);
}

#[tokio::test]
async fn depth_of_nested_flows_is_bounded() {
    let world = World::new();
    let (log, _listening) = Log::listen();
    assert_eq!(world.run(matryoshka()).await.unwrap(), 1);
    let reports = world.reports.all();
    assert_eq!(reports.len(), 10, "the outermost, eight within it, and one more whose steps are refused");
    assert_eq!(hooks::calls().len(), 9);
    let deepest = &reports[0];
    // A fallback that is not declared is not refused, either.
    for (step, result) in deepest.steps().skip(1) {
        assert_eq!(result.error().unwrap().kind(), StepErrorKind::TooDeep, "{step}");
    }
    let failed = log.of("graceful::step").into_iter().filter(|line| line.level == tracing::Level::WARN);
    assert_eq!(failed.count(), 8);
    for (inner, outer) in reports.iter().zip(&reports[1..]) {
        assert_eq!(inner.flow().parent(), Some(outer.flow().id()));
        assert_eq!(outer.failures().count(), 0, "{outer}");
    }
}

/// A name for what calls itself: whether it is `Send` would else depend on whether it is.
fn once_more() -> Pin<Box<dyn Future<Output = Result<u64, UserError>> + Send>> {
    Box::pin(spawning())
}

async fn spawn_again(flow: &Flow) -> HookResult {
    hooks::called(flow.pattern());
    // Not for ever, whatever becomes of the bound.
    if hooks::calls_so_far() < 50 {
        assert_eq!(Orchestrator::spawn(once_more()).await.unwrap().unwrap(), 1);
    }
    Ok(())
}

#[orchestrate(pattern = "doll", id = 1, audit = spawn_again)]
async fn spawning() -> Result<u64, UserError> {
    Ok(1)
}

#[tokio::test]
async fn spawned_task_keeps_depth_parent_context_and_orchestrator() {
    let world = World::new();
    let context = graceful::Context::new().tenant("acme");
    context.scope(world.run(spawning())).await.unwrap();
    let reports = world.reports.all();
    assert_eq!(reports.len(), 10, "as deep as without a task of its own");
    for (inner, outer) in reports.iter().zip(&reports[1..]) {
        assert_eq!(inner.flow().parent(), Some(outer.flow().id()));
        assert_eq!(inner.flow().tenant(), "acme");
    }
    assert_eq!(reports[0].step(Step::Audit).error().unwrap().kind(), StepErrorKind::TooDeep);
}
