//! A relay announces itself in its store while it runs.

use graceful::backends::LiveRelay;

use super::*;

#[orchestrate(pattern = "user", id = 42, delivery = "durable")]
async fn ask() -> Result<u8, Code> {
    Ok(1)
}

async fn announced(store: &impl FlowStore, count: usize) -> Vec<LiveRelay> {
    until(async || store.relays().await.unwrap().len() == count).await;
    store.relays().await.unwrap()
}

#[tokio::test]
async fn relay_is_listed_with_its_handlers_until_it_shuts_down() {
    let service = Service::new().await;
    let (first, second) = (service.with_a_relay(), service.with_a_relay());
    let _without = service.without_a_relay();
    let relays = announced(&service.store, 2).await;
    let [info, other] = [&relays[0].info, &relays[1].info];
    assert_ne!(info.id, other.id);
    assert_eq!((&*info.service, info.process), ("users", std::process::id()));
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert!(!info.host.is_empty() || !cfg!(target_os = "linux"));
    assert!(
        info.handlers.is_sorted() && info.handlers.iter().any(|handler| handler.ends_with("announced::ask"))
    );
    first.scope(ask()).await.unwrap();
    service.until(FlowState::Completed, 1).await;
    let stored = service.stored(FlowState::Completed).await;
    assert!(info.knows(&stored[0].summary.handler), "{info:?}");

    assert_eq!(first.shutdown(Duration::from_secs(60)).await, 0);
    assert_eq!(service.store.relays().await.unwrap().len(), 1, "the shutdown waits for the store");
    drop(second);
    announced(&service.store, 0).await;
}

#[tokio::test(start_paused = true)]
async fn relay_renews_its_announcement_before_it_counts_as_dead() {
    let store = memory::Flows::new();
    let _orchestrator = Orchestrator::builder().service("users").flows(store.clone()).build().unwrap();
    let since = announced(&store, 1).await[0].since;
    for _ in 0..20 {
        tokio::time::sleep(LiveRelay::RENEWED_EVERY * 7 / 10).await;
        let [relay] = &store.relays().await.unwrap()[..] else { panic!("one relay") };
        assert_eq!(relay.since, since);
    }
}

/// The relay of a store that refuses announcements runs flows all the same, and ends in time.
#[tokio::test]
async fn relay_whose_announcement_fails_runs_flows() {
    let service = Service::new().await;
    sqlx::raw_sql("DROP TABLE graceful_live_relays").execute(&mut service.data().await).await.unwrap();
    let orchestrator = service.with_a_relay();
    orchestrator.scope(ask()).await.unwrap();
    service.until(FlowState::Completed, 1).await;
    assert_eq!(orchestrator.shutdown(Duration::from_secs(60)).await, 0);
}
