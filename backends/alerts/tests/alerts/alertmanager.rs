//! Alerts are sent to a real Alertmanager, whose API says which ones arrived.

use std::{sync::Arc, time::Duration};

use graceful::{
    Code, Flow, Incident, OrchestrationConfig, Orchestrator, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply, memory},
    options::AlertOn,
};
use graceful_alerts::alertmanager::{Alertmanager, Builder};
use graceful_tests::{
    gate::{Gate, awaited},
    raw_http::{Inbox, get},
    services::{Service, free_port},
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;

use crate::{saved, world};

fn told(server: &Service) -> Builder {
    // For machines with more to do than this.
    Alertmanager::builder(server.url("")).timeout(Duration::from_secs(30))
}

/// What it holds to be firing.
pub async fn firing(server: &Service) -> Vec<Value> {
    serde_json::from_str(&get(server.port(), "/api/v2/alerts").await).unwrap()
}

/// Until so many are firing, without a flow that would tell.
async fn until_firing(server: &Service, count: usize) {
    awaited(async {
        while firing(server).await.len() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// How many messages it was sent.
async fn received(server: &Service) -> u32 {
    let metrics = get(server.port(), "/metrics").await;
    let of_v2 = metrics.lines().filter(|line| {
        line.starts_with("alertmanager_alerts_received_total") && line.contains("version=\"v2\"")
    });
    of_v2.map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()).sum()
}

#[test(requires("prometheus-alertmanager"))]
async fn err_fires_an_alert_and_ok_resolves_it() {
    let server = Service::alertmanager();
    let world = world(told(&server).label("team", "identity").build().unwrap());
    assert_eq!(saved(&world, 42, Some(Code::Internal)).await, "fired");

    let alerts = firing(&server).await;
    assert_eq!(alerts.len(), 1);
    let expected = serde_json::json!({
        "alertname": "GracefulFlowFailed", "service": "users", "environment": "test", "pattern": "user",
        "handler": "alerts::save",
        "code": "INTERNAL", "severity": "error", "team": "identity",
    });
    assert_eq!(alerts[0]["labels"], expected);
    let flow = world.reports.last().flow().id().to_string();
    let annotations = &alerts[0]["annotations"];
    assert_eq!(annotations["summary"], "user of users fails: INTERNAL");
    assert_eq!((&annotations["entity"], &annotations["flow"]), (&"users::user:42".into(), &flow.into()));

    assert_eq!(saved(&world, 42, None).await, "resolved");
    assert_eq!(firing(&server).await, [Value::Null; 0]);
    assert_eq!(saved(&world, 42, None).await, "no open alert");
}

#[test(requires("prometheus-alertmanager"))]
async fn client_fault_sends_no_alert() {
    let server = Service::alertmanager();
    let world = world(told(&server).build().unwrap());
    assert_eq!(saved(&world, 42, Some(Code::NotFound)).await, "skipped: not a server fault");
    assert_eq!(firing(&server).await, [Value::Null; 0]);
}

#[test(requires("prometheus-alertmanager"))]
async fn many_failures_of_one_group_are_one_alert_and_one_message() {
    let server = Service::alertmanager();
    let world = world(told(&server).build().unwrap());
    for n in 0..500 {
        saved(&world, n % 100, Some(Code::Unavailable)).await;
    }
    assert_eq!((firing(&server).await.len(), received(&server).await), (1, 1));
    // The first 20 have an alert of their own. It is right again when the last of these is.
    for n in 1..100 {
        let change = if n < 20 { "resolved" } else { "no open alert" };
        assert_eq!(saved(&world, n, None).await, change);
        assert_eq!(firing(&server).await.len(), 1);
    }
    saved(&world, 0, None).await;
    assert_eq!((firing(&server).await.len(), received(&server).await), (0, 2));
}

#[test(requires("prometheus-alertmanager"))]
async fn concurrent_failures_of_one_group_are_one_alert() {
    let server = Service::alertmanager();
    let alerts = told(&server).build().unwrap();
    let orchestrator = Orchestrator::builder().service("users").alerts(alerts).build().unwrap();
    let storm = async |error: Option<Code>| {
        let tasks = (0..50).map(|n| tokio::spawn(orchestrator.scope(crate::save(n, error))));
        for task in tasks.collect::<Vec<_>>() {
            let _ = task.await.unwrap();
        }
    };
    storm(Some(Code::Internal)).await;
    assert_eq!(firing(&server).await.len(), 1);
    storm(None).await;
    assert_eq!(firing(&server).await.len(), 0);
}

#[test(requires("prometheus-alertmanager"))]
async fn storm_is_one_alert_with_all_its_failures_and_a_lower_bound_of_entities() {
    let server = Service::alertmanager();
    let alert_store = memory::Alerts::new();
    let before = world(alert_store.clone());
    for id in 0..25 {
        saved(&before, id, Some(Code::Internal)).await;
    }
    let after = world(told(&server).alert_store(alert_store).build().unwrap());
    until_firing(&server, 1).await;
    let annotations = firing(&server).await[0]["annotations"].clone();
    assert_eq!((&annotations["entities"], &annotations["count"]), (&"20+".into(), &"25".into()));
    assert!(annotations["description"].as_str().unwrap().contains("further entities fail"), "{annotations}");
    for id in 0..25 {
        saved(&after, id, None).await;
    }
    assert_eq!(firing(&server).await, [Value::Null; 0]);
}

#[test(requires("prometheus-alertmanager"))]
async fn another_failure_of_the_same_entity_is_another_alert_in_its_place() {
    let server = Service::alertmanager();
    let world = world(told(&server).build().unwrap());
    saved(&world, 42, Some(Code::Internal)).await;
    saved(&world, 42, Some(Code::Unavailable)).await;
    let alerts = firing(&server).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["labels"]["code"], "UNAVAILABLE");
}

#[test(requires("prometheus-alertmanager"))]
async fn ok_after_a_restart_resolves_the_alert_fired_before_it() {
    let server = Service::alertmanager();
    let alert_store = memory::Alerts::new();
    let before = world(told(&server).alert_store(alert_store.clone()).build().unwrap());
    saved(&before, 42, Some(Code::Internal)).await;
    drop(before);
    assert_eq!(firing(&server).await.len(), 1);

    let after = world(told(&server).alert_store(alert_store).build().unwrap());
    assert_eq!(saved(&after, 42, None).await, "resolved");
    assert_eq!(firing(&server).await, [Value::Null; 0]);
}

/// The alert store has the alert as resolved, and the process ended before it could notify Alertmanager.
#[test(requires("prometheus-alertmanager"))]
async fn alert_resolved_but_not_sent_before_a_restart_is_sent_after_it() {
    let server = Service::alertmanager();
    let alert_store = memory::Alerts::new();
    let builder = told(&server).alert_store(alert_store.clone());
    // A runtime of its own, that ends with all that it was about to tell.
    let before = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { saved(&world(builder.build().unwrap()), 42, Some(Code::Internal)).await })
    });
    assert_eq!(before.await.unwrap(), "fired");
    saved(&world(alert_store.clone()), 42, None).await;
    assert_eq!(firing(&server).await.len(), 1);

    let _after = told(&server).alert_store(alert_store).build().unwrap();
    until_firing(&server, 0).await;
}

