//! The order of the events of an entity, and the concurrency of different ones.

use std::time::Duration;

use graceful::{Code, EventData, State, subscribe};

use super::{Gauge, Handled, Program, awaited, by_turns};

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.add(event.entity_id.as_deref().unwrap_or_default(), event.result);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn slow(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(gauge): State<Gauge>,
) -> Result<(), Code> {
    gauge.begin();
    tokio::time::sleep(Duration::from_millis(20)).await;
    gauge.end();
    handled.add(event.entity_id.as_deref().unwrap_or_default(), event.result);
    Ok(())
}

#[tokio::test]
async fn events_of_an_entity_are_handled_once_and_in_their_order() {
    let program = Program::new();
    program.emit(by_turns(50, 40)).await;
    let handled = Handled::new();
    let subscribers =
        program.orchestrator.subscribers().only("subscribers::order::collect").provide(handled.clone());
    awaited(subscribers.run_until(handled.wait_for(50 * 40))).await.unwrap();
    let by_entity = handled.by_entity();
    assert_eq!(by_entity.len(), 50);
    for (entity, numbers) in by_entity {
        assert_eq!(numbers, (0..40).collect::<Vec<_>>(), "{entity}");
    }
}

#[tokio::test]
async fn later_run_goes_on_where_the_former_has_ended() {
    let program = Program::new();
    for round in 0..3 {
        program.emit((0..20).map(|entity| (entity.to_string(), round))).await;
        let handled = Handled::new();
        let subscribers = program.orchestrator.subscribers().only("subscribers::order::collect");
        awaited(subscribers.provide(handled.clone()).run_until(handled.wait_for(20))).await.unwrap();
        assert!(handled.all().iter().all(|(_, number)| *number == round), "{:?}", handled.all());
    }
}

#[tokio::test]
async fn different_entities_are_handled_at_once_up_to_the_concurrency() {
    let program = Program::new();
    program.emit(by_turns(40, 3)).await;
    let (handled, gauge) = (Handled::new(), Gauge::default());
    let subscribers = program.orchestrator.subscribers().only("subscribers::order::slow").concurrency(8);
    let subscribers = subscribers.provide(handled.clone()).provide(gauge.clone());
    awaited(subscribers.run_until(handled.wait_for(40 * 3))).await.unwrap();
    assert_eq!(gauge.most(), 8);
    assert!(handled.by_entity().values().all(|numbers| *numbers == [0, 1, 2]));
}

#[tokio::test]
async fn events_of_one_entity_never_run_at_once() {
    let program = Program::new();
    program.emit(by_turns(1, 30)).await;
    let (handled, gauge) = (Handled::new(), Gauge::default());
    let subscribers = program.orchestrator.subscribers().only("subscribers::order::slow");
    let subscribers = subscribers.provide(handled.clone()).provide(gauge.clone());
    awaited(subscribers.run_until(handled.wait_for(30))).await.unwrap();
    assert_eq!(gauge.most(), 1);
}

#[tokio::test]
async fn events_that_are_emitted_later_are_handled_too() {
    let program = Program::new();
    let handled = Handled::new();
    let subscribers =
        program.orchestrator.subscribers().only("subscribers::order::collect").provide(handled.clone());
    let emitting = async {
        for number in 0..5 {
            program.emit([("ada".to_owned(), number)]).await;
            handled.wait_for(usize::try_from(number).unwrap() + 1).await;
        }
    };
    awaited(subscribers.run_until(emitting)).await.unwrap();
}
