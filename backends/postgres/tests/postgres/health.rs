//! Whether the store answers.

use std::time::Duration;

use graceful::{HealthStatus, Orchestrator, RelaySettings, backends::FlowStore as _};
use graceful_postgres::Store;
use graceful_tests::{Link, Proxy, gate::until};
use sqlx::PgPool;

use super::{Postgres, url};

#[test(requires(Postgres))]
async fn store_whose_pool_is_used_up_answers() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .connect(&postgres.url(&schema))
        .await
        .unwrap();
    let store = Store::from_pool(PgPool::clone(&pool)).await.unwrap().timeout(Duration::from_millis(200));
    let used = pool.acquire().await.unwrap();
    store.probe().await.unwrap();
    store.probe().await.unwrap();
    assert!(
        store.get(graceful::backends::Uuid::nil()).await.is_err(),
        "a call of a handler waits for the pool"
    );
    drop(used);
    pool.close().await;
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn process_is_ready_again_when_its_server_is_back() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let proxy = Proxy::to(postgres.address).await;
    let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
    let store = store.timeout(Duration::from_millis(500));
    let builder = Orchestrator::builder().service("users").relay(RelaySettings::off()).in_memory();
    let orchestrator = builder.store(store).build().unwrap();
    let until_it_is = async |status| until(|| async { orchestrator.health().await.status == status }).await;
    assert_eq!(orchestrator.health().await.status, HealthStatus::Ready);
    for link in [Link::Refused, Link::BlackHole] {
        proxy.set(link).await;
        until_it_is(HealthStatus::Unavailable).await;
        let health = orchestrator.health().await;
        assert!(health.reasons[0].starts_with("the store does not answer: "), "{:?}", health.reasons);
        proxy.set(Link::Up).await;
        until_it_is(HealthStatus::Ready).await;
    }
    drop(orchestrator);
    postgres.clean().await;
}
