use super::*;

#[tokio::test]
async fn caller_of_full_queue_waits_and_no_flow_is_lost() {
    gated!(GATE, ask);

    // One place for each lane: one flow is under way and one waits, the third has no place.
    let world = World::with(|builder| builder.background_queue(1));
    world.run(ask(1, None)).await.unwrap();
    GATE.reached().await;
    world.run(ask(2, Some(Code::Internal))).await.unwrap_err();
    let mut third = pin!(world.run(ask(3, None)));
    let mut fourth = pin!(world.run(ask(4, Some(Code::Internal))));
    for _ in 0..10 {
        assert!(poll(third.as_mut()).is_pending() && poll(fourth.as_mut()).is_pending(), "they wait");
        yield_now().await;
    }
    assert_eq!(world.reports.count(), 0);

    GATE.open_for(4);
    let answers = tokio::join!(third, fourth);
    assert_eq!(answers, (Ok(3), Err(Code::Internal)));
    assert_eq!(world.reports.count(), 4, "who waited has waited for the steps too");
    assert_eq!(hooks::calls(), ["1", "2", "3", "4"], "in order");
    for report in world.reports.all() {
        assert_eq!(report.failures().count(), 0, "{report}");
    }
}

#[tokio::test]
async fn caller_cancelled_while_queue_is_full_loses_no_flow() {
    gated!(GATE, ask);

    let world = World::with(|builder| builder.background_queue(1));
    world.run(ask(1, None)).await.unwrap();
    GATE.reached().await;
    world.run(ask(2, None)).await.unwrap();
    for (n, error) in [(3, None), (4, Some(Code::Internal))] {
        let mut call = pin!(world.run(ask(n, error)));
        assert!(poll(call.as_mut()).is_pending());
    }
    GATE.open_for(4);
    for report in world.reports.until(4).await {
        assert_eq!(report.failures().count(), 0, "{report}");
    }
    assert_eq!(hooks::calls(), ["1", "2", "3", "4"], "in order");
}

/// The lane of another entity may still have room.
#[tokio::test]
async fn queue_takes_as_many_flows_as_its_size() {
    gated!(GATE, ask);

    let world = World::with(|builder| builder.background_queue(80));
    world.run(ask(0, None)).await.unwrap();
    GATE.reached().await;
    for n in 1..=10 {
        let mut call = pin!(world.run(ask(n, None)));
        assert!(poll(call.as_mut()).is_ready(), "the {n}th finds a place");
    }
    GATE.open_for(11);
    world.reports.until(11).await;
}

/// One place for each lane, and 8 beside the queue.
const BESIDE: usize = 8;

/// The reports of the flows that were not run, which have come by now or come soon.
async fn not_run(world: &World, count: usize) {
    for report in world.reports.until(count).await {
        let kinds: Vec<_> = report.failures().map(StepError::kind).collect();
        assert!(kinds.contains(&StepErrorKind::Abandoned), "{report}");
        assert!(kinds.iter().all(|kind| *kind == StepErrorKind::Abandoned), "{report}");
    }
    assert_eq!(world.reports.count(), count);
}

#[tokio::test]
async fn cancelled_callers_beyond_the_bound_leave_reports_and_no_waiting_tasks() {
    gated!(GATE, ask);

    let world = World::with(|builder| builder.background_queue(1));
    world.run(ask(1, None)).await.unwrap();
    GATE.reached().await;
    world.run(ask(2, None)).await.unwrap();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (log, _listening) = Log::listen();
    for n in 3..1003 {
        let error = (n % 2 == 0).then_some(Code::Internal);
        let mut call = pin!(world.run(ask(n, error)));
        assert!(poll(call.as_mut()).is_pending());
    }
    not_run(&world, 1000 - BESIDE).await;
    let now = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(now, tasks + BESIDE, "no more than these wait");
    assert!(world.orchestrator.stats().failures(Step::Audit) >= 992, "counted");
    assert!(!log.of("graceful::step").is_empty(), "logged");

    GATE.open_for(2 + BESIDE);
    let reports = world.reports.until(1002).await;
    assert!(reports[1000 - BESIDE..].iter().all(|report| report.failures().count() == 0));
    let done: Vec<_> = (1..=2 + BESIDE).map(|n| n.to_string()).collect();
    assert_eq!(hooks::calls(), done, "in order, and nothing else");
    // What was beside the queue has made room.
    world.run(ask(1, None)).await.unwrap();
    GATE.open_for(1);
    world.reports.until(1003).await;
}

