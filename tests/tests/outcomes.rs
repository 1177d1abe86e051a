//! The four outcomes of a call, and what surrounds them: order, nesting, sync handlers, orchestrators side by side.
#![allow(missing_docs, reason = "tests")]

use std::{
    future::{Future, pending, ready},
    panic::resume_unwind,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use graceful::{Code, Ending, Failure, Flow, Orchestrator, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{Gate, Log, UserError, World, hooks};
use tokio::task::yield_now;

type HookResult = Result<(), StepError>;

/// Polls once, and wakes nobody.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn endings(world: &World) -> Vec<Ending> {
    world.reports.all().iter().map(|report| report.flow().ending()).collect()
}

/// The typed hook of the error arm, which tells whether there was an error to see.
async fn err(failure: &Failure<'_, UserError>) -> HookResult {
    yield_now().await;
    hooks::called(format!("{} {:?}", failure.code(), failure.error()));
    Ok(())
}

mod returned {
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
        assert_eq!((flow.ending(), flow.code(), flow.is_success()), (Ending::Ok, Code::Ok, true));
        assert_eq!(world.events()[0].name(), "asked");
        assert_eq!(hooks::calls(), ["OK 1"]);
        assert_eq!(world.orchestrator.stats().flows(Ending::Ok), 1);
    }

    #[tokio::test]
    async fn err_feeds_the_error_flow() {
        let world = World::new();
        world.run(ask(Some(UserError::Missing))).await.unwrap_err();
        let flow = world.reports.only().flow().clone();
        assert_eq!((flow.ending(), flow.code(), flow.is_success()), (Ending::Err, Code::NotFound, false));
        assert_eq!(world.events()[0].name(), "asked.failed");
        assert_eq!(hooks::calls(), ["NOT_FOUND Some(Missing)"]);
        assert_eq!(world.orchestrator.stats().flows(Ending::Err), 1);
    }

    /// What says nothing of itself is internal, and its own text never leaves the process.
    #[tokio::test]
    async fn an_error_that_is_not_classified_is_internal() {
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
}

mod panicked {
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
        assert_eq!((flow.ending(), flow.code()), (Ending::Panicked, Code::Internal));
        assert_eq!(flow.message(), "internal error");
        for step in Step::ALL.into_iter().skip(1) {
            assert!(report.step(step).is_done(), "{report}");
        }
        assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
        assert_eq!(report.step(Step::Alert).to_string(), "fired");
        assert_eq!(world.events()[0].name(), "asked.failed");
        assert_eq!(hooks::calls(), ["INTERNAL None"], "there is no error to see");
        assert_eq!(world.orchestrator.stats().flows(Ending::Panicked), 1);
    }

    #[tokio::test]
    async fn the_error_flow_runs_and_then_the_same_panic_goes_on() {
        let world = World::new();
        panics(&world, at_once()).await;
        error_flow_has_run(&world);
    }

    #[tokio::test]
    async fn so_it_does_after_an_await() {
        let world = World::new();
        panics(&world, later()).await;
        error_flow_has_run(&world);
    }

    #[tokio::test]
    async fn so_it_does_in_a_boxed_future() {
        let world = World::new();
        panics(&world, world.orchestrator.sync_scope(boxed)).await;
        error_flow_has_run(&world);
    }

    #[tokio::test]
    async fn so_it_does_in_a_sync_handler() {
        let world = World::new();
        let call = || world.orchestrator.sync_scope(sync);
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
        assert_eq!(*payload.downcast::<Payload>().unwrap(), Payload(7));
        world.reports.until(1).await;
        error_flow_has_run(&world);
    }

    /// A fallback has nobody to answer to.
    #[tokio::test]
    async fn no_fallback_is_asked() {
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
            assert_eq!(report.step(Step::Fallback).to_string(), "skipped: nobody to answer");
            assert!(!report.flow().fallback_applied());
        }
    }

    /// Nobody is left to get the `Err` that a `required` step asks for.
    #[tokio::test]
    async fn a_required_step_that_fails_does_not_change_the_panic() {
        #[orchestrate(pattern = "user", id = 42, audit(with = hooks::fails, required))]
        async fn required() -> Result<u64, UserError> {
            resume_unwind(Box::new(Payload(7)))
        }

        let world = World::new();
        panics(&world, required()).await;
        assert_eq!(world.reports.only().required_failure().unwrap().step(), Some(Step::Audit));
    }
}

