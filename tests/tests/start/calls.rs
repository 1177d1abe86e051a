//! The first call checks the requirements when nothing has checked them before.

use graceful::{OrchestrationConfig, Orchestrator, Step, StepResult, Success};
use graceful_testing::Recorder;
use graceful_tests::{Log, Reports};
use tracing::Level;

use super::*;

fn bare() -> (Orchestrator, Reports) {
    let reports = Reports::default();
    let orchestrator = reports.of(Orchestrator::builder()).build().unwrap();
    (orchestrator, reports)
}

/// The one line about a handler that nobody has checked.
fn only_fault(log: &Log, handler: &str, line: u32) {
    let faults = log.of("graceful::requirements");
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((fault.level, fault.field("handler")), (Level::ERROR, handler));
    assert!(fault.field("at").ends_with(&format!("start/main.rs:{line}")), "{fault:?}");
}

#[tokio::test]
async fn required_step_without_backend_fails_the_call_and_is_logged_once() {
    let ((log, _guard), (orchestrator, _)) = (Log::listen(), bare());
    for _ in 0..3 {
        let error = orchestrator.scope(orders::cancel_order()).await.unwrap_err();
        assert_eq!(
            (error.step(), error.message()),
            (Some(Step::Audit), "the step is required, but has no backend")
        );
    }
    only_fault(&log, "cancel_order", orders::REQUIRED);
}

#[tokio::test]
async fn last_good_without_cache_fails_the_fallback_of_both_arms() {
    let (orchestrator, reports) = bare();
    orchestrator.scope(orders::read_order(None)).await.unwrap();
    orchestrator.scope(orders::read_order(Some(Code::Internal))).await.unwrap_err();
    assert_eq!(orchestrator.stats().failures(Step::Fallback), 2);
    assert_eq!(reports.count(), 2);
}

#[tokio::test]
async fn durable_handler_without_store_runs_inline_and_is_logged_once() {
    let ((log, _guard), orchestrator) = (Log::listen(), Orchestrator::in_memory());
    for _ in 0..3 {
        orchestrator.scope(users::store_user(None)).await.unwrap();
    }
    assert_eq!(orchestrator.stats().store_failures(), 3);
    only_fault(&log, "store_user", users::DURABLE);
}

#[tokio::test]
async fn required_step_of_the_manual_path_without_backend_is_its_failure() {
    let (orchestrator, _) = bare();
    let config = OrchestrationConfig::new("user").required(Step::Event).on(&orchestrator);
    let report = Success::wrap(Code::Ok, "done", "value").orchestrate(&config).await;
    assert!(matches!(report.step(Step::Event), StepResult::Failed(_)), "{report}");
    assert!(report.required_failure().is_some());
}

/// Without an orchestrator a durable handler is the plain function.
#[tokio::test]
async fn durable_handler_without_orchestrator_is_the_plain_handler() {
    assert_eq!(users::store_user(None).await, Ok(1));
    assert_eq!(users::store_user(Some(Code::Internal)).await, Err(Code::Internal));
}

#[test]
fn recorder_outside_a_runtime_is_built_in_a_program_with_a_durable_handler() {
    assert!(Recorder::new().flows().is_empty());
    assert!(Orchestrator::in_memory().flows().is_none());
}
