//! Subscribers of an orchestrator that emits to NATS.

use std::{sync::Arc, time::Duration};

use graceful::{Code, EventData, Orchestrator, State, orchestrate, subscribe};
use graceful_nats::Events;
use graceful_tests::{Link, Proxy, gate::awaited};
use tokio::sync::watch;

use super::Nats;

const COLLECT: &str = "nats::subscribed::collect";

/// What was handled: entity and number.
type Handled = Arc<watch::Sender<Vec<(String, u64)>>>;

#[subscribe(event = "user_renamed", pattern = "user", from = "start")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.send_modify(|handled| handled.push((event.entity_id.unwrap().to_string(), event.result)));
    Ok(())
}

#[orchestrate(pattern = "user", id = user, event = "user_renamed")]
async fn rename(user: u64, number: u64) -> Result<u64, Code> {
    Ok(number)
}

const ENTITIES: u64 = 100;

/// Renames each user once.
async fn rename_all(orchestrator: &Orchestrator, number: u64) {
    for user in 0..ENTITIES {
        orchestrator.scope(rename(user, number)).await.unwrap();
    }
}

async fn wait_for(handled: &Handled, rounds: u64) {
    let count = usize::try_from(rounds * ENTITIES).unwrap();
    awaited(handled.subscribe().wait_for(|handled| handled.len() >= count)).await.unwrap();
}

fn assert_each_once_and_in_order(handled: &Handled, rounds: u64) {
    let handled = handled.borrow();
    for user in (0..ENTITIES).map(|user| user.to_string()) {
        let numbers = handled.iter().filter(|(entity, _)| *entity == user).map(|(_, number)| *number);
        assert_eq!(numbers.collect::<Vec<_>>(), (0..rounds).collect::<Vec<_>>(), "user {user}");
    }
}

#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_hundred_entities_are_handled_once_and_in_order_by_two_processes() {
    let nats = Nats::connect().await;
    let orchestrator =
        Orchestrator::builder().service("users").events(nats.events().await).in_memory().build().unwrap();
    let (handled, stop) = (Handled::default(), watch::Sender::new(false));
    let run = || {
        let subscribers = orchestrator.subscribers().only(COLLECT).lease(Duration::from_secs(1));
        let mut stopped = stop.subscribe();
        subscribers
            .provide(Arc::clone(&handled))
            .run_until(async move { drop(stopped.wait_for(|stopped| *stopped).await) })
    };
    rename_all(&orchestrator, 0).await;
    let emitting = async {
        wait_for(&handled, 1).await;
        rename_all(&orchestrator, 1).await;
    };
    let joining = async {
        emitting.await;
        let emitting = async {
            for number in 2..6 {
                rename_all(&orchestrator, number).await;
            }
            wait_for(&handled, 6).await;
            let subscriptions = orchestrator.subscriptions().unwrap().subscribers().await.unwrap();
            assert_eq!(subscriptions[0].processes, 2);
            assert_eq!(
                subscriptions[0].source,
                format!("the stream `{}` of NATS at {}", nats.stream, nats.address)
            );
            stop.send_replace(true);
        };
        let (second, ()) = tokio::join!(run(), emitting);
        second.unwrap();
    };
    let (first, ()) = awaited(async { tokio::join!(run(), joining) }).await;
    first.unwrap();
    assert_each_once_and_in_order(&handled, 6);
    nats.clean().await;
}

#[test(requires(Nats), flavor = "multi_thread", worker_threads = 2)]
async fn subscriber_goes_on_after_its_connection_is_cut() {
    let nats = Nats::connect().await;
    let proxy = Proxy::to(nats.address).await;
    let events =
        Events::connect(&nats.url_at(proxy.address())).await.unwrap().timeout(Duration::from_secs(30));
    let orchestrator = Orchestrator::builder().service("users").events(events).in_memory().build().unwrap();
    let handled = Handled::default();
    let emitter =
        Orchestrator::builder().service("users").events(nats.events().await).in_memory().build().unwrap();
    let emitting = async {
        for number in 0..3 {
            rename_all(&emitter, number).await;
            proxy.set(Link::Reset).await;
            proxy.set(Link::Up).await;
        }
        wait_for(&handled, 3).await;
    };
    let subscribers = orchestrator.subscribers().only(COLLECT).provide(Arc::clone(&handled));
    awaited(subscribers.run_until(emitting)).await.unwrap();
    assert_each_once_and_in_order(&handled, 3);
    nats.clean().await;
}