mod cancelled {
    use super::*;

    #[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
    async fn ask() -> Result<u64, UserError> {
        pending().await
    }

    #[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
    fn boxed() -> Pin<Box<dyn Future<Output = Result<u64, UserError>>>> {
        Box::pin(pending())
    }

    #[orchestrate(pattern = "user", cache = 42, event = "asked", audit(err = err))]
    fn returned() -> impl Future<Output = Result<u64, UserError>> {
        pending::<Result<u64, UserError>>()
    }

    async fn dropped_half_way(world: &World, call: impl Future<Output = Result<u64, UserError>>) {
        {
            let mut call = pin!(world.run(call));
            assert!(poll(call.as_mut()).is_pending());
            assert_eq!(world.reports.count(), 0);
        }
        let report = world.reports.until(1).await.remove(0);
        let flow = report.flow();
        assert_eq!((flow.ending(), flow.code()), (Ending::Cancelled, Code::Cancelled));
        assert_eq!(flow.message(), "cancelled");
        assert_eq!(report.step(Step::Fallback).to_string(), "skipped: nobody to answer");
        assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
        // The caller's choice is no fault of ours.
        assert_eq!(report.step(Step::Alert).to_string(), "skipped: not a server fault");
        assert_eq!(report.step(Step::Schedule).to_string(), "skipped: not a server fault");
        assert_eq!(world.events()[0].name(), "asked.failed");
        assert_eq!(hooks::calls(), ["CANCELLED None"], "there is no error to see");
        assert_eq!(world.orchestrator.stats().flows(Ending::Cancelled), 1);
    }

    #[tokio::test]
    async fn the_error_flow_runs_in_the_background() {
        let world = World::new();
        dropped_half_way(&world, ask()).await;
    }

    #[tokio::test]
    async fn so_it_does_for_a_boxed_future() {
        let world = World::new();
        let call = world.orchestrator.sync_scope(boxed);
        dropped_half_way(&world, call).await;
    }

    #[tokio::test]
    async fn so_it_does_for_a_future_that_the_function_returns() {
        let world = World::new();
        let call = world.orchestrator.sync_scope(returned);
        dropped_half_way(&world, call).await;
    }

    #[tokio::test]
    async fn a_future_that_was_never_polled_has_no_flow() {
        let world = World::new();
        drop(world.run(ask()));
        drop(world.orchestrator.sync_scope(boxed));
        drop(world.orchestrator.sync_scope(returned));
        // What would have come would have come before this.
        dropped_half_way(&world, ask()).await;
        assert_eq!(endings(&world), [Ending::Cancelled]);
    }

    /// What the body holds must not outlive the call.
    #[tokio::test]
    async fn the_body_is_dropped_before_its_flow_begins() {
        struct Held;

        impl Drop for Held {
            fn drop(&mut self) {
                hooks::called("dropped");
            }
        }

        #[orchestrate(pattern = "user", id = 42, audit = hooks::both)]
        async fn hold() -> Result<(), UserError> {
            let _held = Held;
            pending().await
        }

        let world = World::new();
        {
            let mut call = pin!(world.run(hold()));
            assert!(poll(call.as_mut()).is_pending());
        }
        world.reports.until(1).await;
        assert_eq!(hooks::calls(), ["dropped", "cancelled 42"]);
    }

    /// The panic is the caller's to see; the flow runs all the same.
    #[tokio::test]
    async fn a_body_that_panics_while_it_is_dropped_has_its_flow() {
        struct Bomb;

        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("no drop")
            }
        }

        #[orchestrate(pattern = "user", id = 42)]
        async fn hold() -> Result<(), UserError> {
            let _bomb = Bomb;
            pending().await
        }

        let world = World::new();
        let mut call = Box::pin(world.run(hold()));
        assert!(poll(call.as_mut()).is_pending());
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(call))).unwrap_err();
        assert_eq!(world.reports.until(1).await[0].flow().ending(), Ending::Cancelled);
    }

    #[tokio::test]
    async fn the_context_of_the_call_is_that_of_its_flow() {
        let world = World::new();
        {
            let context = graceful::Context::new().with_tenant("acme");
            let mut call = pin!(context.scope(world.run(ask())));
            assert!(poll(call.as_mut()).is_pending());
        }
        assert_eq!(world.reports.until(1).await[0].flow().tenant(), "acme");
    }
}

