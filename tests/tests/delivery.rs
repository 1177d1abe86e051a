//! Delivery in the background: when the answer leaves, in which order the flows run, and that none is lost.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::HashMap,
    future::{Future, pending},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use graceful::{Code, Ending, Failure, Flow, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{Gate, Log, UserError, World, hooks};
use serde_json::json;
use tokio::task::yield_now;

type HookResult = Result<(), StepError>;

/// Polls once, and wakes nobody.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A handler in the background, whose audit record waits at a gate of its own.
macro_rules! gated {
    ($gate:ident, $handler:ident) => {
        static $gate: Gate = Gate::closed();

        async fn audit(flow: &Flow) -> HookResult {
            $gate.pass().await;
            hooks::called(
                flow.declared_metadata().map_or_else(String::new, |fields| fields["n"].to_string()),
            );
            Ok(())
        }

        #[orchestrate(
                                                            pattern = "user",
                                                            cache = 42,
                                                            event = "asked",
                                                            audit = audit,
                                                            metadata = json!({ "n": n }),
                                                            delivery = "background"
                                                        )]
        async fn $handler(n: u64, error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(n), Err)
        }
    };
}

mod answer {
    use super::*;

    #[tokio::test]
    async fn it_leaves_before_the_steps_on_both_arms() {
        gated!(GATE, ask);

        for (error, ending) in [(None, Ending::Ok), (Some(Code::Internal), Ending::Err)] {
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
    async fn required_steps_come_first_and_once() {
        async fn audit(flow: &Flow) -> HookResult {
            yield_now().await;
            hooks::called(format!("required {}", flow.ending().name()));
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
    async fn a_required_step_that_fails_is_the_err_and_the_rest_goes_on() {
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
    async fn a_fallback_comes_first_too() {
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

    /// What is not required has the longer budget, since nobody waits.
    #[tokio::test(start_paused = true)]
    async fn a_step_in_the_background_may_take_half_a_minute() {
        #[orchestrate(pattern = "user", id = 42, audit = hooks::hangs, delivery = "background")]
        async fn hangs() -> Result<u64, UserError> {
            Ok(7)
        }

        let world = World::new();
        assert_eq!(world.run(hangs()).await.unwrap(), 7);
        // One minute at most; the clock jumps from timer to timer.
        let report = world.reports.until(1).await.remove(0);
        let said = report.step(Step::Audit).to_string();
        assert_eq!(said, "FAILED: not done within its time budget of 30s");
    }

    #[tokio::test]
    async fn a_panic_or_a_drop_is_delivered_too() {
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
        assert_eq!(endings, [Ending::Panicked, Ending::Cancelled, Ending::Ok], "in order, for one entity");
    }

    #[tokio::test]
    async fn a_sync_handler_delivers_in_the_background() {
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
}

mod order {
    use super::*;

    /// Takes a different time for each flow, so that flows that run at once would overtake one another.
    async fn dawdle(flow: &Flow) -> HookResult {
        for _ in 0..flow.id().as_u128() % 7 {
            yield_now().await;
        }
        Ok(())
    }

    #[orchestrate(
        pattern = "user",
        id = entity,
        audit = dawdle,
        metadata = json!({ "n": n }),
        delivery = "background"
    )]
    async fn touch(entity: u64, n: u64) -> Result<u64, Code> {
        if n.is_multiple_of(3) { Err(Code::Internal) } else { Ok(n) }
    }

    async fn under_load(queue: usize) {
        const ENTITIES: u64 = 20;
        const FLOWS: u64 = 200;

        let world = World::with(|builder| builder.background_queue(queue));
        let tasks: Vec<_> = (0..ENTITIES)
            .map(|entity| {
                let orchestrator = world.orchestrator.clone();
                tokio::spawn(async move {
                    for n in 0..FLOWS {
                        // Each call from another task, so from any thread.
                        let call = tokio::spawn(orchestrator.scope(touch(entity, n)));
                        assert_eq!(call.await.unwrap().is_err(), n % 3 == 0);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }

        let total = usize::try_from(ENTITIES * FLOWS).unwrap();
        let mut seen = HashMap::<_, Vec<_>>::new();
        for report in world.reports.until(total).await {
            assert_eq!(report.failures().count(), 0, "{report}");
            let n = report.flow().declared_metadata().unwrap()["n"].as_u64().unwrap();
            seen.entry(report.flow().entity_id()).or_default().push(n);
        }
        assert_eq!(world.reports.count(), total, "none is lost, none is doubled");
        for (entity, numbers) in seen {
            assert!(numbers.iter().copied().eq(0..FLOWS), "{entity}: {numbers:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_entitys_flows_are_in_order_under_load() {
        under_load(10_000).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn so_they_are_when_the_queue_is_full_all_the_time() {
        under_load(1).await;
    }
}

mod full {
    use super::*;

    #[tokio::test]
    async fn the_caller_waits_and_nothing_is_dropped() {
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
    async fn a_caller_that_goes_while_it_waits_takes_nothing_with_it() {
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

    /// Another entity's lane may have room.
    #[tokio::test]
    async fn a_queue_of_its_size_takes_that_many() {
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
}

mod shutdown {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn it_waits_for_what_is_queued() {
        gated!(GATE, ask);

        let world = World::new();
        for n in 1..=3 {
            world.run(ask(n, None)).await.unwrap();
        }
        let mut shutdown = pin!(world.orchestrator.shutdown(MINUTE));
        assert!(poll(shutdown.as_mut()).is_pending());
        GATE.open_for(3);
        assert_eq!(shutdown.await, 0, "nothing is left");
        assert_eq!(world.reports.count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn at_its_deadline_it_counts_what_is_left() {
        gated!(GATE, ask);

        let (log, _listening) = Log::listen();
        let world = World::new();
        for n in 1..=3 {
            world.run(ask(n, None)).await.unwrap();
        }
        GATE.open_for(1);
        world.reports.until(1).await;
        assert_eq!(world.orchestrator.shutdown(Duration::from_secs(5)).await, 2);
        let lines = log.of("graceful::background");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].field("left"), "2");

        // What is left is not given up while the process lives.
        GATE.open_for(2);
        let reports = world.reports.until(3).await;
        assert!(reports.iter().all(|report| report.failures().count() == 0), "{reports:?}");
    }

    #[tokio::test]
    async fn without_anything_under_way_it_is_over_at_once() {
        let world = World::new();
        assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
        assert_eq!(world.orchestrator.shutdown(MINUTE).await, 0, "and twice is no harm");
    }

    #[tokio::test]
    async fn after_it_flows_run_inline() {
        gated!(GATE, ask);

        let world = World::new();
        assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
        for (n, error) in [(1, None), (2, Some(Code::Internal))] {
            let before = world.reports.count();
            let mut call = pin!(world.run(ask(n, error)));
            assert!(poll(call.as_mut()).is_pending(), "it waits for its steps");
            GATE.open_for(1);
            assert_eq!(call.await, error.map_or(Ok(n), Err));
            assert_eq!(world.reports.count(), before + 1);
        }
    }

    #[tokio::test]
    async fn after_it_a_caller_that_goes_takes_nothing_with_it() {
        gated!(GATE, ask);

        let world = World::new();
        assert_eq!(world.orchestrator.shutdown(Duration::ZERO).await, 0);
        {
            let mut call = pin!(world.run(ask(1, None)));
            assert!(poll(call.as_mut()).is_pending());
        }
        GATE.open_for(1);
        let report = world.reports.until(1).await.remove(0);
        assert_eq!(report.failures().count(), 0, "{report}");
    }

    /// It waits as well for inline flows whose caller is gone.
    #[tokio::test]
    async fn it_waits_for_the_flows_of_callers_that_are_gone() {
        static GATE: Gate = Gate::closed();

        async fn audit(_: &Flow) -> HookResult {
            GATE.pass().await;
            Ok(())
        }

        #[orchestrate(pattern = "user", id = 42, audit = audit)]
        async fn never_ends() -> Result<u64, Code> {
            pending().await
        }

        let world = World::new();
        {
            let mut call = pin!(world.run(never_ends()));
            assert!(poll(call.as_mut()).is_pending());
        }
        let mut shutdown = pin!(world.orchestrator.shutdown(MINUTE));
        assert!(poll(shutdown.as_mut()).is_pending());
        GATE.open_for(1);
        assert_eq!(shutdown.await, 0);
        assert_eq!(world.reports.count(), 1);
    }
}

mod runtime {
    use super::*;

    /// On a thread and a runtime of its own, which ends with flows under way and queued.
    #[test]
    fn when_it_ends_what_was_not_done_is_reported() {
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
        assert_eq!((under_way.failures().count(), queued.failures().count()), (7, 9), "{under_way}{queued}");
        for error in under_way.failures().chain(queued.failures()) {
            assert_eq!(error.kind(), StepErrorKind::Abandoned);
        }
        assert_eq!(world.orchestrator.stats().failures(Step::Event), 2);
        assert_eq!(world.orchestrator.stats().flows(Ending::Ok), 1);
        assert_eq!(world.orchestrator.stats().flows(Ending::Err), 1);
    }

    /// There is nowhere to go on: the caller waits.
    #[test]
    fn without_one_flows_run_inline() {
        #[orchestrate(pattern = "user", id = 42, delivery = "background")]
        async fn ask() -> Result<u64, Code> {
            Ok(1)
        }

        let world = World::new();
        let mut call = pin!(world.run(ask()));
        assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(1)));
        assert_eq!(world.reports.only().failures().count(), 0);
    }

    /// A flow of an orchestrator goes on where that was built, whatever runtime its handler was called in.
    #[test]
    fn it_is_the_one_that_the_orchestrator_was_built_in() {
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
}
