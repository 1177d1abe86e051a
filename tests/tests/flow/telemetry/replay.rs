//! The spans of a flow that a relay runs, perhaps in another process. The store is in memory: a thread of SQLite would drop spans where
//! the subscriber is not known.
#![allow(missing_docs, reason = "tests")]

use graceful::{Code, Context, Orchestrator, RelaySettings, backends::memory, orchestrate};
use graceful_tests::{
    Reports,
    telemetry::{Telemetry, parent},
};
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use tracing::Instrument as _;

#[orchestrate(pattern = "user", id = 42, event = "renamed", delivery = "durable")]
async fn rename(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

const REMOTE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A call in this context, to an orchestrator that stores only; then a relay of another one.
async fn replayed(telemetry: &Telemetry, call: impl AsyncFnOnce(&Orchestrator)) -> Vec<SpanData> {
    let flows = memory::Flows::new();
    let builder = || Orchestrator::builder().service("users").flows(flows.clone()).in_memory();
    call(&builder().relay(RelaySettings::off()).build().unwrap()).await;
    let called = telemetry.spans().len();

    let reports = Reports::default();
    let relay = reports.of(builder()).build().unwrap();
    reports.until(1).await;
    assert_eq!(relay.shutdown(std::time::Duration::MAX).await, 0);
    telemetry.spans().split_off(called)
}

#[track_caller]
fn only<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} among {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

/// That it is the only link, of a span without a parent.
#[track_caller]
fn linked(span: &SpanData, to: &str, state: &str) {
    assert_eq!(span.parent_span_id, SpanId::INVALID);
    assert_eq!(span.links.len(), 1, "{:?}", span.links);
    let call = &span.links[0].span_context;
    let told = format!("00-{}-{}-{:02x}", call.trace_id(), call.span_id(), call.trace_flags().to_u8());
    assert_eq!((told.as_str(), call.trace_state().header().as_str(), call.is_remote()), (to, state, true));
}

#[tokio::test]
async fn replayed_flow_is_linked_to_the_span_of_its_handler() {
    for error in [None, Some(Code::Unavailable)] {
        let telemetry = Telemetry::listen();
        let replayed = replayed(&telemetry, async |orchestrator| {
            let call = orchestrator.scope(rename(error)).instrument(tracing::info_span!("request"));
            assert_eq!(call.await.err(), error);
        });
        let replayed = replayed.await;
        let (all, flow) = (telemetry.spans(), only(&replayed, "rename"));
        let request = only(&all, "request");
        linked(flow, &parent(request), "");
        assert_ne!(flow.span_context.trace_id(), request.span_context.trace_id(), "a trace of its own");
        let event = only(&replayed, "event");
        assert_eq!(event.parent_span_id, flow.span_context.span_id());
        assert!(event.links.is_empty());
    }
}

/// When no span is active, the flow is linked to the trace that the headers name.
#[tokio::test]
async fn replayed_flow_without_a_span_is_linked_to_the_trace_of_the_headers() {
    let telemetry = Telemetry::listen();
    let context = Context::new().trace(REMOTE.parse().unwrap());
    let context = context.trace_state("rojo=1,congo=2".parse().unwrap());
    let replayed = replayed(&telemetry, async |orchestrator| {
        context.scope(orchestrator.scope(rename(None))).await.unwrap();
    });
    linked(only(&replayed.await, "rename"), REMOTE, "rojo=1,congo=2");
}

#[tokio::test]
async fn replayed_flow_without_a_trace_has_no_link() {
    let telemetry = Telemetry::listen();
    let replayed = replayed(&telemetry, async |orchestrator| {
        orchestrator.scope(rename(None)).await.unwrap();
    });
    assert!(only(&replayed.await, "rename").links.is_empty());
}