/// What was resolved when it was asked, and its answer comes late.
#[derive(Clone, Debug)]
struct Late(memory::Alerts, Arc<Gate>);

impl Alerter for Late {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        self.0.fire(flow, severity)
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        let change = self.0.resolve(flow);
        self.1.open_for(1);
        change
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.0.close(incident)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.0.open(filter, after, limit)
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        let (resolved, gate) = (self.0.resolved(limit), Arc::clone(&self.1));
        Reply::pending(async move {
            gate.pass().await;
            resolved.await
        })
    }
}

/// A starting process reads the open alerts and then the resolved ones; a flow resolves an alert between the two.
#[test(requires("prometheus-alertmanager"))]
async fn alert_resolved_while_a_process_starts_is_sent() {
    let server = Service::alertmanager();
    let alert_store = memory::Alerts::new();
    let before = world(told(&server).alert_store(alert_store.clone()).build().unwrap());
    assert_eq!(saved(&before, 42, Some(Code::Internal)).await, "fired");

    let alert_store = Late(alert_store, Arc::new(Gate::closed()));
    let after = world(told(&server).alert_store(alert_store.clone()).build().unwrap());
    alert_store.1.reached().await;
    assert_eq!(saved(&after, 42, None).await, "resolved");
    assert_eq!(firing(&server).await, [Value::Null; 0]);
}

