//! Constructors are `Send`, so they can be spawned or called in the `Send` future of a trait.

use std::future::Future;

use graceful::{Orchestrator, backends::memory};
use graceful_rdf::oxigraph;
use graceful_tests::BACKENDS;

const fn is_send<F: Future + Send + 'static>(_: &F) {}

#[test]
fn futures_of_all_async_constructors_are_send_and_static() {
    is_send(&Orchestrator::from_env(BACKENDS));
    is_send(&Orchestrator::builder().env(BACKENDS));
    is_send(&Orchestrator::builder().settings(BACKENDS, [("GRACEFUL_SERVICE", "users")]));
    is_send(&Orchestrator::builder().settings(BACKENDS, vec![(String::new(), String::new())]));
    is_send(&graceful_sqlite::embedded("directory"));
    is_send(&graceful_sqlite::embedded(std::path::PathBuf::new()));
    is_send(&graceful_sqlite::Store::open("file"));
    is_send(&graceful_postgres::Store::connect("url"));
    is_send(&graceful_postgres::Store::migrate("url"));
    is_send(&graceful_redis::Cache::connect("url"));
    is_send(&graceful_nats::Events::connect("url"));
    is_send(&async {
        graceful_nats::Subscriber::connect("url", "name", &graceful_nats::Filter::new()).await
    });
    is_send(&graceful_rabbitmq::Events::connect("url"));
    is_send(&async {
        graceful_rabbitmq::Subscriber::connect("url", "name", &graceful_rabbitmq::Filter::new()).await
    });
    is_send(&async { oxigraph::Graph::open(graceful_sqlite::Store::open("file").await.unwrap()).await });
}

#[tokio::test]
async fn from_env_can_be_spawned() {
    let spawned = tokio::spawn(async { Orchestrator::from_env(BACKENDS).await.map(|_| ()) });
    assert_eq!(spawned.await.unwrap(), Ok(()));
    let settings = [("GRACEFUL_SERVICE", "users")];
    let spawned = tokio::spawn(async move {
        let builder = Orchestrator::builder().settings(BACKENDS, settings).await?;
        builder.cache(memory::Cache::new()).build().map(|_| ()).map_err(graceful::error::ConfigError::from)
    });
    assert_eq!(spawned.await.unwrap(), Ok(()));
}
