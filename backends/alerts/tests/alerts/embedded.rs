//! The alerts of `graceful_sqlite::embedded` are kept in its directory and logged.

use std::path::Path;

use graceful::{
    Code, Orchestrator, Step,
    backends::{Alerter, IncidentFilter},
};
use graceful_alerts::alertmanager::Alertmanager;
use graceful_tests::{Reports, killed, services::Service};

use crate::save;

async fn embedded(directory: &Path) -> (Orchestrator, Reports) {
    let reports = Reports::default();
    let builder = graceful_sqlite::embedded(directory).await.unwrap().service("users").environment("test");
    (reports.of(builder).build().unwrap(), reports)
}

async fn saved((orchestrator, reports): &(Orchestrator, Reports), id: u64, error: Option<Code>) -> String {
    let _ = orchestrator.scope(save(id, error)).await;
    reports.last().step(Step::Alert).to_string()
}

#[test]
async fn ok_after_a_kill_resolves_the_alert_fired_before_it() {
    if let Some(directory) = killed::works_in() {
        let embedded = embedded(&directory).await;
        assert_eq!(saved(&embedded, 42, Some(Code::Internal)).await, "fired");
        assert_eq!(saved(&embedded, 42, Some(Code::DataLoss)).await, "fired again");
        assert_eq!(saved(&embedded, 7, Some(Code::Internal)).await, "fired");
        assert_eq!(saved(&embedded, 7, None).await, "resolved");
        killed::done().await;
    }
    let directory = tempfile::tempdir().unwrap();
    killed::after("embedded::ok_after_a_kill_resolves_the_alert_fired_before_it", directory.path());

    let embedded = embedded(directory.path()).await;
    let alerts = embedded.0.alerts().unwrap();
    let open = alerts.open(IncidentFilter::default(), None, 9).await.unwrap().items;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].entity.id(), open[0].code, open[0].count), ("42", Code::DataLoss, 2));
    assert_eq!(open[0].environment, "test");
    assert_eq!(alerts.resolved(9).await.unwrap().len(), 1);

    assert_eq!(saved(&embedded, 42, None).await, "resolved");
    assert_eq!(saved(&embedded, 42, None).await, "no open alert");
    assert_eq!(alerts.open(IncidentFilter::default(), None, 9).await.unwrap().items, []);
    let resolved = alerts.resolved(1).await.unwrap();
    assert_eq!((resolved[0].entity.id(), resolved[0].resolved_at.is_some()), ("42", true));
    assert_eq!(saved(&embedded, 42, Some(Code::Internal)).await, "fired");
    assert_eq!(alerts.open(IncidentFilter::default(), None, 9).await.unwrap().items[0].count, 1);
}

#[test]
async fn repeated_flow_is_not_counted_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(directory.path().join("alerts.db")).await.unwrap();
    let (orchestrator, reports) = embedded(directory.path()).await;
    let _ = orchestrator.scope(save(42, Some(Code::Internal))).await;
    let flow = reports.last().flow().clone();
    for _ in 0..3 {
        store.fire(&flow, graceful::Severity::Error).await.unwrap();
    }
    assert_eq!(Alerter::open(&store, IncidentFilter::default(), None, 9).await.unwrap().items[0].count, 1);
}

/// The alert store is in one file and the receiver is elsewhere: a kill between them loses no alert.
#[test(requires("prometheus-alertmanager"))]
async fn ok_after_a_kill_is_sent_to_the_alertmanager() {
    async fn world(directory: &Path, url: &str) -> (Orchestrator, Reports) {
        let store = graceful_sqlite::Store::open(directory.join("graceful.db")).await.unwrap();
        let alerts =
            Alertmanager::builder(url).timeout(std::time::Duration::from_secs(30)).alert_store(store);
        let reports = Reports::default();
        let builder = reports.of(Orchestrator::builder().service("users"));
        (builder.alerts(alerts.build().unwrap()).build().unwrap(), reports)
    }
    if let Some(directory) = killed::works_in() {
        let url = std::fs::read_to_string(directory.join("url")).unwrap();
        assert_eq!(saved(&world(&directory, &url).await, 42, Some(Code::Internal)).await, "fired");
        killed::done().await;
    }
    let server = Service::alertmanager();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("url"), server.url("")).unwrap();
    killed::after("embedded::ok_after_a_kill_is_sent_to_the_alertmanager", directory.path());
    assert_eq!(crate::alertmanager::firing(&server).await.len(), 1);

    let after = world(directory.path(), &server.url("")).await;
    assert_eq!(saved(&after, 42, None).await, "resolved");
    assert_eq!(crate::alertmanager::firing(&server).await.len(), 0);
}