#[test(requires("prometheus-alertmanager"))]
async fn restarted_alertmanager_is_sent_open_alerts_again() {
    let server = Service::alertmanager();
    let alerts = told(&server).repeat_every(Duration::from_millis(50)).build().unwrap();
    let world = world(alerts);
    saved(&world, 42, Some(Code::Internal)).await;
    let port = server.port();
    drop(server);
    let server = Service::alertmanager_at(port);
    until_firing(&server, 1).await;
}

#[test(requires("prometheus-alertmanager"))]
async fn alert_that_cannot_be_sent_fails_the_step_and_is_sent_when_alertmanager_is_back() {
    let port = free_port();
    let alerts = Alertmanager::builder(format!("http://ada:secret@127.0.0.1:{port}"))
        .timeout(Duration::from_secs(30))
        .repeat_every(Duration::from_millis(50))
        .build()
        .unwrap();
    let world = world(alerts);
    let result = saved(&world, 42, Some(Code::Internal)).await;
    assert!(
        result.starts_with("FAILED") && result.contains("refused") && !result.contains("secret"),
        "{result}"
    );
    let server = Service::alertmanager_at(port);
    until_firing(&server, 1).await;
    saved(&world, 42, None).await;
    until_firing(&server, 0).await;
}

#[test(requires("prometheus-alertmanager"))]
async fn alert_of_a_quiet_entity_is_resolved_after_its_quiet_time() {
    let server = Service::alertmanager();
    let alerts = told(&server)
        .repeat_every(Duration::from_millis(50))
        .quiet_after(Duration::from_secs(1))
        .build()
        .unwrap();
    let world = world(alerts);
    saved(&world, 42, Some(Code::Internal)).await;
    assert_eq!(firing(&server).await.len(), 1);
    until_firing(&server, 0).await;
}

#[test]
async fn no_secret_is_shown_and_the_path_is_kept() {
    let mut inbox = Inbox::open().await;
    let url = inbox.url("ada:secret@", "/prefix/");
    let alerts = Alertmanager::builder(url).timeout(Duration::from_secs(30)).build().unwrap();
    assert!(!format!("{alerts:?}").contains("secret"), "{alerts:?}");
    saved(&world(alerts), 42, Some(Code::Internal)).await;
    let request = inbox.next().await;
    assert!(request.head.starts_with("POST /prefix/api/v2/alerts "), "{}", request.head);
    assert_eq!(request.header("authorization"), "Basic YWRhOnNlY3JldA==");
}

/// The names of services and patterns, and messages, may contain any character.
#[test(requires("prometheus-alertmanager"))]
fn any_text_is_read_back_as_it_was() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Service::alertmanager();
    let config = ProptestConfig {
        cases: graceful_tests::soak::cases(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let text = || any::<String>().prop_filter("a name", |text| !text.is_empty());
    // Other names of a service, an environment or a pattern are refused.
    let name = || {
        text().prop_filter("a name that is accepted", |name| {
            Orchestrator::builder().service(name).build().is_ok()
        })
    };
    let texts = (name(), name(), name(), text());
    let run = |(service, environment, pattern, message): (String, String, String, String)| {
        runtime.block_on(async {
            let alerts = told(&server).build().unwrap();
            let orchestrator = Orchestrator::builder()
                .service(service.clone())
                .environment(environment.clone())
                .alerts(alerts.clone())
                .build()
                .unwrap();
            let config = OrchestrationConfig::new(pattern.clone())
                .id(1)
                .alert(AlertOn::All, Severity::Critical)
                .on(&orchestrator);
            let failed = graceful::Failure::wrap(Code::DataLoss, &message, &()).orchestrate(&config).await;
            prop_assert_eq!(failed.step(graceful::Step::Alert).to_string(), "fired");
            let found = firing(&server).await;
            prop_assert_eq!(found.len(), 1);
            for (label, value) in
                [("service", &service), ("environment", &environment), ("pattern", &pattern)]
            {
                prop_assert_eq!(found[0]["labels"][label].as_str(), Some(value.as_str()));
            }
            prop_assert_eq!(found[0]["annotations"]["description"].as_str(), Some(message.as_str()));
            alerts.resolve(failed.flow()).await.unwrap();
            Ok(())
        })
    };
    TestRunner::new(config).run(&texts, run).unwrap_or_else(|error| panic!("{error}"));
}
