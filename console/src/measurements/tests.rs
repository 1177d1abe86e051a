//! Measurements of real flows.

use std::time::{Duration, Instant, SystemTime};

use graceful::{
    Code, Failure, Flow, FlowReport, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success,
};

use super::{ArmSnapshot, MAX_ENTRIES, Measurements, OTHER, Snapshot, StepSnapshot};

async fn fails(_: &Flow) -> Result<(), StepError> {
    Err(StepError::new("é".repeat(300)))
}

fn config(orchestrator: &Orchestrator) -> OrchestrationConfig {
    OrchestrationConfig::new("user")
        .id(42)
        .hook(Step::Audit, Hook::new(fails))
        .off(Step::Nexus)
        .on(orchestrator)
}

async fn ok(config: &OrchestrationConfig) -> FlowReport {
    Success::wrap(Code::Ok, "user updated", "ada").orchestrate(config).await
}

async fn err(config: &OrchestrationConfig) -> FlowReport {
    Failure::wrap(Code::Internal, "broken", "cause").orchestrate(config).await
}

fn step(arm: &ArmSnapshot, step: Step) -> &StepSnapshot {
    let found = &arm.steps[step as usize];
    assert_eq!(found.step, step);
    found
}

/// The flows of each interval that has any, with its index.
fn intervals(intervals: &[super::Interval]) -> Vec<(usize, u32, u32)> {
    let all = intervals.iter().enumerate().filter(|(_, interval)| interval.flows > 0);
    all.map(|(index, interval)| (index, interval.flows, interval.failed)).collect()
}

