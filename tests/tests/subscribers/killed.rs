//! Subscribers with `tx` on SQLite in two processes that are killed at any moment: each event has one effect, in the order of its entity.

use std::{path::Path, time::Duration};

use graceful::{EventData, Orchestrator, RelaySettings, subscribe};
use graceful_sqlite::Store;
use graceful_tests::{
    gate::until,
    killed::{self, Working},
};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tempfile::TempDir;

use super::{by_turns, update_user};

const NAME: &str = "killed::effects_on_sqlite_are_committed_once_though_processes_are_killed";

const ENTITIES: u64 = 40;
const EVENTS: u64 = 25;

/// How often a process is killed.
const KILLS: usize = 10;

/// How long an effect is not committed.
const OPEN: Duration = Duration::from_millis(2);

#[subscribe(event = "user_updated", pattern = "user", from = "start", tx = tx)]
async fn project(event: EventData<u64>, tx: &mut Transaction<'_, Sqlite>) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO effects (entity, number) VALUES (?, ?)")
        .bind(event.entity_id.as_deref())
        .bind(i64::try_from(event.result)?)
        .execute(&mut **tx)
        .await?;
    tokio::time::sleep(OPEN).await;
    Ok(())
}

async fn process(directory: &Path) -> Orchestrator {
    let store = Store::open(directory.join("store.db")).await.unwrap();
    let builder = Orchestrator::builder().service("users").flows(store.clone()).events(store);
    builder.relay(RelaySettings::off()).build().unwrap()
}

async fn read(directory: &Path) {
    let orchestrator = process(directory).await;
    let subscribers = orchestrator.subscribers().only("subscribers::killed").lease(Duration::from_secs(1));
    subscribers.run().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_on_sqlite_are_committed_once_though_processes_are_killed() {
    if let Some(directory) = killed::works_in() {
        return read(&directory).await;
    }
    let directory = TempDir::new().unwrap();
    let emitting = process(directory.path()).await;
    let file = directory.path().join("store.db");
    let pool = SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("CREATE TABLE effects (id INTEGER PRIMARY KEY, entity TEXT, number INTEGER)")
        .execute(&pool)
        .await
        .unwrap();
    for (user, number) in by_turns(ENTITIES, EVENTS) {
        emitting.scope(update_user(user, number)).await.unwrap();
    }
    let mut running = [(); 2].map(|()| Working::start(NAME, directory.path()));
    for kill in 0..KILLS {
        // The moment is any moment: that is what is tested.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..800))).await;
        let next = Working::start(NAME, directory.path());
        std::mem::replace(&mut running[kill % 2], next).kill();
    }
    let count = async || -> u64 {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM effects").fetch_one(&pool).await.unwrap();
        count.cast_unsigned()
    };
    println!("{} of {} events before the last kill", count().await, ENTITIES * EVENTS);
    until(async || count().await >= ENTITIES * EVENTS).await;
    drop(running);
    let mut effects: Vec<(String, i64)> =
        sqlx::query_as("SELECT entity, number FROM effects ORDER BY id").fetch_all(&pool).await.unwrap();
    for entity in 0..ENTITIES {
        let entity = entity.to_string();
        let numbers =
            effects.extract_if(.., |effect| effect.0 == entity).map(|effect| effect.1.cast_unsigned());
        assert_eq!(numbers.collect::<Vec<_>>(), (0..EVENTS).collect::<Vec<_>>(), "{entity}");
    }
}
