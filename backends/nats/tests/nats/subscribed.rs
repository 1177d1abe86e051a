//! Subscribers of an orchestrator that emits to NATS.

use std::time::Duration;

use graceful::{Code, EventData, Orchestrator, State, orchestrate, subscribe};
use graceful_nats::Events;
use graceful_tests::{
    Proxy,
    renamed::{ENTITIES, Handled, handled_by_two_processes, handled_over_cuts},
};

use super::Nats;

const COLLECT: &str = "nats::subscribed::collect";

#[subscribe(event = "user_renamed", pattern = "user", from = "start")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.send_modify(|handled| handled.push((event.entity_id.unwrap().to_string(), event.result)));
    Ok(())
}

#[orchestrate(pattern = "user", id = user, event = "user_renamed")]
async fn rename(user: u64, number: u64) -> Result<u64, Code> {
    Ok(number)
}

/// Renames each user once.
async fn rename_all(orchestrator: &Orchestrator, number: u64) {
    for user in 0..ENTITIES {
        orchestrator.scope(rename(user, number)).await.unwrap();
    }
}

#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_hundred_entities_are_handled_once_and_in_order_by_two_processes() {
    let nats = Nats::connect().await;
    let orchestrator =
        Orchestrator::builder().service("users").events(nats.events().await).in_memory().build().unwrap();
    let rename_all = async |number| rename_all(&orchestrator, number).await;
    let place = handled_by_two_processes(&orchestrator, COLLECT, rename_all).await;
    assert_eq!(place, format!("the stream `{}` of NATS at {}", nats.stream, nats.address));
    nats.clean().await;
}

#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn subscriber_goes_on_after_its_connection_is_cut() {
    let nats = Nats::connect().await;
    let proxy = Proxy::to(nats.address).await;
    let events =
        Events::connect(&nats.url_at(proxy.address())).await.unwrap().timeout(Duration::from_secs(30));
    let orchestrator = Orchestrator::builder().service("users").events(events).in_memory().build().unwrap();
    let emitter =
        Orchestrator::builder().service("users").events(nats.events().await).in_memory().build().unwrap();
    let rename_all = async |number| rename_all(&emitter, number).await;
    handled_over_cuts(orchestrator.subscribers().only(COLLECT), &proxy, rename_all).await;
    nats.clean().await;
}
