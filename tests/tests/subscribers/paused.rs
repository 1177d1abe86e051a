//! Pauses by operators.

use std::{sync::Arc, time::Duration};

use graceful::{
    Code, EventData, RelaySettings, State,
    backends::{PauseTarget, memory},
    operations, subscribe,
};

use graceful_tests::gate::Gate;

use super::{Handled, Program, awaited, by_turns};

const COLLECT: &str = "subscribers::paused::collect";

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn collect(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.add("", event.result);
    Ok(())
}

#[tokio::test]
async fn paused_subscriber_handles_no_event_until_it_is_resumed() {
    let program = Program::with(memory::EventLog::new(), |builder| {
        builder.flows(memory::Flows::new()).relay(RelaySettings::off())
    });
    program.emit([("ada".to_owned(), 1)]).await;
    let target = || PauseTarget::Subscriber(COLLECT.to_owned());
    let orchestrator = &program.orchestrator;
    operations::pause(orchestrator, target(), "ada", "a bug").await.unwrap();
    let handled = Handled::new();
    let subscribers = orchestrator.subscribers().only(COLLECT).provide(handled.clone());
    let resuming = async {
        let subscriptions = orchestrator.subscriptions().unwrap();
        while subscriptions.subscribers().await.unwrap().first().is_none_or(|state| state.processes == 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(handled.all(), []);
        operations::resume(orchestrator, target(), "ada").await.unwrap();
        handled.wait_for(1).await;
        operations::pause(orchestrator, target(), "ada", "another bug").await.unwrap();
        // It looks twice per second.
        tokio::time::sleep(Duration::from_millis(700)).await;
        program.emit([("ada".to_owned(), 2)]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    awaited(subscribers.run_until(resuming)).await.unwrap();
    assert_eq!(handled.all(), [(String::new(), 1)]);
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn wait(
    event: EventData<u64>,
    State(handled): State<Handled>,
    State(gate): State<Arc<Gate>>,
) -> Result<(), Code> {
    gate.pass().await;
    handled.add("", event.result);
    Ok(())
}

#[tokio::test]
async fn events_that_no_thread_has_begun_wait_for_the_end_of_a_pause() {
    let program = Program::with(memory::EventLog::new(), |builder| {
        builder.flows(memory::Flows::new()).relay(RelaySettings::off())
    });
    program.emit(by_turns(50, 1)).await;
    let (handled, gate) = (Handled::new(), Arc::new(Gate::closed()));
    let subscribers = program.orchestrator.subscribers().only("subscribers::paused::wait").concurrency(1);
    let target = || PauseTarget::Subscriber("subscribers::paused::wait".to_owned());
    let pausing = async {
        gate.reached().await;
        operations::pause(&program.orchestrator, target(), "ada", "a bug").await.unwrap();
        // It looks twice per second.
        tokio::time::sleep(Duration::from_millis(700)).await;
        gate.open_for(50);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(handled.all().len(), 1, "only the handler that was running has ended");
        operations::resume(&program.orchestrator, target(), "ada").await.unwrap();
        handled.wait_for(50).await;
    };
    let subscribers = subscribers.provide(handled.clone()).provide(Arc::clone(&gate));
    awaited(subscribers.run_until(pausing)).await.unwrap();
}
