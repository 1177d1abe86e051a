//! The `fallback` step remembers the last good value on `Ok` and recovers from an error on `Err`.
//!
//! It takes no hooks of arms and is never `required`, so its cases are written out: mirrored as they are, on `Ok` it is the
//! remembering that is at fault, on `Err` the recovering.

mod last_good;

use std::future::{Ready, pending};

use graceful::{
    CallOutcome, Code, Failure, Step, StepErrorKind, StepResult, backends::KeySpace, orchestrate,
};
use graceful_tests::{Fault, Faulty, Log, User, UserError, World, ada, hooks};

const BROKEN: Option<UserError> = Some(UserError::Broken);

fn eve() -> User {
    User { name: "Eve".to_owned(), ..ada() }
}

mod by_default {
    use super::*;

    #[tokio::test]
    async fn ok_without_fallback_remembers_nothing() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        assert_eq!(world.last(Step::Fallback).1, "skipped: not declared");
        assert_eq!(world.cached(&world.entity().in_space(KeySpace::LastGood)).await, None);
    }

    #[tokio::test]
    async fn err_without_fallback_is_not_recovered() {
        let world = World::new();
        world.run(crate::steps::update(ada(), BROKEN)).await.unwrap_err();
        let (report, result) = world.last(Step::Fallback);
        assert_eq!(result, "skipped: not declared");
        assert!(!report.flow().fallback_applied());
    }
}

mod off {
    use super::*;

    #[orchestrate(pattern = "user", cache = user.id, fallback = off)]
    async fn off(user: User, error: Option<UserError>) -> Result<User, UserError> {
        error.map_or(Ok(user), Err)
    }

    #[tokio::test]
    async fn ok_with_fallback_off_reports_off() {
        let world = World::new();
        world.run(off(ada(), None)).await.unwrap();
        assert!(matches!(world.reports.only().step(Step::Fallback), StepResult::Off));
    }

    #[tokio::test]
    async fn err_with_fallback_off_reports_off() {
        let world = World::new();
        world.run(off(ada(), BROKEN)).await.unwrap_err();
        assert!(matches!(world.reports.only().step(Step::Fallback), StepResult::Off));
    }
}

mod hook {
    use super::*;

    async fn guest(failure: &Failure<'_, UserError>) -> Option<User> {
        tokio::task::yield_now().await;
        hooks::called(format!("guest for {:?}", failure.error().unwrap()));
        matches!(failure.code(), Code::Internal).then(eve)
    }

    async fn panics(_: &Failure<'_, UserError>) -> Option<User> {
        tokio::task::yield_now().await;
        panic!("the hook panicked")
    }

    fn panics_at_once(_: &Failure<'_, UserError>) -> Ready<Option<User>> {
        panic!("the hook panicked")
    }

    async fn hangs(_: &Failure<'_, UserError>) -> Option<User> {
        pending().await
    }

    macro_rules! handlers {
        ($user:ident, $($name:ident: [$($arguments:tt)*],)*) => {$(
            #[orchestrate(pattern = "user", cache = $user.id, event = "user_updated", $($arguments)*)]
            async fn $name($user: User, error: Option<UserError>) -> Result<User, UserError> {
                tokio::task::yield_now().await;
                error.map_or(Ok($user), Err)
            }
        )*};
    }

    handlers! { user,
        with_guest: [fallback = guest],
        with_guest_in_a_list: [fallback(with = guest)],
        with_panic: [fallback = panics],
        with_panic_at_once: [fallback = panics_at_once],
        with_hang: [fallback(with = hangs, timeout = "2s")],
    }

    #[tokio::test]
    async fn ok_does_not_call_the_hook() {
        let world = World::new();
        assert_eq!(world.run(with_guest(ada(), None)).await.unwrap(), ada());
        assert!(!world.last(Step::Fallback).0.step(Step::Fallback).is_done());
        assert_eq!(hooks::calls(), [""; 0]);
    }

    #[tokio::test]
    async fn hook_that_returns_some_recovers_the_err() {
        let world = World::new();
        for handled in
            [world.run(with_guest(ada(), BROKEN)).await, world.run(with_guest_in_a_list(ada(), BROKEN)).await]
        {
            assert_eq!(handled.unwrap(), eve());
            let (report, result) = world.last(Step::Fallback);
            assert_eq!((result.as_str(), report.flow().fallback_applied()), ("recovered", true));
            assert_eq!((report.flow().ending(), report.flow().code()), (CallOutcome::Err, Code::Internal));
        }
        assert_eq!(hooks::calls(), ["guest for Broken"; 2]);
    }

    #[tokio::test]
    async fn hook_that_returns_none_leaves_the_err() {
        let world = World::new();
        let error = world.run(with_guest(ada(), Some(UserError::Missing))).await.unwrap_err();
        assert!(matches!(error, UserError::Missing));
        let (report, result) = world.last(Step::Fallback);
        assert_eq!(result, "skipped: nothing to recover with");
        assert!(!report.flow().fallback_applied());
        assert_eq!(hooks::calls(), ["guest for Missing"]);
    }