/// The runtime comes back to the test after a part of the tasks that can run.
async fn tasks_have_run() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// The callers are like clients of a server: many are connected at once, and each may disconnect at any time.
#[tokio::test]
async fn callers_cancelled_at_random_leave_no_more_waiting_tasks_than_the_queue_takes() {
    const QUEUE: usize = 1024;
    const CALLS: usize = 6000;
    static GATE: Gate = Gate::closed();

    async fn audit(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = n, audit = audit, delivery = "background")]
    async fn ask(n: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(n), Err)
    }

    let world = World::with(|builder| builder.background_queue(QUEUE));
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let mut callers = Vec::new();
    for _ in 0..CALLS {
        let error = fastrand::bool().then_some(Code::Internal);
        let mut caller = Box::pin(world.run(ask(fastrand::u64(..500), error)));
        if poll(caller.as_mut()).is_pending() {
            callers.push(caller);
        }
        while callers.len() > fastrand::usize(1..200) {
            drop(callers.swap_remove(fastrand::usize(..callers.len())));
        }
        if fastrand::u8(..) < 16 {
            tasks_have_run().await;
            // A task for each lane, one for each caller, and those that callers have left.
            let tasks = alive() - before;
            assert!(tasks <= 8 + callers.len() + QUEUE, "{} callers, {tasks} tasks", callers.len());
        }
    }
    drop(callers);
    tasks_have_run().await;
    assert_eq!(alive() - before, 8 + QUEUE, "as many wait as may");

    GATE.open_for(CALLS);
    let reports = world.reports.until(CALLS).await;
    let (not_run, run): (Vec<_>, Vec<_>) = reports.iter().partition(|report| report.failures().count() > 0);
    assert!(run.len() > 2 * QUEUE, "{} run, {} not", run.len(), not_run.len());
    for failure in not_run.iter().flat_map(|report| report.failures()) {
        assert_eq!(failure.kind(), StepErrorKind::Abandoned);
    }
}

#[tokio::test]
async fn cancelled_inline_callers_beyond_the_bound_leave_reports() {
    static GATE: Gate = Gate::closed();

    async fn audit(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = n, audit = audit)]
    async fn ask(n: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(n), Err)
    }

    let world = World::with(|builder| builder.background_queue(1));
    for n in 0..100 {
        let error = (n % 2 == 0).then_some(Code::Internal);
        let mut call = pin!(world.run(ask(n, error)));
        assert!(poll(call.as_mut()).is_pending());
    }
    not_run(&world, 100 - BESIDE).await;
    GATE.open_for(BESIDE);
    let reports = world.reports.until(100).await;
    assert!(reports[100 - BESIDE..].iter().all(|report| report.failures().count() == 0));
}

mod nested {
    use super::*;

    #[orchestrate(pattern = "user", id = 42, delivery = "background")]
    async fn inner(n: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(n), Err)
    }

    async fn calls_it(_: &Flow) -> HookResult {
        for n in 0..4 {
            let _ = inner(n, (n % 2 == 0).then_some(Code::Internal)).await;
        }
        Ok(())
    }

    async fn spawns_it(_: &Flow) -> HookResult {
        let call = async {
            for n in 0..4 {
                let _ = inner(n, None).await;
            }
        };
        graceful::Orchestrator::spawn(call).await.map_err(StepError::caused_by)
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "background", audit = calls_it)]
    async fn outer(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "background", audit = spawns_it)]
    async fn spawning(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    #[tokio::test]
    async fn hook_in_a_lane_does_not_wait_for_its_own_lane() {
        for error in [None, Some(Code::Internal)] {
            let world = World::with(|builder| builder.background_queue(1));
            let _ = world.run(outer(error)).await;
            for report in world.reports.until(5).await {
                assert_eq!(report.failures().count(), 0, "{report}");
            }
        }
    }

    #[tokio::test]
    async fn task_of_a_hook_in_a_lane_does_not_wait_for_that_lane() {
        for error in [None, Some(Code::Internal)] {
            let world = World::with(|builder| builder.background_queue(1));
            let _ = world.run(spawning(error)).await;
            for report in world.reports.until(5).await {
                assert_eq!(report.failures().count(), 0, "{report}");
            }
        }
    }
}
