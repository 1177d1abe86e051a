//! How long each step ran, in the reports.

use std::time::Duration;

use graceful::{
    Code, Delivery, Failure, Flow, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success,
    orchestrate,
};
use graceful_tests::{Fault, Faulty, Gate, World};

const WAITED: Duration = Duration::from_millis(300);

async fn waits(_: &Flow) -> Result<(), StepError> {
    tokio::time::sleep(WAITED).await;
    Ok(())
}

#[orchestrate(pattern = "user", cache = 42, audit(with = waits, timeout = "1s"), nexus = off)]
async fn handler(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

const ARMS: [Option<Code>; 2] = [None, Some(Code::Internal)];

#[tokio::test(start_paused = true)]
async fn report_has_the_duration_of_each_step_that_ran_on_both_arms() {
    let world = World::new();
    for error in ARMS {
        assert_eq!(world.run(handler(error)).await.err(), error);
        let report = world.reports.last();
        let waited = report.duration(Step::Audit).unwrap();
        assert!(waited >= WAITED && waited < 2 * WAITED, "{waited:?}");
        for (step, result) in report.steps() {
            let ran = result.is_done() || result.error().is_some();
            assert_eq!(report.duration(step).is_some(), ran, "{step}: {result}");
        }
        assert!(report.duration(Step::Cache).unwrap() < WAITED, "the steps before do not wait for it");
        assert_eq!(report.duration(Step::Nexus), None, "it is off");
        assert_eq!(report.duration(Step::Event), None, "it is skipped");
    }
}

#[orchestrate(pattern = "user", cache(key = 42, timeout = "2s"))]
async fn writer(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

#[tokio::test(start_paused = true)]
async fn step_that_is_over_its_time_budget_ran_for_that_time_on_both_arms() {
    let world = World::with(|builder| builder.cache(Faulty(Fault::Hangs)));
    for error in ARMS {
        assert_eq!(world.run(writer(error)).await.err(), error);
        let report = world.reports.last();
        assert!(report.step(Step::Cache).error().is_some(), "{report}");
        assert!(report.duration(Step::Cache).unwrap() >= Duration::from_secs(2));
    }
}

async fn recover(_: &Failure<'_, Code>) -> Option<u64> {
    tokio::time::sleep(WAITED).await;
    Some(7)
}

#[orchestrate(pattern = "user", id = 42, fallback(with = recover, timeout = "1s"))]
async fn recovered() -> Result<u64, Code> {
    Err(Code::Unavailable)
}

#[tokio::test(start_paused = true)]
async fn fallback_has_its_duration() {
    let world = World::new();
    assert_eq!(world.run(recovered()).await, Ok(7));
    let took = world.reports.last().duration(Step::Fallback);
    assert!(took.is_some_and(|took| took >= WAITED), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn manual_path_without_observers_has_the_durations_on_both_arms() {
    let orchestrator = Orchestrator::in_memory();
    let config =
        OrchestrationConfig::new("user").id(42).hook(Step::Audit, Hook::new(waits)).on(&orchestrator);
    let ok = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    let err = Failure::wrap(Code::Internal, "broken", "cause").orchestrate(&config).await;
    for report in [ok, err] {
        assert!(report.duration(Step::Audit).is_some_and(|took| took >= WAITED), "{report}");
        assert!(report.duration(Step::Metadata).is_some());
        assert_eq!(report.duration(Step::Cache), None, "it has no key");
    }
}

#[tokio::test]
async fn flow_that_did_not_run_has_no_durations_on_both_arms() {
    let config = OrchestrationConfig::new("user").id(42).when(false).on(&Orchestrator::in_memory());
    let ok = Success::wrap(Code::Ok, "", "ada").orchestrate(&config).await;
    let err = Failure::wrap(Code::Internal, "", "cause").orchestrate(&config).await;
    for report in [ok, err] {
        assert!(Step::ALL.into_iter().all(|step| report.duration(step).is_none()));
    }
}

#[tokio::test]
async fn step_that_still_runs_has_no_duration_and_later_has_one() {
    static GATE: Gate = Gate::closed();

    async fn audit(_: &Flow) -> Result<(), StepError> {
        GATE.pass().await;
        Ok(())
    }

    let world = World::new();
    let config = OrchestrationConfig::new("user")
        .id(42)
        .delivery(Delivery::Background)
        .hook(Step::Audit, Hook::new(audit))
        .on(&world.orchestrator);
    let ok = Success::wrap(Code::Ok, "", "ada").orchestrate(&config).await;
    let err = Failure::wrap(Code::Internal, "", "cause").orchestrate(&config).await;
    for report in [ok, err] {
        assert_eq!(report.duration(Step::Audit), None, "{report}");
    }
    GATE.open_for(2);
    for report in world.reports.until(2).await {
        assert!(report.duration(Step::Audit).is_some(), "{report}");
    }
}
