//! Attempts of a subscriber whose end cannot be recorded, because the connections are cut right before.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use graceful::{
    Code, EventData, Orchestrator, RelaySettings, State, backends::Subscriptions as _, orchestrate, subscribe,
};
use graceful_postgres::Store;
use graceful_tests::{
    Link, Proxy,
    gate::{awaited, until},
};
use tokio::sync::Notify;

use super::{Postgres, url};

#[orchestrate(pattern = "user", id = id, event = "user_updated")]
async fn update_user(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// Each attempt cuts the connections to the store before it ends.
#[derive(Clone)]
struct Cutting(Arc<(Proxy, Notify, AtomicU32)>);

impl Cutting {
    async fn cut(&self) {
        let (proxy, cut, attempts) = &*self.0;
        attempts.fetch_add(1, Ordering::SeqCst);
        proxy.set(Link::Reset).await;
        cut.notify_one();
    }

    /// Mends the connections after each attempt, when the store was asked again for a while.
    async fn mend(&self) -> ! {
        let (proxy, cut, _) = &*self.0;
        loop {
            cut.notified().await;
            let before = proxy.connections();
            until(async || proxy.connections() >= before + 5).await;
            proxy.set(Link::Up).await;
        }
    }
}

const FAILS: &str = "postgres::unrecorded::fails";
const SUCCEEDS: &str = "postgres::unrecorded::succeeds";

#[subscribe(event = "user_updated", pattern = "user", from = "start", attempts = 2)]
async fn fails(_event: EventData<u64>, State(cutting): State<Cutting>) -> Result<(), Code> {
    cutting.cut().await;
    Err(Code::Unavailable)
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn succeeds(_event: EventData<u64>, State(cutting): State<Cutting>) -> Result<(), Code> {
    cutting.cut().await;
    Ok(())
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn attempt_whose_end_cannot_be_recorded_is_recorded_later_and_not_repeated() {
    for (subscriber, expected) in [(FAILS, (2, 1)), (SUCCEEDS, (1, 0))] {
        let postgres = Postgres::new();
        let schema = postgres.migrated().await;
        let proxy = Proxy::to(postgres.address).await;
        let direct = Store::connect(&postgres.url(&schema)).await.unwrap();
        let store = Store::connect(&url(proxy.address(), &schema)).await.unwrap();
        let builder = Orchestrator::builder().service("users").flows(store.clone()).events(store);
        let orchestrator = builder.relay(RelaySettings::off()).build().unwrap();
        orchestrator.scope(update_user(7)).await.unwrap();
        let cutting = Cutting(Arc::new((proxy, Notify::new(), AtomicU32::new(0))));
        let ended = async || {
            let states = direct.subscribers().await.unwrap();
            states.iter().any(|state| state.handled_to == 1)
        };
        let subscribers = orchestrator.subscribers().only(subscriber).provide(cutting.clone());
        let running = subscribers.run_until(until(ended));
        tokio::select! {
            ran = awaited(running) => ran.unwrap(),
            _ = cutting.mend() => {}
        }
        let attempts = cutting.0.2.load(Ordering::SeqCst);
        let parked = direct.parked(subscriber.into(), 0, 10).await.unwrap();
        assert_eq!((attempts, parked.len()), expected, "{subscriber}");
        assert!(parked.iter().all(|event| event.attempts == 2), "{parked:?}");
        drop((orchestrator, direct));
        postgres.clean().await;
    }
}
