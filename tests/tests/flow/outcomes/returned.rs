use super::*;

#[orchestrate(pattern = "user", id = 42, event = "asked", audit(ok = hooked, err = err))]
async fn ask(error: Option<UserError>) -> Result<u64, UserError> {
    yield_now().await;
    error.map_or(Ok(1), Err)
}

async fn hooked(success: &graceful::Success<'_, u64>) -> HookResult {
    yield_now().await;
    hooks::called(format!("{} {}", success.code(), success.value()));
    Ok(())
}

#[tokio::test]
async fn ok_feeds_the_success_flow() {
    let world = World::new();
    assert_eq!(world.run(ask(None)).await.unwrap(), 1);
    let flow = world.reports.only().flow().clone();
    assert_eq!((flow.ending(), flow.code(), flow.is_success()), (CallOutcome::Ok, Code::Ok, true));
    assert_eq!(world.events()[0].name(), "asked");
    assert_eq!(hooks::calls(), ["OK 1"]);
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Ok), 1);
}

#[tokio::test]
async fn err_feeds_the_error_flow() {
    let world = World::new();
    world.run(ask(Some(UserError::Missing))).await.unwrap_err();
    let flow = world.reports.only().flow().clone();
    assert_eq!((flow.ending(), flow.code(), flow.is_success()), (CallOutcome::Err, Code::NotFound, false));
    assert_eq!(world.events()[0].name(), "asked.failed");
    assert_eq!(hooks::calls(), ["NOT_FOUND Some(Missing)"]);
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Err), 1);
}

/// An error without a classification is internal, and its text never leaves the process.
#[tokio::test]
async fn unclassified_error_is_internal() {
    #[derive(Debug)]
    struct Secret(&'static str);

    #[orchestrate(pattern = "user", id = 42, event = "asked")]
    async fn fail() -> Result<(), Secret> {
        Err(Secret("password"))
    }

    let world = World::new();
    assert_eq!(world.run(fail()).await.unwrap_err().0, "password");
    let flow = world.reports.only().flow().clone();
    assert_eq!((flow.code(), flow.message()), (Code::Internal, "internal error"));
    let told = world.events()[0].to_json().unwrap() + &serde_json::to_string(&*flow).unwrap();
    assert!(!told.contains("password"), "{told}");
}
