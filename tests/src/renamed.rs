//! Subscribers of a broker, who handle the renaming of a hundred users again and again.

use std::{sync::Arc, time::Duration};

use graceful::{Orchestrator, Subscribers};
use tokio::sync::watch;

use crate::{Link, Proxy, gate::awaited};

/// What was handled: entity and number.
pub type Handled = Arc<watch::Sender<Vec<(String, u64)>>>;

pub const ENTITIES: u64 = 100;

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

/// Two processes handle what `rename_all` emits, the second from the second round on. Returns where they read.
pub async fn handled_by_two_processes(
    orchestrator: &Orchestrator,
    subscriber: &str,
    rename_all: impl AsyncFn(u64),
) -> String {
    let (handled, stop) = (Handled::default(), watch::Sender::new(false));
    let run = || {
        let subscribers = orchestrator.subscribers().only(subscriber).lease(Duration::from_secs(1));
        let mut stopped = stop.subscribe();
        subscribers
            .provide(Arc::clone(&handled))
            .run_until(async move { drop(stopped.wait_for(|stopped| *stopped).await) })
    };
    rename_all(0).await;
    let joining = async {
        wait_for(&handled, 1).await;
        rename_all(1).await;
        let emitting = async {
            for number in 2..6 {
                rename_all(number).await;
            }
            wait_for(&handled, 6).await;
            let state = orchestrator.subscriptions().unwrap().subscribers().await.unwrap().remove(0);
            assert_eq!(state.processes, 2);
            stop.send_replace(true);
            state.source.to_string()
        };
        let (second, place) = tokio::join!(run(), emitting);
        second.unwrap();
        place
    };
    let (first, place) = awaited(async { tokio::join!(run(), joining) }).await;
    first.unwrap();
    assert_each_once_and_in_order(&handled, 6);
    place
}

/// The subscribers, which read through the proxy, go on after each cut.
pub async fn handled_over_cuts(subscribers: Subscribers, proxy: &Proxy, rename_all: impl AsyncFn(u64)) {
    let handled = Handled::default();
    let emitting = async {
        for number in 0..3 {
            rename_all(number).await;
            proxy.set(Link::Reset).await;
            proxy.set(Link::Up).await;
        }
        wait_for(&handled, 3).await;
    };
    awaited(subscribers.provide(Arc::clone(&handled)).run_until(emitting)).await.unwrap();
    assert_each_once_and_in_order(&handled, 3);
}
