//! A flow in an event handler has the tenant, the correlation id and the trace of the event.

use std::sync::Arc;

use graceful::{
    Code, Context,
    backends::{ReceivedEvent, memory},
    orchestrate,
};
use graceful_rabbitmq::{Filter, Subscriber};
use graceful_testing::Recorder;
use graceful_tests::gate::awaited;

use super::{Rabbit, read::Emitter};

#[orchestrate(pattern = "user", event = "said")]
async fn say(error: Option<Code>) -> Result<(), Code> {
    error.map_or(Ok(()), Err)
}

/// A reader of `said` that does something of its own.
#[orchestrate(pattern = "letter", event = "letter_sent")]
async fn send(event: &ReceivedEvent) -> Result<(), Code> {
    if event.name.ends_with(".failed") { Err(Code::Unavailable) } else { Ok(()) }
}

/// A flow that follows an event has the event's tenant, correlation id and trace: for events of both arms and for flows
/// of both arms.
#[test(requires(RabbitMq))]
async fn flow_in_an_event_handler_has_the_context_of_the_event() {
    let rabbit = Rabbit::connect().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let state = "congo=t61rcWkgMzE".parse().unwrap();
    let follows = Context::new().tenant("a/c*").correlation_id("order-9");
    let follows = follows.trace(trace).trace_state(state);
    let caller = follows.clone().user("ada").request_id("r-1");

    let emitter = Emitter::new(&rabbit).await.0;
    for error in [None, Some(Code::Internal)] {
        let _ = caller.clone().scope(emitter.scope(say(error))).await;
    }

    let filter = Filter::new().service("users").pattern("user").tenant("a/c*");
    let subscriber = Subscriber::connect(&rabbit.url(), "reader", &filter).await.unwrap();
    let recorder = Recorder::new();
    let orchestrator = recorder.orchestrator().clone();
    let inbox = memory::Inbox::new();
    let reading = tokio::spawn(async move {
        let handler = async |event: Arc<ReceivedEvent>, transaction| {
            let _ = orchestrator.scope(send(&event)).await;
            Ok(transaction)
        };
        subscriber.run(&inbox, handler).await.unwrap();
    });
    let flows = awaited(recorder.ended(2)).await;
    for (recorded, code) in flows.iter().zip([Code::Ok, Code::Unavailable]) {
        assert_eq!((recorded.flow().code(), recorded.flow().context()), (code, Some(&follows)));
    }
    reading.abort();
    rabbit.clean().await;
}
