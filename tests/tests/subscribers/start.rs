//! Where a subscriber begins, and why it cannot begin.

use std::time::Duration;

use graceful::{
    Code, EventData, Orchestrator, State,
    backends::{NewSubscriber, memory},
    subscribe,
};
use graceful_tests::gate::until;

use super::{Handled, Program, awaited};

const FROM_NOW: &str = "subscribers::start::from_now";

#[subscribe(event = "user_updated", pattern = "user")]
async fn from_now(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.add("", event.result);
    Ok(())
}

#[tokio::test]
async fn new_subscriber_begins_with_the_next_event() {
    let program = Program::new();
    program.emit([("ada".to_owned(), 1)]).await;
    let handled = Handled::new();
    let subscribers = program.orchestrator.subscribers().only(FROM_NOW).provide(handled.clone());
    let emitting = async {
        program.emit([("ada".to_owned(), 2)]).await;
        handled.wait_for(1).await;
    };
    awaited(subscribers.run_until(emitting)).await.unwrap();
    assert_eq!(handled.all(), [(String::new(), 2)]);
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn beside(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.add("", event.result);
    Ok(())
}

#[tokio::test]
async fn subscriber_of_another_log_reports_that_and_the_others_run() {
    let program = Program::new();
    let subscriptions = program.orchestrator.subscriptions().unwrap();
    // It comes first, by its identity.
    let other = "subscribers::start::aside";
    subscriptions.register(NewSubscriber::new(other, 500)).await.unwrap();
    program.emit([("ada".to_owned(), 1)]).await;
    let handled = Handled::new();
    let subscribers = program.orchestrator.subscribers().only(other).only("subscribers::start::beside");
    let reported = async {
        handled.wait_for(1).await;
        let fault = format!(
            "subscriber `{other}`: it cannot be registered: it has read another event log up to position 500, and this one ends with 1: \
             unregister it, and it begins anew"
        );
        until(async || program.orchestrator.health().await.reasons.iter().any(|reason| *reason == fault))
            .await;
    };
    awaited(subscribers.provide(handled.clone()).run_until(reported)).await.unwrap();
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn aside(event: EventData<u64>, State(handled): State<Handled>) -> Result<(), Code> {
    handled.add("aside", event.result);
    Ok(())
}

#[tokio::test]
async fn subscriber_that_cannot_run_is_refused_with_all_reasons() {
    let without_log = Orchestrator::builder().events(memory::Events::new()).build().unwrap();
    let error = without_log.subscribers().only(FROM_NOW).only("subscribers::nobody").run().await.unwrap_err();
    let reasons: Vec<_> = error.reasons().iter().map(|reason| reason.split(": ").next().unwrap()).collect();
    assert_eq!(reasons.len(), 4, "{error}");
    assert_eq!(
        reasons[0],
        "`subscribers::nobody` names no subscriber of this program, and no module with one"
    );
    assert_eq!(reasons[1], "no store for the state of subscribers is configured");
    assert_eq!(
        reasons[2],
        "the orchestrator has no event log, and emits to no broker from which subscribers can read"
    );
    assert!(
        reasons[3].starts_with("`subscribers::start::from_now` (tests/tests/subscribers/start.rs:"),
        "{error}"
    );
    assert!(
        reasons[3].ends_with("has a parameter `State<subscribers::Handled>`, but no such value was provided"),
        "{error}"
    );
    let health = without_log.health().await;
    let fault = "subscriber `subscribers::start::from_now`: it could not be started: the log has the reason";
    assert!(health.reasons.iter().any(|reason| reason == fault), "{health:?}");
}

#[tokio::test]
async fn subscribers_end_with_the_shutdown_of_their_orchestrator() {
    let program = Program::new();
    let subscribers = program.orchestrator.subscribers().only(FROM_NOW).provide(Handled::new());
    let running = tokio::spawn(subscribers.run());
    program.orchestrator.shutdown(Duration::from_secs(5)).await;
    awaited(running).await.unwrap().unwrap();
}
