//! What constructs is often spawned, or called in a trait's `Send` future.

use std::future::Future;

use graceful::{
    Orchestrator,
    backends::{memory, nats, oxigraph, postgres, redis, sqlite},
};

const fn is_send<F: Future + Send + 'static>(_: &F) {}

#[test]
fn futures_of_all_async_constructors_are_send_and_static() {
    is_send(&Orchestrator::from_env());
    is_send(&Orchestrator::builder().with_env());
    is_send(&Orchestrator::builder().with_settings([("GRACEFUL_SERVICE", "users")]));
    is_send(&Orchestrator::builder().with_settings(vec![(String::new(), String::new())]));
    is_send(&Orchestrator::embedded("directory"));
    is_send(&Orchestrator::embedded(std::path::PathBuf::new()));
    is_send(&Orchestrator::builder().embedded("directory"));
    is_send(&sqlite::Store::open("file"));
    is_send(&postgres::Store::connect("url"));
    is_send(&postgres::Store::migrate("url"));
    is_send(&redis::Cache::connect("url"));
    is_send(&nats::Events::connect("url"));
    is_send(&async { nats::Subscriber::connect("url", "name", &nats::Filter::new()).await });
    is_send(&async { oxigraph::Graph::open(sqlite::Store::open("file").await.unwrap()).await });
}

#[tokio::test]
async fn from_env_can_be_spawned() {
    let spawned = tokio::spawn(async { Orchestrator::from_env().await.map(|_| ()) });
    assert_eq!(spawned.await.unwrap(), Ok(()));
    let settings = [("GRACEFUL_SERVICE", "users")];
    let spawned = tokio::spawn(async move {
        let builder = Orchestrator::builder().with_settings(settings).await?;
        builder.cache(memory::Cache::new()).build().map(|_| ()).map_err(graceful::ConfigError::from)
    });
    assert_eq!(spawned.await.unwrap(), Ok(()));
}
