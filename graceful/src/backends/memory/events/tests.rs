use std::sync::Arc;

use super::{
    super::testing::{answer, flow},
    *,
};
use crate::code::Code;

fn event(id: &str) -> Event {
    let mut flow = flow(id, Code::Ok);
    Arc::get_mut(&mut flow).unwrap().declaration.to_mut().event = "user_updated".into();
    Event::of(&flow).unwrap()
}

fn emit(events: &Events, ids: &[&str]) {
    for id in ids {
        answer(events.emit(event(id))).unwrap();
    }
}

fn received(subscription: &mut Subscription) -> Result<String, TryRecvError> {
    subscription.try_recv().map(|event| event.flow().entity_id().to_string())
}

#[test]
fn every_subscriber_gets_every_event_in_order() {
    let events = Events::new();
    let mut subscriptions = [events.subscribe(), events.clone().subscribe()];
    emit(&events, &["1", "2"]);
    for subscription in &mut subscriptions {
        assert_eq!(received(subscription).unwrap(), "1");
        assert_eq!(received(subscription).unwrap(), "2");
        assert_eq!(received(subscription), Err(TryRecvError::Empty));
    }
}

#[test]
fn event_without_a_subscriber_is_dropped_without_a_failure() {
    let events = Events::new();
    emit(&events, &["1"]);
    assert_eq!(received(&mut events.subscribe()), Err(TryRecvError::Empty));
}

#[test]
fn slow_subscriber_learns_how_many_events_it_missed() {
    for capacity in [0, 1] {
        let events = Events::with_capacity(capacity);
        let mut subscription = events.subscribe();
        emit(&events, &["1", "2", "3"]);
        assert_eq!(received(&mut subscription), Err(TryRecvError::Lagged(2)));
        assert_eq!(received(&mut subscription).unwrap(), "3");
    }
}

#[tokio::test]
async fn waiting_subscriber_is_woken() {
    let events = Events::new();
    let mut subscription = events.subscribe();
    let waiting = tokio::spawn(async move { (subscription.recv().await.unwrap(), subscription) });
    tokio::task::yield_now().await;
    emit(&events, &["1"]);
    let (event, mut subscription) = waiting.await.unwrap();
    assert_eq!(event.flow().entity_id(), "1");
    drop(events);
    assert_eq!(subscription.recv().await.unwrap_err(), RecvError::Closed);
}

#[test]
fn slow_subscriber_misses_what_is_over_the_bytes() {
    let large = |id: &str| {
        let mut flow = flow(id, Code::Ok);
        let unshared = Arc::get_mut(&mut flow).unwrap();
        unshared.declaration.to_mut().event = "user_updated".into();
        unshared.values.payload = crate::flow::Payload::of(&"x".repeat(10_000)).unwrap();
        Event::of(&flow).unwrap()
    };
    let events = Events::with_limits(1_000, 100_000);
    let mut subscription = events.subscribe();
    for n in 0..100 {
        answer(events.emit(large(&n.to_string()))).unwrap();
    }
    assert!(events.0.0.waiting().bytes <= 100_000);
    let Err(TryRecvError::Lagged(missed)) = received(&mut subscription) else { panic!("it lagged") };
    assert!((90..95).contains(&missed), "{missed}");
    assert_eq!(received(&mut subscription).unwrap(), missed.to_string());
    drop(subscription);
    let waiting = events.0.0.waiting();
    assert_eq!((waiting.slots.len(), waiting.bytes), (0, 0));
}