    #[tokio::test(start_paused = true)]
    async fn hook_that_panics_leaves_the_err() {
        let panicked = StepErrorKind::Panicked;
        contained(|world| world.run(with_panic(ada(), BROKEN)), panicked).await;
        contained(|world| world.run(with_panic_at_once(ada(), BROKEN)), panicked).await;
    }

    #[tokio::test(start_paused = true)]
    async fn hook_that_hangs_leaves_the_err() {
        contained(|world| world.run(with_hang(ada(), BROKEN)), StepErrorKind::TimedOut).await;
    }

    async fn contained<F>(call: impl FnOnce(&World) -> F, kind: StepErrorKind)
    where
        F: Future<Output = Result<User, UserError>>,
    {
        let world = World::new();
        let (log, listening) = Log::listen();
        let error = call(&world).await.unwrap_err();
        drop(listening);
        assert!(matches!(error, UserError::Broken), "{error:?}");
        failed(&world, &log, kind);
        let report = world.reports.only();
        assert!(!report.flow().fallback_applied());
        for step in Step::ALL.into_iter().skip(1) {
            assert!(report.step(step).is_done(), "{report}");
        }
    }
}

/// The fallback failed, it alone, and it is seen.
#[track_caller]
fn failed(world: &World, log: &Log, kind: StepErrorKind) {
    let report = world.reports.only();
    let error = report.step(Step::Fallback).error().unwrap_or_else(|| panic!("it failed: {report}"));
    assert_eq!((error.step(), error.kind()), (Some(Step::Fallback), kind));
    assert_eq!(report.failures().count(), 1, "{report}");
    assert_eq!(world.orchestrator.stats().failures(Step::Fallback), 1);
    let lines = log.of("graceful::step");
    assert_eq!(lines.iter().map(|line| line.field("step")).collect::<Vec<_>>(), ["fallback"]);
}

/// The cache step is overridden, so that only `fallback` uses the cache.
mod backend {
    use super::*;

    #[orchestrate(
        pattern = "user",
        event = "user_updated",
        cache(key = user.id, with = hooks::both),
        fallback(last_good, timeout = "2s"),
    )]
    async fn remembering(user: User, error: Option<UserError>) -> Result<User, UserError> {
        tokio::task::yield_now().await;
        error.map_or(Ok(user), Err)
    }

    macro_rules! faults {
        ($($test:ident: $fault:ident => $kind:ident;)*) => {
            mod on_ok {$(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    super::at_fault(graceful_tests::Fault::$fault, None, super::StepErrorKind::$kind).await;
                }
            )*}
            mod on_err {$(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    super::at_fault(graceful_tests::Fault::$fault, super::BROKEN, super::StepErrorKind::$kind).await;
                }
            )*}
        };
    }

    faults! {
        cache_that_fails_is_contained: Fails => Failed;
        cache_that_fails_later_is_contained: FailsLater => Failed;
        cache_that_panics_is_contained: Panics => Panicked;
        cache_that_panics_later_is_contained: PanicsLater => Panicked;
        cache_that_hangs_is_contained: Hangs => TimedOut;
    }

    async fn at_fault(fault: Fault, error: Option<UserError>, kind: StepErrorKind) {
        let world = World::with(|builder| builder.cache(Faulty(fault)));
        let (log, listening) = Log::listen();
        let succeeds = error.is_none();
        let result = world.run(remembering(ada(), error)).await;
        drop(listening);
        match result {
            Ok(user) => assert_eq!((user, succeeds), (ada(), true)),
            Err(error) => assert!(matches!(error, UserError::Broken) && !succeeds, "{error:?}"),
        }
        failed(&world, &log, kind);
        let report = world.reports.only();
        for step in Step::ALL.into_iter().skip(1) {
            assert!(report.step(step).is_done(), "{report}");
        }
    }
}

/// A method may switch off or replace what its block declares.
mod impl_block {
    use graceful::{Code, Failure, Step, orchestrate};
    use graceful_tests::World;

    struct Block;

    async fn seven(_: &Failure<'_, Code>) -> Option<u64> {
        tokio::task::yield_now().await;
        Some(7)
    }

    #[orchestrate(pattern = "user", cache = 42, fallback(last_good, max_age = "1h"))]
    impl Block {
        #[orchestrate]
        async fn inherits(&self, error: Option<Code>) -> Result<u64, Code> {
            error.map_or(Ok(1), Err)
        }

        #[orchestrate(fallback = off)]
        async fn switches_off(&self) -> Result<u64, Code> {
            Err(Code::Internal)
        }

        #[orchestrate(fallback = seven)]
        async fn says_otherwise(&self) -> Result<u64, Code> {
            Err(Code::Internal)
        }
    }

    #[tokio::test]
    async fn method_overrides_the_fallback_of_its_block() {
        let world = World::new();
        assert_eq!(world.run(Block.inherits(None)).await, Ok(1));
        assert_eq!(world.run(Block.inherits(Some(Code::Internal))).await, Ok(1));
        assert_eq!(world.run(Block.switches_off()).await, Err(Code::Internal));
        assert_eq!(world.last(Step::Fallback).1, "off");
        assert_eq!(world.run(Block.says_otherwise()).await, Ok(7));
    }
}
