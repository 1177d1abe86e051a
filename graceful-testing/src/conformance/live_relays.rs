//! What a [`FlowStore`] must do that lists the relays that are alive.

use std::time::Duration;

use graceful::backends::{FlowStore, LiveRelay, RelayInfo};
use uuid::Uuid;

/// Checks the promises of [`FlowStore::announce`], [`FlowStore::withdraw`] and [`FlowStore::relays`]. `elapse` lets time pass for the store.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::live_relays(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn live_relays<S: FlowStore>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    announced_relay_is_listed_as_it_is(fresh().await).await;
    relay_is_alive_until_its_last_announcement_is_old(fresh().await, &elapse).await;
    forgotten_relay_begins_anew(fresh().await, &elapse).await;
}

fn relay(number: u128) -> RelayInfo {
    RelayInfo::new(Uuid::from_u128(number), "users", vec!["users::update_user".to_owned()])
}

async fn announce<S: FlowStore>(store: &S, number: u128) {
    store.announce(relay(number)).await.expect("a relay is announced");
}

async fn relays<S: FlowStore>(store: &S) -> Vec<LiveRelay> {
    store.relays().await.expect("relays are listed")
}

fn numbers(relays: &[LiveRelay]) -> Vec<u128> {
    relays.iter().map(|relay| relay.info.id.as_u128()).collect()
}

async fn announced_relay_is_listed_as_it_is<S: FlowStore>(store: S) {
    assert_eq!(relays(&store).await, []);
    let mut info = relay(7);
    info.handlers = vec!["a'\0\\".to_owned(), "é::\u{202e}\n".to_owned()];
    (info.environment, info.host) = ("\0".to_owned(), "users-1".to_owned());
    (info.process, info.version) = (u32::MAX, "0.1.0".to_owned());
    store.announce(info.clone()).await.expect("a relay is announced");
    let listed = relays(&store).await;
    assert_eq!(listed.iter().map(|relay| &relay.info).collect::<Vec<_>>(), [&info]);
    assert!(listed[0].since <= listed[0].seen_at, "{listed:?}");
    store.withdraw(Uuid::from_u128(8)).await.expect("no relay is withdrawn");
    assert_eq!(numbers(&relays(&store).await), [7]);
    store.withdraw(info.id).await.expect("a relay is withdrawn");
    assert_eq!(relays(&store).await, []);
}

async fn relay_is_alive_until_its_last_announcement_is_old<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    announce(&store, 2).await;
    elapse(&store, LiveRelay::RENEWED_EVERY).await;
    announce(&store, 1).await;
    assert_eq!(numbers(&relays(&store).await), [2, 1], "the first announced first");
    elapse(&store, LiveRelay::ALIVE_FOR * 5 / 6).await;
    assert_eq!(numbers(&relays(&store).await), [1]);
    announce(&store, 2).await;
    let [renewed, other] = &relays(&store).await[..] else { panic!("two relays") };
    assert_eq!((renewed.info.id.as_u128(), other.info.id.as_u128()), (2, 1));
    assert!(renewed.since < other.since && renewed.seen_at > other.seen_at, "{renewed:?} {other:?}");
    elapse(&store, LiveRelay::ALIVE_FOR).await;
    assert_eq!(relays(&store).await, []);
}

async fn forgotten_relay_begins_anew<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    announce(&store, 1).await;
    elapse(&store, LiveRelay::STORED_FOR * 9 / 10).await;
    announce(&store, 2).await;
    announce(&store, 1).await;
    assert_eq!(numbers(&relays(&store).await), [1, 2], "it was still stored");
    elapse(&store, LiveRelay::STORED_FOR).await;
    announce(&store, 2).await;
    announce(&store, 1).await;
    let listed = relays(&store).await;
    let first = listed.iter().find(|relay| relay.info.id.as_u128() == 1).expect("it is alive");
    let second = listed.iter().find(|relay| relay.info.id.as_u128() == 2).expect("it is alive");
    assert!(
        second.since < first.since,
        "the store has forgotten the first, and not the second when it was announced again: {listed:?}"
    );
}
