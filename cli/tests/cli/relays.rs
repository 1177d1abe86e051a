//! The relays that are alive, and the patterns that they have used.

use std::{sync::Arc, time::Duration};

use graceful::{
    Orchestrator, RelaySettings,
    backends::{FlowFilter, FlowQuery, FlowStore, Lane, QueuedFlow},
};
use graceful_tests::gate::until;
use serde_json::Value;

use crate::{
    service::{builder, json, pay, run},
    stores::{HANDLER, Postgres, Sqlite, id},
};

fn finding<'a>(doctor: &'a Value, subject: &str) -> &'a Value {
    let findings = doctor["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["subject"] == subject).unwrap()
}

async fn started(url: &str) -> (Orchestrator, Arc<dyn FlowStore>) {
    let relay = RelaySettings::default().poll(Duration::from_millis(50));
    let orchestrator = builder(url).await.unwrap().relay(relay).build().unwrap();
    let store = Arc::clone(orchestrator.flows().unwrap());
    (orchestrator, store)
}

async fn relays_are_listed(url: &str) {
    let (orchestrator, store) = started(url).await;
    let (other, _) = started(url).await;
    until(async || store.relays().await.unwrap().len() == 2).await;
    let listed = json(url, &["relays"]);
    let relays = listed["relays"].as_array().unwrap();
    assert_eq!(relays.len(), 2, "{listed}");
    assert_ne!(relays[0]["id"], relays[1]["id"]);
    for relay in relays {
        assert_eq!((&relay["service"], &relay["process"]), (&"orders".into(), &std::process::id().into()));
        assert_eq!(relay["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(relay["handlers"].as_array().unwrap().len(), 1, "{relay}");
        assert!(relay["handlers"][0].as_str().unwrap().ends_with("pay"), "{relay}");
    }
    let text = run(url, &["relays"]);
    assert!(text.stdout.starts_with("SERVICE") && text.stdout.lines().count() == 3, "{text:?}");
    let doctor = json(url, &["doctor"]);
    assert_eq!(finding(&doctor, "relays")["found"], "2 alive");

    // A handler that none of them knows.
    orchestrator.scope(pay(0, "secret".to_owned())).await.unwrap();
    let paid = store.flows(FlowQuery::new(FlowFilter::default(), 1)).await.unwrap().items.remove(0).id;
    let body = store.get(paid).await.unwrap().unwrap().body;
    let flow = QueuedFlow::new(id(1), "orders::parcel:1", HANDLER, Lane::of(HANDLER, ""), body);
    store.enqueue(flow).await.unwrap();
    let doctor = run(url, &["doctor", "--json"]);
    assert_eq!(doctor.code, 4, "{doctor:?}");
    let doctor = doctor.json();
    assert_eq!(
        finding(&doctor, "handlers of queued flows")["found"],
        format!("no relay that is alive knows {HANDLER}")
    );

    for orchestrator in [orchestrator, other] {
        assert_eq!(orchestrator.shutdown(Duration::from_secs(30)).await, 0);
    }
    assert_eq!(json(url, &["relays"])["relays"], Value::Array(Vec::new()));
    let doctor = run(url, &["doctor"]);
    assert_eq!(doctor.code, 4, "{doctor:?}");
    assert!(doctor.stdout.contains("problem: relays: flows are queued, but no relay is alive"), "{doctor:?}");

    // The step `nexus` of the flow has used its pattern.
    let patterns = json(url, &["patterns"]);
    assert_eq!((&patterns["patterns"][0]["pattern"], &patterns["next"]), (&"order".into(), &Value::Null));
    assert_eq!(json(url, &["patterns", "--after", "order"])["patterns"], Value::Array(Vec::new()));
}

#[test(flavor = "multi_thread")]
async fn relays_of_sqlite_are_listed_while_they_are_alive() {
    relays_are_listed(&Sqlite::new().url()).await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn relays_of_postgres_are_listed_while_they_are_alive() {
    let postgres = Postgres::new().await;
    postgres.store().await;
    relays_are_listed(&postgres.url()).await;
    postgres.drop().await;
}