mod dropped_during_its_steps {
    use super::*;

    async fn gated(flow: &Flow, gate: &Gate) -> HookResult {
        gate.pass().await;
        hooks::called(flow.ending().name());
        Ok(())
    }

    #[tokio::test]
    async fn they_go_on_in_the_background_on_both_arms() {
        static GATE: Gate = Gate::closed();

        async fn hook(flow: &Flow) -> HookResult {
            gated(flow, &GATE).await
        }

        #[orchestrate(pattern = "user", id = 42, cache = 42, graph = hook)]
        async fn ask(error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(1), Err)
        }

        for (error, ending) in [(None, Ending::Ok), (Some(Code::Internal), Ending::Err)] {
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
            assert_eq!(hooks::calls(), [ending.name()], "the hook ran once");
        }
    }

    /// What borrows the result cannot go on without the one who has it; everything else does.
    #[tokio::test]
    async fn a_typed_hook_is_abandoned_and_seen() {
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
    async fn so_do_those_of_a_panic() {
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
        assert_eq!((report.flow().ending(), report.failures().count()), (Ending::Panicked, 0));
    }
}

mod order {
    use super::*;

    macro_rules! hook {
        ($name:ident) => {
            async fn $name(_: &Flow) -> HookResult {
                yield_now().await;
                yield_now().await;
                hooks::called(stringify!($name));
                Ok(())
            }
        };
    }

    hook!(metadata);
    hook!(cache);
    hook!(graph);
    hook!(schedule);
    hook!(event);
    hook!(nexus);
    hook!(audit);
    hook!(alert);

    async fn fallback(_: &Failure<'_, Code>) -> Option<u64> {
        yield_now().await;
        hooks::called("fallback");
        None
    }

    #[orchestrate(
        pattern = "user",
        id = 42,
        fallback = fallback,
        metadata(with = metadata),
        cache(with = cache),
        graph = graph,
        schedule = schedule,
        event = event,
        nexus = nexus,
        audit = audit,
        alert = alert
    )]
    async fn logged(error: Option<Code>) -> Result<u64, Code> {
        hooks::called("body");
        error.map_or(Ok(1), Err)
    }

    #[tokio::test]
    async fn metadata_then_cache_then_the_rest_and_a_fallback_before_all() {
        let mut rest = ["graph", "schedule", "event", "nexus", "audit", "alert"];
        rest.sort_unstable();
        let world = World::new();
        for (error, first) in
            [(None, &["body"] as &[_]), (Some(Code::Internal), &["body", "fallback"] as &[_])]
        {
            assert_eq!(world.run(logged(error)).await.err(), error);
            let mut calls = hooks::calls();
            assert_eq!(calls[..first.len()], *first);
            assert_eq!(calls[first.len()..first.len() + 2], ["metadata", "cache"]);
            let last = &mut calls[first.len() + 2..];
            last.sort_unstable();
            assert_eq!(last, rest);
        }
    }

    /// A consumer that gets the event must find the cache right.
    #[tokio::test]
    async fn the_event_finds_the_cache_right() {
        use graceful::backends::{Cache as _, EventEmitter, Reply, memory};

        #[derive(Debug)]
        struct Looks(memory::Cache);

        impl EventEmitter for Looks {
            fn emit(&self, event: graceful::Event) -> Reply<()> {
                let (cache, key) = (self.0.clone(), event.flow().cache_key().unwrap());
                Reply::pending(async move {
                    let cached = cache.get(&key).await?.map(|entry| entry.value.as_json().to_owned());
                    hooks::called(format!("{cached:?}"));
                    Ok(())
                })
            }
        }

        #[orchestrate(pattern = "user", cache = 42, event = "changed")]
        async fn change(error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(7), Err)
        }

        let cache = memory::Cache::new();
        let world = World::with(|builder| builder.cache(cache.clone()).events(Looks(cache)));
        world.run(change(None)).await.unwrap();
        world.run(change(Some(Code::Internal))).await.unwrap_err();
        assert_eq!(hooks::calls(), [r#"Some("7")"#, "None"]);
    }

    mod at_once {
        use std::sync::LazyLock;

        use tokio::sync::Barrier;

        use super::*;

        static ALL_SIX: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(6));

        /// Passes only when all six steps are under way.
        async fn meet(_: &Flow) -> HookResult {
            ALL_SIX.wait().await;
            Ok(())
        }

        async fn meet_typed<V>(_: &V) -> HookResult {
            ALL_SIX.wait().await;
            Ok(())
        }

        async fn meet_error(_: &Failure<'_, Code>) -> HookResult {
            ALL_SIX.wait().await;
            Ok(())
        }

        #[orchestrate(
            pattern = "user",
            id = 42,
            graph = meet,
            schedule = meet,
            event = meet,
            nexus = meet,
            audit(ok = meet_typed, err = meet_error),
            alert(ok = meet_typed, err = meet_error)
        )]
        async fn all_meet(error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(1), Err)
        }

        /// The clock stands still but for the steps' budgets: one after the other they would run out of time.
        #[tokio::test(start_paused = true)]
        async fn the_last_six_run_concurrently() {
            let world = World::new();
            for error in [None, Some(Code::Internal)] {
                assert_eq!(world.run(all_meet(error)).await.err(), error);
                assert_eq!(world.reports.last().failures().count(), 0, "{}", world.reports.last());
            }
        }
    }
}

