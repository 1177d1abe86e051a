use super::*;

async fn first(flow: &Flow) -> Result<(), StepError> {
    tokio::task::yield_now().await;
    hooks::called(format!("first {} {}", flow.code(), flow.message()));
    Ok(())
}

async fn last(_: &Flow) -> Result<(), StepError> {
    hooks::called("last");
    Ok(())
}

fn row() -> [Hook; 6] {
    [
        Hook::new(first),
        Hook::new(hooks::flow::fails),
        Hook::new(hooks::flow::fails_later),
        Hook::new(hooks::flow::panics),
        Hook::new(hooks::flow::panics_later),
        Hook::new(last),
    ]
}

#[track_caller]
fn failed(errors: &[StepError]) {
    use StepErrorKind::{Failed, Panicked};
    let kinds: Vec<_> = errors.iter().map(StepError::kind).collect();
    assert_eq!(kinds, [Failed, Failed, Panicked, Panicked]);
}

#[tokio::test]
async fn hooks_run_in_order_and_each_failure_is_contained() {
    hooks::calls();
    failed(&Success::wrap(Code::Ok, "done", &ada()).run_hooks(row()).await);
    assert_eq!(hooks::calls(), ["first OK done", "last"]);
    failed(&Failure::wrap(Code::Aborted, "not done", "cause").run_hooks(row()).await);
    assert_eq!(hooks::calls(), ["first ABORTED not done", "last"]);
}

#[tokio::test]
async fn hooks_run_in_order_within_a_typed_hook() {
    async fn many(success: &Success<'_, User>) -> Result<(), StepError> {
        let failures = success.run_hooks(row()).await;
        failed(&failures);
        Ok(())
    }

    async fn many_on_err(failure: &Failure<'_, UserError>) -> Result<(), StepError> {
        let failures = failure.run_hooks(row()).await;
        failed(&failures);
        Ok(())
    }

    #[orchestrate(pattern = "user", id = user.id, audit(ok = many, err = many_on_err))]
    async fn ask(user: User, error: Option<UserError>) -> Result<User, UserError> {
        error.map_or(Ok(user), Err)
    }

    let world = World::new();
    world.run(ask(ada(), None)).await.unwrap();
    world.run(ask(ada(), Some(UserError::Broken))).await.unwrap_err();
    for report in world.reports.all() {
        assert_eq!(report.failures().count(), 0, "{report}");
    }
    assert_eq!(hooks::calls(), ["first OK ask", "last", "first INTERNAL store broken", "last"]);
}
