//! Several processes share one alert store.

use graceful::{Code, Orchestrator, Step, backends::Alert, orchestrate};
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
    orchestrator.alerts().unwrap().open().await.unwrap()
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
