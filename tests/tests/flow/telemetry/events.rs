//! An event carries the trace of the span around its handler, whatever trace the headers named.

use graceful::{Code, Context, OrchestrationConfig, Success, trace::TraceParent};
use graceful_tests::{UserError, World, ada};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use tracing::Instrument as _;

use super::{Telemetry, parent, seen, update};

fn traceparents(world: &World) -> Vec<Option<String>> {
    let told = |event| serde_json::to_value(event).unwrap()["traceparent"].as_str().map(ToOwned::to_owned);
    world.events().iter().map(told).collect()
}

const REMOTE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn event_is_in_the_trace_of_the_span_around_the_handler() {
    for context in [Context::new(), Context::new().trace(REMOTE.parse().unwrap()).request_id("r-1")] {
        let (telemetry, world) = (Telemetry::listen(), World::new());
        for error in [None, Some(UserError::Broken)] {
            let ok = error.is_none();
            let call = world.run(update(ada(), error)).instrument(tracing::info_span!("request"));
            assert_eq!(context.clone().scope(call).await.is_ok(), ok);
        }
        let spans = telemetry.spans();
        let requests: Vec<_> = spans.iter().filter(|span| span.name == "request").map(parent).collect();
        assert_eq!(requests.len(), 2);
        assert_eq!(traceparents(&world), requests.into_iter().map(Some).collect::<Vec<_>>());
        let flow = world.reports.last().flow().clone();
        assert_eq!(
            flow.context().unwrap().request_id,
            context.request_id,
            "the rest of the context is as it was"
        );
    }
}

#[test]
fn event_of_a_sync_handler_is_in_the_trace_of_its_span() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    for error in [None, Some(Code::Internal)] {
        let answer =
            tracing::info_span!("request").in_scope(|| world.orchestrator.sync_scope(|| seen(error)));
        assert_eq!(answer.err(), error);
    }
    let requests: Vec<_> =
        telemetry.spans().iter().filter(|span| span.name == "request").map(parent).map(Some).collect();
    assert_eq!(traceparents(&world), requests);
}

#[tokio::test]
async fn event_of_the_manual_path_is_in_the_trace_of_its_span() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    let config = OrchestrationConfig::new("user").id(42).event("user_seen").on(&world.orchestrator);
    let manual = async { Success::wrap(Code::Ok, "seen", &42).orchestrate(&config).await };
    manual.instrument(tracing::info_span!("request")).await;
    let request = telemetry.spans().into_iter().find(|span| span.name == "request").unwrap();
    assert_eq!(traceparents(&world), [Some(parent(&request))]);
}

/// The span's trace began in another process. The headers name a different trace.
#[test]
fn event_carries_the_trace_state_of_its_span() {
    let (parent, state) = (REMOTE.parse::<TraceParent>().unwrap(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    let headers = Context::new().trace(parent).trace_state("other=1".parse().unwrap());
    for (told, expected) in [(state.parse().unwrap(), Some(state)), (TraceState::NONE, None)] {
        let remote = SpanContext::new(
            TraceId::from(parent.trace_id()),
            SpanId::from(parent.span_id()),
            TraceFlags::SAMPLED,
            true,
            told,
        );
        let world = World::new();
        let _active = opentelemetry::Context::new().with_remote_span_context(remote).attach();
        headers.clone().sync_scope(|| world.orchestrator.sync_scope(|| seen(None))).unwrap();
        let event = serde_json::to_value(&world.events()[0]).unwrap();
        assert_eq!((event["traceparent"].as_str(), event["tracestate"].as_str()), (Some(REMOTE), expected));
    }
}

/// The span may be made by any library.
#[tokio::test]
async fn event_is_in_the_trace_of_an_opentelemetry_span() {
    let telemetry = Telemetry::listen();
    let world = World::new();
    telemetry
        .provider
        .tracer("tests")
        .in_span("own", |_| world.orchestrator.sync_scope(|| seen(None)))
        .unwrap();
    let own = telemetry.spans().into_iter().find(|span| span.name == "own").unwrap();
    assert_eq!(traceparents(&world), [Some(parent(&own))]);
}

#[tokio::test]
async fn event_without_a_span_has_the_trace_of_the_header() {
    let _telemetry = Telemetry::listen();
    let world = World::new();
    let context = Context::new().trace(REMOTE.parse().unwrap());
    context.scope(world.run(update(ada(), None))).await.unwrap();
    world.run(update(ada(), None)).await.unwrap();
    assert_eq!(traceparents(&world), [Some(REMOTE.to_owned()), None]);
}
