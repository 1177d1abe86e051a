use super::*;

/// The runtime is on a thread of its own and ends while flows are running and queued.
#[test]
fn runtime_that_ends_reports_unfinished_flows() {
    #[orchestrate(
        pattern = "user",
        id = 42,
        event = "asked",
        cache(with = reached, timeout = "1h"),
        delivery = "background"
    )]
    async fn ask(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    static REACHED: Gate = Gate::closed();

    async fn reached(_: &Flow) -> HookResult {
        REACHED.pass().await;
        Ok(())
    }

    let world = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = runtime.block_on(async {
            let world = World::new();
            world.run(ask(None)).await.unwrap();
            world.run(ask(Some(Code::Internal))).await.unwrap_err();
            REACHED.reached().await;
            world
        });
        assert_eq!(world.reports.count(), 0);
        drop(runtime);
        world
    })
    .join()
    .unwrap();

    let reports = world.reports.all();
    let [under_way, queued] = &reports[..] else { panic!("both are reported: {reports:?}") };
    assert!(under_way.step(Step::Metadata).is_done(), "{under_way}");
    assert_eq!((under_way.failures().count(), queued.failures().count()), (7, 8), "{under_way}{queued}");
    for error in under_way.failures().chain(queued.failures()) {
        assert_eq!(error.kind(), StepErrorKind::Abandoned);
    }
    assert_eq!(world.orchestrator.stats().failures(Step::Event), 2);
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Ok), 1);
    assert_eq!(world.orchestrator.stats().flows(CallOutcome::Err), 1);
}

/// There is no runtime for background work, so the caller waits.
#[test]
fn flows_without_a_runtime_run_inline() {
    #[orchestrate(pattern = "user", id = 42, delivery = "background")]
    async fn ask() -> Result<u64, Code> {
        Ok(1)
    }

    let world = World::new();
    let mut call = pin!(world.run(ask()));
    assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(world.reports.only().failures().count(), 0);
}

/// A background flow runs in the runtime that its orchestrator was built in, whatever runtime called the handler.
#[test]
fn background_flow_runs_in_the_runtime_of_its_orchestrator() {
    #[orchestrate(pattern = "user", id = 42, audit = hooks::both, delivery = "background")]
    async fn ask() -> Result<u64, Code> {
        Ok(1)
    }

    let new = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (long, short) = (new(), new());
    let world = long.block_on(async { World::new() });
    assert_eq!(short.block_on(world.run(ask())), Ok(1));
    drop(short);
    assert_eq!(world.reports.count(), 0);
    let reports = long.block_on(world.reports.until(1));
    assert_eq!(reports[0].failures().count(), 0, "{}", reports[0]);
}
