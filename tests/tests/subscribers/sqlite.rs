//! A subscriber with `tx` on SQLite: the effects and the record that the event is handled are in one transaction.

use std::time::Duration;

use graceful::{Code, EventData, Orchestrator, RelaySettings, State, subscribe};
use graceful_sqlite::Store;
use graceful_tests::gate::until;
use sqlx::{Sqlite, Transaction};
use tempfile::TempDir;

use super::{Gauge, Handled, awaited, by_turns, update_user};

const PROJECT: &str = "subscribers::sqlite::project";

/// The third event of entity 1 fails after its effect, once.
#[subscribe(event = "user_updated", pattern = "user", from = "start", tx = tx)]
async fn project(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(gauge): State<Gauge>,
    tx: &mut Transaction<'_, Sqlite>,
) -> anyhow::Result<()> {
    gauge.begin();
    let entity = event.entity_id.as_deref().unwrap_or_default();
    let written = sqlx::query("INSERT INTO effects (entity, number) VALUES (?, ?)")
        .bind(entity)
        .bind(i64::try_from(event.result)?)
        .execute(&mut **tx)
        .await;
    gauge.end();
    written?;
    handled.add(entity, event.result);
    let is_first = handled.all().iter().filter(|event| **event == ("1".to_owned(), 2)).count() == 1;
    anyhow::ensure!(entity != "1" || event.result != 2 || !is_first, "the first time");
    Ok(())
}

/// The first entity has work for a long time.
#[subscribe(event = "user_updated", pattern = "user")]
async fn busy(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    let entity = event.entity_id.as_deref().unwrap_or_default();
    if entity == "0" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    handled.add(entity, event.result);
    Ok(())
}

/// Nothing notifies a process of what another one emits, and it must ask again however often its jobs end.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_another_process_are_found_beside_a_long_backlog() {
    const BACKLOG: u64 = 400;
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.db");
    let process = async || {
        let store = Store::open(&file).await.unwrap();
        let builder = Orchestrator::builder().service("users").flows(store.clone()).events(store);
        builder.relay(RelaySettings::off()).build().unwrap()
    };
    let (reading, emitting) = (process().await, process().await);
    let handled = Handled::new();
    let found = async {
        let subscriptions = reading.subscriptions().unwrap();
        until(async || !subscriptions.subscribers().await.unwrap().is_empty()).await;
        for number in 0..BACKLOG {
            emitting.scope(update_user("0".to_owned(), number)).await.unwrap();
        }
        handled.wait_for(20).await;
        emitting.scope(update_user("1".to_owned(), 0)).await.unwrap();
        until(async || handled.by_entity().contains_key("1")).await;
    };
    let subscribers = reading.subscribers().only("subscribers::sqlite::busy").provide(handled.clone());
    awaited(subscribers.run_until(found)).await.unwrap();
    let backlog = handled.all().iter().position(|(entity, _)| entity == "1").unwrap();
    assert!(backlog < 300, "after {backlog} of the {BACKLOG} before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_with_tx_are_committed_once_and_one_at_a_time() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("store.db");
    let store = Store::open(&file).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("CREATE TABLE effects (id INTEGER PRIMARY KEY, entity TEXT, number INTEGER)")
        .execute(&pool)
        .await
        .unwrap();
    let builder = Orchestrator::builder().service("users").flows(store.clone()).events(store);
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    for (user, number) in by_turns(20, 5) {
        orchestrator.scope(update_user(user, number)).await.unwrap();
    }
    let (handled, gauge) = (Handled::new(), Gauge::default());
    let subscribers =
        orchestrator.subscribers().only(PROJECT).provide(handled.clone()).provide(gauge.clone());
    awaited(subscribers.run_until(handled.wait_for(20 * 5 + 1))).await.unwrap();
    let effects: Vec<(String, i64)> =
        sqlx::query_as("SELECT entity, number FROM effects ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(effects.len(), 20 * 5, "the effect of the attempt that failed is rolled back");
    for entity in 0..20 {
        let numbers = effects.iter().filter(|effect| effect.0 == entity.to_string()).map(|effect| effect.1);
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2, 3, 4], "{entity}");
    }
    assert_eq!(gauge.most(), 1);
}
