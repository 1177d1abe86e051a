//! Subscribers of an orchestrator that emits to RabbitMQ.

use std::time::Duration;

use graceful::{Code, EventData, Orchestrator, State, orchestrate, subscribe};
use graceful_rabbitmq::{Events, Filter};
use graceful_tests::{
    Proxy,
    renamed::{ENTITIES, Handled, handled_by_two_processes, handled_over_cuts},
};

use super::Rabbit;

const COLLECT: &str = "rabbitmq::subscribed::collect";

#[subscribe(event = "user_renamed", pattern = "user")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.send_modify(|handled| handled.push((event.entity_id.unwrap().to_string(), event.result)));
    Ok(())
}

#[orchestrate(pattern = "user", id = user, event = "user_renamed")]
async fn rename(user: u64, number: u64) -> Result<u64, Code> {
    Ok(number)
}

/// An emitter that knows the subscriber, so that events wait for it.
async fn known(rabbit: &Rabbit) -> Events {
    let filter = Filter::new().pattern("user").event("user_renamed");
    Events::connect(&rabbit.url()).await.unwrap().subscriber(COLLECT, &filter).await.unwrap()
}

async fn clean(rabbit: Rabbit) {
    for queue in [COLLECT, "rabbitmq::subscribed::collect.poison"] {
        rabbit.delete_queue(&rabbit.queue(queue)).await;
    }
    rabbit.clean().await;
}

/// Renames each user once.
async fn rename_all(orchestrator: &Orchestrator, number: u64) {
    for user in 0..ENTITIES {
        orchestrator.scope(rename(user, number)).await.unwrap();
    }
}

#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_hundred_entities_are_handled_once_and_in_order_by_two_processes() {
    let rabbit = Rabbit::connect().await;
    let orchestrator =
        Orchestrator::builder().service("users").events(known(&rabbit).await).in_memory().build().unwrap();
    let rename_all = async |number| rename_all(&orchestrator, number).await;
    let place = handled_by_two_processes(&orchestrator, COLLECT, rename_all).await;
    assert_eq!(place, format!("the exchange `{}` of RabbitMQ at {}", rabbit.exchange, rabbit.address));
    clean(rabbit).await;
}

#[test(requires(RabbitMq), flavor = "multi_thread", worker_threads = 2)]
async fn subscriber_goes_on_after_its_connection_is_cut() {
    let rabbit = Rabbit::connect().await;
    let proxy = Proxy::to(rabbit.address).await;
    let events =
        Events::connect(&rabbit.url_at(proxy.address())).await.unwrap().timeout(Duration::from_secs(30));
    let orchestrator = Orchestrator::builder().service("users").events(events).in_memory().build().unwrap();
    let emitter =
        Orchestrator::builder().service("users").events(known(&rabbit).await).in_memory().build().unwrap();
    let rename_all = async |number| rename_all(&emitter, number).await;
    handled_over_cuts(orchestrator.subscribers().only(COLLECT), &proxy, rename_all).await;
    clean(rabbit).await;
}
