//! The process that subscribes: with `tx`, without it, and with an event that kills it.

use std::{path::Path, time::Duration};

use graceful::{Code, EventData, Orchestrator, RelaySettings, State, orchestrate, subscribe};
use graceful_postgres::Store;
use sqlx::{PgPool, Postgres, Transaction, postgres::PgPoolOptions};

/// A subscriber, with its pattern and event.
pub const SUBSCRIBERS: [(&str, &str, &str); 3] = [
    ("servers::subscribes::service::with_tx", "order", "ordered"),
    ("servers::subscribes::service::without_tx", "order", "ordered"),
    (KILLED, "killer", "killed"),
];

/// Two processes share the server's connections with other tests.
const CONCURRENCY: u32 = 8;

pub const KILLED: &str = "servers::subscribes::service::killed";

pub async fn subscribe(directory: &Path) {
    let url = std::fs::read_to_string(directory.join("url")).unwrap();
    let store = Store::connect(&format!("{url}&max_connections=4&max_subscriber_connections={CONCURRENCY}"))
        .await
        .unwrap();
    let broker = std::fs::read_to_string(directory.join("broker")).unwrap();
    let builder = Orchestrator::builder().service("shop").flows(store.clone()).events(store);
    let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
    let pool = PgPoolOptions::new().max_connections(CONCURRENCY).connect(&url).await.unwrap();
    let subscribers = orchestrator
        .subscribers()
        .only("servers::subscribes")
        .concurrency(CONCURRENCY as usize)
        .lease(Duration::from_secs(1))
        .provide(pool);
    let subscribers = match broker.split_once(':') {
        Some(("nats", _)) => subscribers.source(graceful_nats::Source::connect(&broker).await.unwrap()),
        Some(("amqp", _)) => subscribers.source(graceful_rabbitmq::Source::connect(&broker).await.unwrap()),
        _ => subscribers,
    };
    subscribers.run().await.unwrap();
}

#[orchestrate(pattern = "order", id = id, event = "ordered")]
pub async fn order(id: String, number: i64) -> Result<i64, Code> {
    Ok(number)
}

#[orchestrate(pattern = "killer", id = id, event = "killed")]
pub async fn kill(id: String) -> Result<(), Code> {
    drop(id);
    Ok(())
}

#[subscribe(event = "ordered", pattern = "order", from = "start", tx = tx)]
async fn with_tx(event: EventData<i64>, tx: &mut Transaction<'_, Postgres>) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO effects (entity, number) VALUES ($1, $2)")
        .bind(event.entity_id.as_deref())
        .bind(event.result)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[subscribe(event = "ordered", pattern = "order", from = "start")]
async fn without_tx(event: EventData<i64>, State(pool): State<PgPool>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO seen (entity, number) VALUES ($1, $2)")
        .bind(event.entity_id.as_deref())
        .bind(event.result)
        .execute(&pool)
        .await
        .map(drop)
}

/// Each attempt ends the process, until the event is parked.
#[subscribe(event = "killed", pattern = "killer", from = "start", attempts = 3)]
async fn killed(event: EventData<()>) -> Result<(), Code> {
    drop(event);
    std::process::abort()
}