#[tokio::test]
async fn results_of_steps_are_counted_on_both_arms() {
    let measurements = Measurements::default();
    let observer = measurements.clone();
    let orchestrator = Orchestrator::builder()
        .in_memory()
        .on_report(move |report| observer.observe(report))
        .build()
        .unwrap();
    let before = SystemTime::now();
    for _ in 0..2 {
        ok(&config(&orchestrator)).await;
        err(&config(&orchestrator)).await;
    }
    let Snapshot { handlers, .. } = measurements.snapshot();
    let [handler] = handlers.as_slice() else { panic!("{handlers:?}") };
    assert_eq!((handler.handler.as_str(), handler.pattern.as_str()), ("", "user"));
    for arm in [&handler.ok, &handler.err] {
        assert_eq!(arm.flows, 2);
        assert!(arm.per_second > 0.0);
        let counts = |of| {
            let step = step(arm, of);
            (step.done, step.skipped, step.failed, step.off)
        };
        assert_eq!(counts(Step::Metadata), (2, 0, 0, 0));
        assert_eq!(counts(Step::Alert), (2, 0, 0, 0));
        assert_eq!(counts(Step::Cache), (0, 2, 0, 0));
        assert_eq!(counts(Step::Audit), (0, 0, 2, 0));
        assert_eq!(counts(Step::Nexus), (0, 0, 0, 2));
        assert_eq!(step(arm, Step::Cache).last_skip, Some("no key"));
        let last = step(arm, Step::Audit).last_failure.as_ref().unwrap();
        assert_eq!(last.text, "é".repeat(200));
        let earliest = before.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(u128::from(last.at_ms) >= earliest.as_millis());
        for of in [Step::Metadata, Step::Audit] {
            assert!(step(arm, of).p50_us.is_some() && step(arm, of).p95_us.is_some(), "{of}");
        }
        for of in [Step::Cache, Step::Nexus] {
            assert_eq!((step(arm, of).p50_us, step(arm, of).p95_us), (None, None), "{of}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn percentiles_are_those_of_the_last_minutes_on_both_arms() {
    async fn waits(_: &Flow) -> Result<(), StepError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    let (measurements, start) = (Measurements::default(), Instant::now());
    let config = OrchestrationConfig::new("user")
        .id(42)
        .hook(Step::Audit, Hook::new(waits))
        .on(&Orchestrator::in_memory());
    for report in [ok(&config).await, err(&config).await] {
        measurements.observe_at(&report, start);
    }
    let of = |seconds| {
        let snapshot = measurements.snapshot_at(start + Duration::from_secs(seconds));
        let handler = snapshot.handlers.into_iter().next().unwrap();
        [handler.ok, handler.err]
    };
    for arm in of(0) {
        for percentile in [step(&arm, Step::Audit).p50_us, step(&arm, Step::Audit).p95_us] {
            assert!(percentile.is_some_and(|micros| (90_000..115_000).contains(&micros)), "{percentile:?}");
        }
    }
    assert!(of(599).iter().all(|arm| step(arm, Step::Audit).p50_us.is_some()));
    for arm in of(601) {
        assert_eq!((step(&arm, Step::Audit).p50_us, step(&arm, Step::Audit).p95_us), (None, None));
        assert_eq!((step(&arm, Step::Audit).done, arm.flows), (1, 1), "counters stay");
        assert!(arm.per_second.abs() < f64::EPSILON);
    }
}

#[tokio::test]
async fn throughput_adds_all_handlers_per_arm_and_interval() {
    let (measurements, start) = (Measurements::default(), Instant::now());
    let orchestrator = Orchestrator::in_memory();
    let other = OrchestrationConfig::new("order").id(7).on(&orchestrator);
    let user = config(&orchestrator);
    let at = |seconds| start + Duration::from_secs(seconds);
    measurements.observe_at(&ok(&user).await, at(1));
    measurements.observe_at(&ok(&other).await, at(2));
    measurements.observe_at(&err(&user).await, at(21));
    let throughput = measurements.snapshot_at(at(45)).throughput;
    assert_eq!((throughput.ok.len(), throughput.err.len(), throughput.interval_secs), (60, 60, 10));
    assert_eq!(intervals(&throughput.ok), [(55, 2, 1)], "the audit of one has failed");
    assert_eq!(intervals(&throughput.err), [(57, 1, 1)]);
}

#[tokio::test]
async fn pairs_beyond_the_maximum_count_together() {
    let measurements = Measurements::default();
    let orchestrator = Orchestrator::in_memory();
    for number in 0..MAX_ENTRIES + 3 {
        let config = OrchestrationConfig::new(format!("pattern {number}")).id(42).on(&orchestrator);
        let reports = [ok(&config).await, err(&config).await];
        for report in &reports {
            measurements.observe(report);
        }
    }
    let snapshot = measurements.snapshot();
    assert_eq!(snapshot.handlers.len(), MAX_ENTRIES + 1);
    let other = snapshot.handlers.last().unwrap();
    assert_eq!((other.handler.as_str(), other.pattern.as_str()), (OTHER, OTHER));
    assert_eq!((other.ok.flows, other.err.flows), (3, 3));
    let flows: u32 = snapshot.throughput.ok.iter().map(|interval| interval.flows).sum();
    assert_eq!(flows as usize, MAX_ENTRIES + 3);
}

#[tokio::test]
async fn concurrent_flows_are_all_counted() {
    let measurements = Measurements::default();
    let orchestrator = Orchestrator::in_memory();
    let mut reports = Vec::new();
    for number in 0..4 {
        let config = OrchestrationConfig::new(format!("pattern {number}")).id(42).on(&orchestrator);
        reports.push(ok(&config).await);
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    for report in &reports {
                        measurements.observe(report);
                    }
                }
            });
        }
    });
    let snapshot = measurements.snapshot();
    let flows: Vec<_> = snapshot.handlers.iter().map(|handler| handler.ok.flows).collect();
    assert_eq!(flows, [1_000; 4]);
}

#[tokio::test]
async fn snapshot_is_plain_data() {
    let measurements = Measurements::default();
    measurements.observe(&ok(&config(&Orchestrator::in_memory())).await);
    let json = serde_json::to_value(measurements.snapshot()).unwrap();
    assert_eq!(json["handlers"][0]["pattern"], "user");
    assert_eq!(json["handlers"][0]["ok"]["steps"][7]["step"], "audit");
    assert_eq!(json["handlers"][0]["ok"]["steps"][7]["failed"], 1);
    assert_eq!(json["handlers"][0]["err"]["flows"], 0);
}
