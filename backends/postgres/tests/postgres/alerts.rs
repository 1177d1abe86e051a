//! Several processes share one alert store.

use std::{sync::Arc, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Orchestrator, Severity, Step,
    backends::{Alert, Alerter, IncidentFilter, STORM_LIMIT, Scheduler},
    orchestrate,
};
use graceful_tests::{BACKENDS, Reports};
use tokio::task::JoinSet;

use super::{Postgres, execute};

#[orchestrate(pattern = "user", id = id)]
async fn touch(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

/// A process of the service, configured as by its environment.
async fn process(url: &str) -> (Orchestrator, Reports) {
    let settings = [("GRACEFUL_SERVICE", "users"), ("GRACEFUL_STORE", url)];
    let (builder, reports) =
        (Orchestrator::builder().settings(BACKENDS, settings).await.unwrap(), Reports::default());
    (reports.of(builder).build().unwrap(), reports)
}

async fn touched((orchestrator, reports): &(Orchestrator, Reports), id: u64, error: Option<Code>) -> String {
    let _ = orchestrator.scope(touch(id, error)).await;
    reports.last().step(Step::Alert).to_string()
}

async fn open(orchestrator: &Orchestrator) -> Vec<Alert> {
    orchestrator.alerts().unwrap().open(IncidentFilter::default(), None, 1000).await.unwrap().items
}

#[test(requires(Postgres))]
async fn ok_of_one_process_resolves_the_alert_of_another() {
    let postgres = Postgres::new();
    let url = postgres.url(&postgres.schema().await);
    let (one, another) = (process(&url).await, process(&url).await);
    assert_eq!(touched(&one, 42, Some(Code::Internal)).await, "fired");
    assert_eq!(touched(&another, 42, Some(Code::DataLoss)).await, "fired again");
    assert_eq!(touched(&another, 7, None).await, "no open alert");
    let alerts = open(&one.0).await;
    assert_eq!((alerts[0].entity.id(), alerts[0].code, alerts[0].count), ("42", Code::DataLoss, 2));
    assert_eq!(touched(&another, 42, None).await, "resolved");
    assert_eq!(touched(&one, 42, None).await, "no open alert");
    assert_eq!(open(&one.0).await, []);
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn resolved_alerts_beyond_a_thousand_are_deleted() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    let process = process(&postgres.url(&schema)).await;
    assert_eq!(touched(&process, 1, Some(Code::Internal)).await, "fired");
    assert_eq!(touched(&process, 1, None).await, "resolved");
    let older = "INSERT INTO graceful_alerts (entity, fired_at, resolved_at, alert)
                 SELECT 'older', n, n, alert FROM graceful_alerts, generate_series(1, 1200) AS n";
    execute(&mut postgres.connection(&schema).await, older).await;
    assert_eq!(touched(&process, 2, Some(Code::Internal)).await, "fired");
    assert_eq!(touched(&process, 2, None).await, "resolved");
    let resolved = process.0.alerts().unwrap().resolved(5000).await.unwrap();
    assert_eq!((resolved.len(), resolved[0].entity.id()), (1000, "2"));
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_firing_by_many_processes_is_one_alert() {
    let postgres = Postgres::new();
    let url = postgres.url(&postgres.schema().await);
    let mut processes = JoinSet::new();
    for _ in 0..4 {
        let process = process(&url).await;
        processes.spawn(async move {
            for _ in 0..15 {
                assert!(touched(&process, 42, Some(Code::Internal)).await.starts_with("fired"));
            }
        });
    }
    processes.join_all().await;
    let alerts = open(&process(&url).await.0).await;
    assert_eq!((alerts.len(), alerts[0].count), (1, 60));
    postgres.clean().await;
}

/// The stores of two processes, with the same tables.
async fn two_stores(postgres: &Postgres) -> [Arc<graceful_postgres::Store>; 2] {
    let schema = postgres.migrated().await;
    [Arc::new(postgres.store(&schema).await), Arc::new(postgres.store(&schema).await)]
}

const OPENED: usize = 200;

#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_alerts_of_two_processes_are_the_limit_and_one_summary() {
    let postgres = Postgres::new();
    let stores = two_stores(&postgres).await;
    let mut firing = JoinSet::new();
    for id in 0..OPENED {
        let store = Arc::clone(&stores[id % 2]);
        let flow = Sample::new(&id.to_string(), Code::Internal, 1).handler("pay").flow();
        firing.spawn(async move { store.fire(&flow, Severity::Error).await.unwrap() });
    }
    firing.join_all().await;
    let (summaries, singles): (Vec<_>, Vec<_>) =
        Alerter::open(&*stores[0], IncidentFilter::default(), None, 1000)
            .await
            .unwrap()
            .items
            .into_iter()
            .partition(|alert| alert.summary);
    assert_eq!((singles.len(), summaries.len()), (STORM_LIMIT, 1));
    assert_eq!(summaries[0].count, (OPENED - STORM_LIMIT) as u64);
    let mut resolving = JoinSet::new();
    for id in 0..OPENED {
        let store = Arc::clone(&stores[id % 2]);
        let flow = Sample::new(&id.to_string(), Code::Ok, 2).handler("pay").flow();
        resolving.spawn(async move { store.resolve(&flow).await.unwrap() });
    }
    resolving.join_all().await;
    assert_eq!(Alerter::open(&*stores[0], IncidentFilter::default(), None, 1000).await.unwrap().items, []);
    postgres.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_jobs_of_two_processes_are_the_limit_and_one_summary() {
    let postgres = Postgres::new();
    let stores = two_stores(&postgres).await;
    let flow = |id: usize| Sample::new(&id.to_string(), Code::Internal, 1).handler("pay").flow();
    let mut opening = JoinSet::new();
    for id in 0..OPENED {
        let (store, flow) = (Arc::clone(&stores[id % 2]), flow(id));
        let hour = Duration::from_hours(1);
        opening.spawn(async move { Scheduler::open(&*store, &flow, hour).await.unwrap() });
    }
    opening.join_all().await;
    let (summaries, singles): (Vec<_>, Vec<_>) = stores[0]
        .jobs(IncidentFilter::default(), None, 1000)
        .await
        .unwrap()
        .items
        .into_iter()
        .partition(|job| job.summary);
    assert_eq!((singles.len(), summaries.len()), (STORM_LIMIT, 1));
    assert_eq!(summaries[0].bumps, (OPENED - STORM_LIMIT) as u64);
    let mut completing = JoinSet::new();
    for id in 0..OPENED {
        let (store, incident) = (Arc::clone(&stores[id % 2]), flow(id).incident());
        completing.spawn(async move { store.complete(&incident).await.unwrap() });
    }
    completing.join_all().await;
    assert_eq!(stores[0].jobs(IncidentFilter::default(), None, 1000).await.unwrap().items, []);
    postgres.clean().await;
}
