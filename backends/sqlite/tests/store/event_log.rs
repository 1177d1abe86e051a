//! The event log: its batches, and who uses it.

use graceful::{
    __private010::Sample,
    Code, Event, OrchestrationConfig, Orchestrator, Step, Success,
    backends::{EventEmitter as _, EventLog, LogQuery, ReceivedEvent, memory},
};
use graceful_sqlite::{BACKEND, EVENTS};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::fresh;

fn event(id: &str) -> Event {
    Sample::new(id, Code::Ok, 1).event("user_updated")
}

async fn ids(log: &dyn EventLog) -> Vec<String> {
    let page = log.read(LogQuery::new(0, 1000)).await.unwrap();
    let decoded = page.events.iter().map(|logged| serde_json::from_slice(&logged.body).unwrap());
    decoded.map(|event: ReceivedEvent| event.id).collect()
}

#[tokio::test]
async fn event_that_cannot_be_stored_fails_alone() {
    let (_dir, store) = fresh().await;
    let mut other = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    let refusing = "CREATE TRIGGER refusing BEFORE INSERT ON graceful_events WHEN NEW.aggregateid = 'bad' \
                    BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sqlx::raw_sql(refusing).execute(&mut other).await.unwrap();
    let events: Vec<_> = ["1", "bad", "2"].map(event).into();
    // All are in the queue before the writer runs, so they are one batch.
    let emitted: Vec<_> = events.iter().map(|event| store.emit(event.clone())).collect();
    let mut results = Vec::new();
    for emitted in emitted {
        results.push(emitted.await);
    }
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert!(results[1].as_ref().unwrap_err().message().contains("refused"), "{results:?}");
    assert_eq!(ids(&store).await, [&events[0], &events[2]].map(|event| event.id().to_string()));
    store.appended(0).await.unwrap();
}

#[tokio::test]
async fn log_whose_file_was_deleted_is_degraded() {
    let (_dir, store) = fresh().await;
    assert_eq!(store.degradation(), None);
    std::fs::remove_file(store.path()).unwrap();
    let why = store.degradation().unwrap();
    assert!(
        why.starts_with("events cannot be appended to the event log: ") && why.contains("deleted"),
        "{why}"
    );
}

async fn emitted_by(orchestrator: &Orchestrator) -> String {
    let config = OrchestrationConfig::new("user").id(42).event("user_updated").on(orchestrator);
    let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    assert_eq!(report.step(Step::Event).to_string(), "emitted");
    report.flow().id().to_string()
}

#[tokio::test]
async fn embedded_store_is_the_emitter_unless_another_is_given() {
    let dir = TempDir::new().unwrap();
    let embedded = async || graceful_sqlite::embedded(dir.path()).await.unwrap().service("users");
    let other = memory::EventLog::new();
    let of_other = embedded().await.events(other.clone()).build().unwrap();
    let first = emitted_by(&of_other).await;
    drop(of_other);
    let of_store = embedded().await.build().unwrap();
    let second = emitted_by(&of_store).await;
    assert_eq!(ids(&other).await, [first]);
    assert_eq!(ids(&*of_store.event_log().unwrap()).await, [second]);
}

#[tokio::test]
async fn events_setting_chooses_the_log_of_another_store() {
    let dir = TempDir::new().unwrap();
    let [store, events] =
        ["store", "events"].map(|name| format!("sqlite://{}/{name}.db", dir.path().display()));
    let settings = [("GRACEFUL_STORE", &store), ("GRACEFUL_EVENTS", &events)];
    let builder = Orchestrator::builder().settings(&[BACKEND, EVENTS], settings).await.unwrap();
    let orchestrator = builder.build().unwrap();
    let id = emitted_by(&orchestrator).await;
    let of_store = orchestrator.flows().unwrap().event_log().unwrap();
    assert_eq!(ids(&*of_store).await, [] as [String; 0]);
    assert_eq!(ids(&*orchestrator.event_log().unwrap()).await, [id]);
}
