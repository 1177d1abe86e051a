//! The conventions of OpenTelemetry for errors and for messages.

use graceful::{
    Event,
    backends::{Destination, EventEmitter, Reply},
    orchestrate,
};
use graceful_tests::{Fault, Faulty, UserError, World, ada};

use super::{Telemetry, field, named, update};

/// Events on a server, as far as spans show it.
#[derive(Debug)]
struct Broker;

impl EventEmitter for Broker {
    fn emit(&self, _: Event) -> Reply<()> {
        Reply::ready(())
    }

    fn destination(&self) -> Option<Destination> {
        Some(Destination::new("kafka", "users"))
    }
}

const MESSAGING: [&str; 5] = [
    "messaging.system",
    "messaging.destination.name",
    "messaging.operation.type",
    "messaging.operation.name",
    "messaging.message.id",
];

#[tokio::test]
async fn event_sent_to_a_server_is_the_span_of_a_producer() {
    for error in [None, Some(UserError::Broken)] {
        let (telemetry, world) = (Telemetry::listen(), World::with(|builder| builder.events(Broker)));
        let _ = world.run(update(ada(), error)).await;
        let spans = telemetry.spans();
        let event = named(&spans, "event");
        assert_eq!(event.span_kind, opentelemetry::trace::SpanKind::Producer);
        let flow = world.reports.only().flow().id().to_string();
        let expected = ["kafka", "users", "send", "publish", &flow];
        for (name, expected) in MESSAGING.into_iter().zip(expected) {
            assert_eq!(field(&event, name).as_deref(), Some(expected), "{name}");
        }
        for span in spans.iter().filter(|span| span.name != "event") {
            assert_eq!(span.span_kind, opentelemetry::trace::SpanKind::Internal, "{}", span.name);
            assert!(MESSAGING.iter().all(|name| field(span, name).is_none()), "{}", span.name);
        }
    }
}

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", id = 42, event(name = "user_seen", with = hook))]
async fn hooked() -> Result<u64, graceful::Code> {
    Ok(42)
}

#[tokio::test]
async fn event_that_is_not_sent_to_a_server_has_no_attributes_of_a_message() {
    let telemetry = Telemetry::listen();
    World::new().run(update(ada(), None)).await.unwrap();
    World::with(|builder| builder.events(Broker)).run(hooked()).await.unwrap();
    let spans = telemetry.spans();
    let events: Vec<_> =
        spans.iter().filter(|span| field(span, "step").as_deref() == Some("event")).collect();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(event.span_kind, opentelemetry::trace::SpanKind::Internal);
        assert!(MESSAGING.iter().all(|name| field(event, name).is_none()));
    }
}

#[tokio::test(start_paused = true)]
async fn failed_flow_and_failed_step_have_an_error_type_of_few_values() {
    for (fault, kind) in [(Fault::Fails, "failed"), (Fault::Panics, "panicked"), (Fault::Hangs, "timed_out")]
    {
        let telemetry = Telemetry::listen();
        let world = World::with(|builder| builder.audit(Faulty(fault)));
        let _ = world.run(update(ada(), Some(UserError::Broken))).await;
        let spans = telemetry.spans();
        assert_eq!(field(&named(&spans, "audit"), "error.type").as_deref(), Some(kind));
        assert_eq!(field(&named(&spans, "cache"), "error.type"), None);
        let code = world.reports.only().flow().code().as_str();
        assert_eq!(field(&named(&spans, "update"), "error.type").as_deref(), Some(code));
    }
}
