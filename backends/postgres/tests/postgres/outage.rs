//! The log lines while PostgreSQL is unavailable and when it is available again.

use std::time::{Duration, Instant};

use graceful::{Code, Orchestrator, RelaySettings, Step, orchestrate};
use graceful_postgres::Store;
use graceful_tests::{
    Link, Proxy,
    gate::until,
    log::{Line, Log},
};
use tracing::Level;

use super::{Postgres, url};

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn save(id: usize, error: Option<Code>) -> Result<usize, Code> {
    error.map_or(Ok(id), Err)
}

const STEPS: [Step; 5] = [Step::Metadata, Step::Schedule, Step::Nexus, Step::Audit, Step::Alert];

fn of(log: &Log, target: &str, level: Level, step: Option<Step>) -> Vec<Line> {
    let mut lines = log.of(target);
    lines.retain(|line| line.level == level && step.is_none_or(|step| line.field("step") == step.as_str()));
    lines
}

fn failures(lines: &[Line]) -> u64 {
    lines.iter().map(|line| line.field("failures").parse::<u64>().unwrap()).sum()
}

#[test(requires(Postgres))]
async fn outage_is_logged_once_a_second_and_its_end_once_and_no_failure_is_lost() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let proxy = Proxy::to(postgres.address).await;
    let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
    let store = store.timeout(Duration::from_millis(500));
    let builder = Orchestrator::builder().service("users").relay(RelaySettings::off());
    let orchestrator = builder.alerts(store.clone()).store(store).build().unwrap();
    let (log, _listening) = Log::listen();

    proxy.set(Link::Refused).await;
    let (began, mut calls) = (Instant::now(), 0);
    // Long enough for summaries.
    while began.elapsed() < Duration::from_millis(2500) {
        orchestrator.scope(save(1, Some(Code::Internal))).await.unwrap_err();
        calls += 1;
    }
    let lasted = usize::try_from(began.elapsed().as_secs()).unwrap();
    for step in STEPS {
        assert_eq!(orchestrator.stats().failures(step), calls, "{step}");
        let lines = of(&log, "graceful::step", Level::WARN, Some(step));
        assert!((2..=lasted + 1).contains(&lines.len()), "{calls} calls, {} lines of {step}", lines.len());
        assert!(of(&log, "graceful::step", Level::INFO, Some(step)).is_empty());
    }
    assert_eq!(orchestrator.stats().store_failures(), calls);
    assert!(of(&log, "graceful::durable", Level::ERROR, None).len() <= lasted + 1);

    proxy.set(Link::Up).await;
    until(|| async {
        let before = orchestrator.stats().store_failures();
        orchestrator.scope(save(1, Some(Code::Internal))).await.unwrap_err();
        orchestrator.stats().store_failures() == before
    })
    .await;
    let (warned, ended) =
        (of(&log, "graceful::durable", Level::ERROR, None), of(&log, "graceful::durable", Level::INFO, None));
    assert_eq!(
        (ended.len(), failures(&warned) + failures(&ended)),
        (1, orchestrator.stats().store_failures())
    );
    for (level, count) in [(Level::WARN, 1), (Level::INFO, 1)] {
        assert_eq!(of(&log, "graceful::breaker", level, None).len(), count, "{level}");
    }
    postgres.clean().await;
}

#[orchestrate(pattern = "user", id = id)]
async fn touch(id: usize, error: Option<Code>) -> Result<usize, Code> {
    error.map_or(Ok(id), Err)
}

#[test(requires(Postgres))]
async fn end_of_outage_is_logged_once_for_each_step() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let proxy = Proxy::to(postgres.address).await;
    let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
    let store = store.timeout(Duration::from_millis(500));
    let builder = Orchestrator::builder().service("users").relay(RelaySettings::off());
    let orchestrator = builder.alerts(store.clone()).store(store).build().unwrap();
    let (log, _listening) = Log::listen();
    let fail = async || {
        let before = STEPS.map(|step| orchestrator.stats().failures(step));
        orchestrator.scope(touch(1, Some(Code::Internal))).await.unwrap_err();
        STEPS.map(|step| orchestrator.stats().failures(step)) != before
    };
    proxy.set(Link::Refused).await;
    for _ in 0..50 {
        assert!(fail().await);
    }
    proxy.set(Link::Up).await;
    until(|| async { !fail().await }).await;
    for _ in 0..3 {
        assert!(!fail().await);
    }
    for step in STEPS {
        let failed = of(&log, "graceful::step", Level::WARN, Some(step));
        let ended = of(&log, "graceful::step", Level::INFO, Some(step));
        assert_eq!(ended.len(), 1, "{step}");
        assert_eq!(failures(&failed) + failures(&ended), orchestrator.stats().failures(step), "{step}");
    }
    postgres.clean().await;
}