mod nested {
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
    async fn a_handler_that_a_hook_calls_has_a_flow_of_its_own_with_its_parent() {
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
    async fn after_the_hook_there_is_no_parent() {
        let world = World::new();
        world
            .run(async {
                ask(None).await.unwrap();
                tell(true).await.unwrap();
            })
            .await;
        assert_eq!(world.reports.last().flow().parent(), None);
    }

    /// The hook runs within the context of its flow, in the background too.
    #[tokio::test]
    async fn the_context_goes_with_it() {
        #[orchestrate(pattern = "user", id = 42, audit = notify, delivery = "background")]
        async fn later() -> Result<u64, Code> {
            Ok(1)
        }

        let world = World::new();
        let context = graceful::Context::new().with_tenant("acme").with_correlation_id("order-9");
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
    async fn the_depth_of_fallbacks_is_bounded() {
        let world = World::new();
        assert!(matches!(world.run(recovering()).await, Err(UserError::Broken)));
        assert_eq!(hooks::calls().len(), 9);
        let deepest = &world.reports.all()[0];
        assert_eq!(deepest.step(Step::Fallback).error().unwrap().kind(), StepErrorKind::TooDeep);
    }

    #[tokio::test]
    async fn the_depth_is_bounded() {
        let world = World::new();
        let (log, _listening) = Log::listen();
        assert_eq!(world.run(matryoshka()).await.unwrap(), 1);
        let reports = world.reports.all();
        assert_eq!(reports.len(), 10, "the outermost, eight within it, and one more whose steps are refused");
        assert_eq!(hooks::calls().len(), 9);
        let deepest = &reports[0];
        for (step, result) in deepest.steps() {
            assert_eq!(result.error().unwrap().kind(), StepErrorKind::TooDeep, "{step}");
        }
        assert_eq!(log.of("graceful::step").len(), 9);
        for (inner, outer) in reports.iter().zip(&reports[1..]) {
            assert_eq!(inner.flow().parent(), Some(outer.flow().id()));
            assert_eq!(outer.failures().count(), 0, "{outer}");
        }
    }
}

mod sync {
    use super::*;

    fn boxed_pending(_: &Flow) -> impl Future<Output = HookResult> + Send + use<> {
        pending()
    }

    async fn slow(flow: &Flow) -> HookResult {
        yield_now().await;
        hooks::called(flow.ending().name());
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
    fn what_is_ready_is_done_when_it_returns_without_any_runtime() {
        let world = World::new();
        assert_eq!(call(&world, || ask(None)).unwrap(), 1);
        assert!(matches!(call(&world, || ask(Some(UserError::Broken))), Err(UserError::Broken)));
        assert_eq!(endings(&world), [Ending::Ok, Ending::Err]);
        for report in world.reports.all() {
            assert!(Step::ALL.into_iter().skip(1).all(|step| report.step(step).is_done()), "{report}");
        }
        assert_eq!(hooks::calls(), ["Some(Broken)"]);
    }

    #[tokio::test]
    async fn what_is_not_ready_goes_on_in_the_background() {
        let world = World::new();
        for (error, ending) in [(None, Ending::Ok), (Some(UserError::Broken), Ending::Err)] {
            let before = world.reports.count();
            drop(call(&world, || ask_slowly(error)));
            assert_eq!((world.reports.count(), hooks::calls().len()), (before, 0));
            let report = world.reports.until(before + 1).await.remove(before);
            assert_eq!((report.flow().ending(), report.failures().count()), (ending, 0), "{report}");
            assert_eq!(hooks::calls(), [ending.name()]);
        }
    }

    /// The runtime is the one that the orchestrator was built in, or given; the call itself may be outside of any.
    #[test]
    fn on_the_runtime_of_the_orchestrator() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = World::with(|builder| builder.runtime(runtime.handle().clone()));
        assert_eq!(call(&world, || ask_slowly(None)).unwrap(), 1);
        assert_eq!(world.reports.count(), 0);
        let reports = runtime.block_on(world.reports.until(1));
        assert_eq!(reports[0].failures().count(), 0, "{}", reports[0]);
    }

    #[test]
    fn without_any_runtime_it_is_abandoned_and_seen() {
        let world = World::new();
        assert_eq!(call(&world, || ask_slowly(None)).unwrap(), 1);
        let report = world.reports.only();
        assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::Abandoned);
        assert_eq!(report.failures().count(), 1, "{report}");
        assert_eq!(world.orchestrator.stats().failures(Step::Audit), 1);
    }

    #[tokio::test]
    async fn a_typed_hook_that_is_not_ready_is_abandoned_and_seen() {
        let world = World::new();
        call(&world, ask_with_a_slow_typed_hook).unwrap_err();
        let report = world.reports.until(1).await.remove(0);
        assert_eq!(report.step(Step::Audit).error().unwrap().kind(), StepErrorKind::Abandoned);
        assert_eq!(report.failures().count(), 1, "{report}");
        assert_eq!(hooks::calls(), [""; 0]);
    }

    #[tokio::test]
    async fn a_required_step_that_is_not_ready_is_an_err() {
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
    async fn the_caller_is_not_kept_by_what_hangs() {
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
    async fn a_required_step_that_has_failed_already_is_that_failure() {
        let world = World::new();
        for error in [None, Some(UserError::Broken)] {
            let error = call(&world, || require_what_fails_beside_what_is_slow(error)).unwrap_err().step();
            assert_eq!((error.step(), error.kind()), (Some(Step::Alert), StepErrorKind::Failed));
        }
    }

    #[tokio::test]
    async fn a_fallback_that_is_not_ready_is_abandoned_and_seen() {
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
    async fn a_fallback_that_is_ready_recovers() {
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
}

mod orchestrators {
    use std::{
        fmt,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// A key that counts how often it is evaluated.
    struct Key(Arc<AtomicUsize>);

    impl fmt::Display for Key {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fetch_add(1, Ordering::Relaxed);
            f.write_str("42")
        }
    }

    async fn recover(_: &Failure<'_, UserError>) -> Option<u64> {
        yield_now().await;
        hooks::called("fallback");
        Some(7)
    }

    #[orchestrate(pattern = "user", cache = key, event = "asked", audit = hooks::both, fallback = recover)]
    async fn ask(key: Key, error: Option<UserError>) -> Result<u64, UserError> {
        yield_now().await;
        drop(key);
        error.map_or(Ok(1), Err)
    }

    #[orchestrate(pattern = "user", cache = key, event = "asked", audit = hooks::both)]
    fn ask_sync(key: Key, error: Option<UserError>) -> Result<u64, UserError> {
        drop(key);
        error.map_or(Ok(1), Err)
    }

    #[tokio::test]
    async fn without_one_an_annotated_handler_is_the_plain_one() {
        hooks::calls();
        let count = Arc::<AtomicUsize>::default();
        let key = || Key(Arc::clone(&count));
        assert_eq!(ask(key(), None).await.unwrap(), 1);
        assert!(matches!(ask(key(), Some(UserError::Broken)).await, Err(UserError::Broken)));
        assert_eq!(ask_sync(key(), None).unwrap(), 1);
        assert!(matches!(ask_sync(key(), Some(UserError::Broken)), Err(UserError::Broken)));
        assert_eq!(count.load(Ordering::Relaxed), 0, "no key is evaluated");
        assert_eq!(hooks::calls(), [""; 0]);

        let world = World::new();
        assert_eq!(world.run(ask(key(), Some(UserError::Broken))).await.unwrap(), 7);
        assert_eq!(count.load(Ordering::Relaxed), 1, "with one, once");
    }

    struct Service {
        orchestrator: Option<Orchestrator>,
    }

    impl Service {
        #[orchestrate(pattern = "user", id = id, on = self.orchestrator)]
        async fn ask(&self, id: u64) -> Result<u64, UserError> {
            yield_now().await;
            Ok(id)
        }
    }

    #[tokio::test]
    async fn two_live_side_by_side() {
        let (one, two) = (World::new(), World::new());
        let key = || Key(Arc::default());
        let calls = tokio::join!(
            one.run(ask(key(), None)),
            two.run(ask(key(), Some(UserError::Broken))),
            one.run(ask(key(), None)),
        );
        assert_eq!((calls.0.unwrap(), calls.1.unwrap(), calls.2.unwrap()), (1, 7, 1));
        assert_eq!(endings(&one), [Ending::Ok; 2]);
        assert_eq!(endings(&two), [Ending::Err]);
        assert_eq!(one.metadata(&one.entity()).await.unwrap().score, 2);
        assert_eq!(two.metadata(&two.entity()).await.unwrap().score, 0);
        assert_eq!((one.events().len(), two.events().len()), (2, 1));
        assert_eq!(one.open_alerts().await, []);
    }

    #[tokio::test]
    async fn the_inner_scope_wins() {
        let (outer, inner) = (World::new(), World::new());
        outer.run(inner.run(ask(Key(Arc::default()), None))).await.unwrap();
        assert_eq!((outer.reports.count(), inner.reports.count()), (0, 1));
    }

    #[tokio::test]
    async fn the_one_that_the_argument_names_wins_over_the_scope() {
        let (named, scoped) = (World::new(), World::new());
        let service = Service { orchestrator: Some(named.orchestrator.clone()) };
        scoped.run(service.ask(1)).await.unwrap();
        assert_eq!((named.reports.count(), scoped.reports.count()), (1, 0));
        let service = Service { orchestrator: None };
        scoped.run(service.ask(1)).await.unwrap();
        assert_eq!((named.reports.count(), scoped.reports.count()), (1, 0), "and none is none");
    }

    /// A step without its backend is skipped.
    #[tokio::test]
    async fn one_without_backends_skips_every_step() {
        #[orchestrate(pattern = "user", cache = 42, event = "asked")]
        async fn plain(error: Option<UserError>) -> Result<u64, UserError> {
            error.map_or(Ok(1), Err)
        }

        let reports = graceful_tests::Reports::default();
        // Other handlers of this program need a cache.
        let cache = graceful::backends::memory::Cache::new();
        let orchestrator = reports.of(Orchestrator::builder().cache(cache)).build().unwrap();
        for error in [None, Some(UserError::Broken)] {
            drop(orchestrator.scope(plain(error)).await);
            let report = reports.last();
            for step in Step::ALL.into_iter().filter(|step| ![Step::Fallback, Step::Cache].contains(step)) {
                assert_eq!(report.step(step).to_string(), "skipped: no backend");
            }
        }
    }

    /// An observer's panic is its own.
    #[tokio::test]
    async fn an_observer_that_panics_harms_nobody() {
        let (log, _listening) = Log::listen();
        let world = World::with(|builder| builder.on_report(|_| panic!("in the observer")));
        assert_eq!(world.run(ask(Key(Arc::default()), None)).await.unwrap(), 1);
        assert_eq!(world.reports.count(), 1);
        assert_eq!(log.of("graceful::report")[0].field("error"), "panicked: in the observer");
    }
}
