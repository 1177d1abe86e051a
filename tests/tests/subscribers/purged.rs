//! Events that were purged before a subscriber has read them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use graceful::{
    Code, EventData, HealthStatus, State,
    backends::{EventLog as _, NewSubscriber, memory},
    subscribe,
};
use graceful_tests::gate::until;

use super::{Handled, Program, awaited};

const COLLECT: &str = "subscribers::purged::collect";

/// Whether handlers wait.
#[derive(Clone, Default)]
struct Slow(Arc<AtomicBool>);

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn collect(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(slow): State<Slow>,
) -> Result<(), Code> {
    until(|| async { !slow.0.load(Ordering::SeqCst) }).await;
    handled.add("", event.result);
    Ok(())
}

fn numbered(numbers: std::ops::Range<u64>) -> impl Iterator<Item = (String, u64)> {
    numbers.map(|number| ("ada".to_owned(), number))
}

async fn until_behind(program: &Program, missing: &str) {
    until(|| async {
        let health = program.orchestrator.health().await;
        health.status == HealthStatus::Degraded && health.reasons[0].contains(missing)
    })
    .await;
}

#[tokio::test]
async fn subscriber_stops_until_an_operator_lets_it_skip_what_was_purged() {
    let program = Program::with(memory::EventLog::with_limits(10, 1 << 20), |builder| builder);
    let subscriptions = program.orchestrator.subscriptions().unwrap();
    subscriptions.register(NewSubscriber::new(COLLECT, 0)).await.unwrap();
    program.emit(numbered(1..31)).await;
    let handled = Handled::new();
    let subscribers =
        program.orchestrator.subscribers().only(COLLECT).lease(std::time::Duration::from_secs(1));
    let subscribers = subscribers.provide(handled.clone()).provide(Slow::default());
    let skipping = async {
        until_behind(&program, "events up to position 20 were purged, and it has read up to 0").await;
        assert_eq!(handled.all(), []);
        let purged_to = program.log.span().await.unwrap().purged_to;
        subscriptions.skip(COLLECT.into(), purged_to).await.unwrap();
        handled.wait_for(10).await;
    };
    awaited(subscribers.run_until(skipping)).await.unwrap();
    assert_eq!(handled.by_entity()[""], (21..31).collect::<Vec<_>>());
}

#[tokio::test]
async fn subscriber_that_is_overtaken_while_it_reads_stops_too() {
    let program = Program::with(memory::EventLog::with_limits(600, 1 << 20), |builder| builder);
    let (handled, slow) = (Handled::new(), Slow::default());
    slow.0.store(true, Ordering::SeqCst);
    let subscribers = program.orchestrator.subscribers().only(COLLECT);
    let subscribers = subscribers.provide(handled.clone()).provide(slow.clone());
    // Events of many entities fill its memory, so it reads no further.
    let events = |numbers: std::ops::Range<u64>| numbers.map(|number| (number.to_string(), number));
    program.emit(events(0..600)).await;
    let overtaking = async {
        let subscriptions = program.orchestrator.subscriptions().unwrap();
        until(|| async {
            subscriptions.subscribers().await.unwrap().iter().any(|state| state.processes > 0)
        })
        .await;
        program.emit(events(600..3000)).await;
        slow.0.store(false, Ordering::SeqCst);
        until_behind(&program, "were purged, and it has read up to").await;
    };
    awaited(subscribers.run_until(overtaking)).await.unwrap();
    let newest_handled = handled.all().iter().map(|(_, number)| *number).max();
    assert!(newest_handled < Some(2400), "it has read nothing behind the gap: {newest_handled:?}");
}

#[tokio::test]
async fn new_subscriber_begins_with_the_oldest_event_that_is_left() {
    let program = Program::with(memory::EventLog::with_limits(10, 1 << 20), |builder| builder);
    program.emit(numbered(1..31)).await;
    let handled = Handled::new();
    let subscribers = program.orchestrator.subscribers().only(COLLECT);
    let subscribers = subscribers.provide(handled.clone()).provide(Slow::default());
    awaited(subscribers.run_until(handled.wait_for(10))).await.unwrap();
    assert_eq!(handled.by_entity()[""], (21..31).collect::<Vec<_>>());
}
