//! Values and errors of the user that panic, and futures that panic while they are dropped. Each panic is contained and reported.

use std::{future::pending, sync::LazyLock};

use graceful::{Classify, Code, Flow, FlowReport, Step, StepError, StepErrorKind, orchestrate};
use graceful_tests::{UserError, World};
use serde::{Serialize, Serializer};

/// Both flows of a handler, whose answer is untouched.
macro_rules! both_flows {
    (|$error:ident| $call:expr) => {{
        let world = World::new();
        let $error = None;
        assert_eq!(world.run($call).await, Ok(1));
        let $error = Some(Code::Internal);
        assert_eq!(world.run($call).await, Err(Code::Internal));
        let reports: [FlowReport; 2] = world.reports.all().try_into().unwrap();
        reports
    }};
}

mod values {
    use super::*;

    struct Explosive;

    impl Serialize for Explosive {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no value")
        }
    }

    #[orchestrate(pattern = "user", cache = 42)]
    async fn answers_it() -> Result<Explosive, Code> {
        Ok(Explosive)
    }

    #[tokio::test]
    async fn value_that_panics_while_serialised_fails_the_cache_step() {
        let world = World::new();
        assert!(world.run(answers_it()).await.is_ok());
        assert!(world.reports.only().step(Step::Cache).error().unwrap().message().contains("no value"));
    }

    #[tokio::test]
    async fn value_that_panics_while_serialised_fails_the_cache_step_of_the_manual_path() {
        let world = World::new();
        let config = graceful::OrchestrationConfig::new("user").cache_key(42).on(&world.orchestrator);
        let report = graceful::Success::wrap(Code::Ok, "", &Explosive).orchestrate(&config).await;
        assert!(report.step(Step::Cache).error().unwrap().message().contains("no value"));
    }
}

mod errors {
    use super::*;

    struct Explosive;

    impl Classify for Explosive {
        fn code(&self) -> Code {
            panic!("no code")
        }
    }

    #[orchestrate(pattern = "user", id = 42)]
    async fn answers_it() -> Result<(), Explosive> {
        Err(Explosive)
    }

    #[tokio::test]
    async fn error_that_panics_while_classified_is_internal() {
        let world = World::new();
        assert!(world.run(answers_it()).await.is_err());
        let flow = world.reports.only().flow().clone();
        assert_eq!((flow.code(), flow.message()), (Code::Internal, "internal error"));
    }

    static KEPT: LazyLock<StepError> = LazyLock::new(|| StepError::new("down"));

    async fn answers_a_clone(_: &Flow) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        Err(KEPT.clone())
    }

    #[orchestrate(pattern = "user", id = 42, audit(with = answers_a_clone, required))]
    async fn required() -> Result<(), UserError> {
        Ok(())
    }

    #[tokio::test]
    async fn required_failure_whose_hook_keeps_a_clone_names_its_step() {
        let world = World::new();
        let error = world.run(required()).await.unwrap_err().step();
        assert_eq!((error.step(), KEPT.step()), (Some(Step::Audit), None));
    }
}

mod drops {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("no drop")
        }
    }

    async fn hangs(_: &Flow) -> Result<(), StepError> {
        let _bomb = Bomb;
        pending().await
    }

    #[orchestrate(pattern = "user", id = 42, audit(with = hangs, timeout = "1s"))]
    async fn with_bomb(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    #[tokio::test(start_paused = true)]
    async fn hook_over_its_time_limit_that_panics_while_dropped_is_contained() {
        for report in both_flows!(|error| with_bomb(error)) {
            let error = report.step(Step::Audit).error().unwrap();
            assert_eq!((error.kind(), report.failures().count()), (StepErrorKind::TimedOut, 1), "{report}");
        }
    }
}
