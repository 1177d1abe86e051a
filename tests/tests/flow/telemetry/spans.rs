//! A flow has one span and so has each of its steps, below the span in which the handler was called.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
};

use graceful::{Code, Failure, Flow, OrchestrationConfig, Orchestrator, Step, StepError, orchestrate};
use graceful_tests::{Fault, Faulty, Gate, UserError, World, ada, gate::awaited, hooks};
use opentelemetry::{
    Context,
    trace::{FutureExt as _, SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::SpanData;
use tracing::Instrument as _;

use super::{Telemetry, field, named, seen, update};

/// The spans that graceful made of this kind: `handler` is a field of a flow's, `step` of a step's.
fn with(spans: &[SpanData], name: &str) -> Vec<SpanData> {
    spans.iter().filter(|span| field(span, name).is_some()).cloned().collect()
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

#[tokio::test]
async fn flow_and_each_step_have_one_span() {
    for error in [None, Some(UserError::Broken)] {
        let arm = if error.is_none() { "ok" } else { "err" };
        let (telemetry, world) = (Telemetry::listen(), World::new());
        let _ = world.run(update(ada(), error)).instrument(tracing::info_span!("request")).await;
        let spans = telemetry.spans();

        let (request, flow) = (named(&spans, "request"), named(&spans, "update"));
        let ended = world.reports.only().flow().clone();
        assert_eq!(flow.parent_span_id, id(&request));
        for (name, expected) in [
            ("handler", "update"),
            ("pattern", "user"),
            ("entity", &ended.entity().to_string()),
            ("flow", &ended.id().to_string()),
            ("ending", ended.ending().as_str()),
            ("code", ended.code().as_str()),
        ] {
            assert_eq!(field(&flow, name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(field(&flow, "recovered"), None);

        let steps = with(&spans, "step");
        let mut told: Vec<_> = steps.iter().map(|step| field(step, "step").unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, ["alert", "audit", "cache", "event", "graph", "metadata", "nexus", "schedule"]);
        for step in &steps {
            assert_eq!(step.parent_span_id, id(&flow));
            assert_eq!(step.span_context.trace_id(), request.span_context.trace_id());
            assert_eq!(field(step, "arm").as_deref(), Some(arm));
            assert_eq!(field(step, "outcome").as_deref(), Some("done"));
        }
        let cache = field(&named(&spans, "cache"), "result");
        assert_eq!(cache.as_deref(), Some(if arm == "ok" { "put" } else { "invalidated" }));
        assert_eq!(spans.len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_step_marks_its_span_and_logs_inside_it() {
    for fault in [Fault::Fails, Fault::FailsLater, Fault::Panics, Fault::PanicsLater, Fault::Hangs] {
        for error in [None, Some(UserError::Broken)] {
            let telemetry = Telemetry::listen();
            let world = World::with(|builder| builder.audit(Faulty(fault)));
            let _ = world.run(update(ada(), error)).await;
            let audit = named(&telemetry.spans(), "audit");
            assert_eq!(field(&audit, "outcome").as_deref(), Some("failed"), "{fault:?}");
            assert_eq!(field(&audit, "result"), Some(world.last(Step::Audit).1), "{fault:?}");
            assert_eq!(audit.status, opentelemetry::trace::Status::error(""), "{fault:?}");
            let lines: Vec<_> = audit.events.iter().map(|event| event.name.to_string()).collect();
            assert_eq!(lines, ["step failed"], "{fault:?}");
        }
    }
}

async fn hook(_: &Flow) -> Result<(), StepError> {
    tokio::task::yield_now().await;
    tracing::info_span!("in the hook").in_scope(tokio::task::yield_now).await;
    Ok(())
}

#[orchestrate(pattern = "user", id = 42, audit = hook)]
async fn hooked(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

#[tokio::test]
async fn span_of_a_hook_is_a_child_of_its_step() {
    for error in [None, Some(Code::Internal)] {
        let (telemetry, world) = (Telemetry::listen(), World::new());
        assert_eq!(world.run(hooked(error)).await.err(), error);
        let spans = telemetry.spans();
        let audit = spans.iter().find(|span| field(span, "step").as_deref() == Some("audit")).unwrap();
        assert_eq!(named(&spans, "in the hook").parent_span_id, id(audit));
        assert_eq!(field(audit, "result").as_deref(), Some("overridden"));
    }
}

static GATE: Gate = Gate::closed();

async fn gated(_: &Flow) -> Result<(), StepError> {
    GATE.pass().await;
    tracing::info_span!("behind the gate").in_scope(|| ());
    Ok(())
}

#[orchestrate(pattern = "user", id = 42, audit = gated, delivery = "background")]
async fn background(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

#[tokio::test]
async fn background_flow_span_has_the_caller_as_parent() {
    for error in [None, Some(Code::Internal)] {
        let (telemetry, world) = (Telemetry::listen(), World::new());
        let call = world.run(background(error)).instrument(tracing::info_span!("request"));
        assert_eq!(call.await.err(), error);
        GATE.reached().await;
        GATE.open_for(1);
        world.reports.until(1).await;
        awaited(world.orchestrator.shutdown(std::time::Duration::MAX)).await;

        let spans = telemetry.spans();
        let (request, flow) = (named(&spans, "request"), named(&spans, "background"));
        assert_eq!(flow.parent_span_id, id(&request));
        assert!(flow.links.is_empty(), "a parent is enough");
        let audit = named(&spans, "audit");
        assert_eq!(audit.parent_span_id, id(&flow));
        assert_eq!(named(&spans, "behind the gate").parent_span_id, id(&audit));
        assert!(request.end_time <= flow.end_time, "the request did not wait");
    }
}

#[orchestrate(pattern = "user", id = 42, delivery = "background")]
async fn ungated(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}

/// The span is active while the handler is called.
#[tokio::test]
async fn opentelemetry_span_made_without_tracing_is_the_parent() {
    for error in [None, Some(Code::Internal)] {
        let (telemetry, world) = (Telemetry::listen(), World::new());
        let own = Context::current_with_span(telemetry.provider.tracer("tests").start("own"));
        assert_eq!(world.run(ungated(error)).with_context(own.clone()).await.err(), error);
        let active = own.attach();
        assert_eq!(world.orchestrator.sync_scope(|| seen(error)).err(), error);
        drop(active);
        awaited(world.orchestrator.shutdown(std::time::Duration::MAX)).await;

        let spans = telemetry.spans();
        for flow in ["ungated", "seen"].map(|flow| named(&spans, flow)) {
            assert_eq!((flow.parent_span_id, flow.links.len()), (id(&named(&spans, "own")), 0));
        }
    }
}

#[orchestrate(pattern = "user", id = 42)]
async fn hangs(gate: &Gate) -> Result<u64, Code> {
    gate.pass().await;
    Ok(42)
}

/// The call is dropped outside of the request's span, as a server does it.
#[tokio::test]
async fn dropped_handler_flow_span_has_the_caller_as_parent() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    let gate = Arc::new(Gate::closed());
    let request = tracing::info_span!("request");
    let at = Arc::clone(&gate);
    let mut call = Box::pin(world.run(async move { hangs(&at).await }));
    request.in_scope(|| {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
    });
    drop(call);
    drop(request);
    world.reports.until(1).await;
    awaited(world.orchestrator.shutdown(std::time::Duration::MAX)).await;
    let spans = telemetry.spans();
    let flow = named(&spans, "hangs");
    assert_eq!(flow.parent_span_id, id(&named(&spans, "request")));
    assert_eq!(field(&flow, "ending").as_deref(), Some("cancelled"));
    assert_eq!(with(&spans, "step").len(), 8);
    assert_eq!(field(&named(&spans, "event"), "result").as_deref(), Some("skipped: no event"));
}

/// The span is no longer active when the handler is dropped, and `tracing` does not hold it.
#[tokio::test]
async fn dropped_handler_flow_span_is_linked_to_opentelemetry_span() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    let gate = Gate::closed();
    let own = Context::current_with_span(telemetry.provider.tracer("tests").start("own"));
    {
        let mut call = pin!(world.run(hangs(&gate)));
        let active = own.attach();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        drop(active);
    }
    world.reports.until(1).await;
    awaited(world.orchestrator.shutdown(std::time::Duration::MAX)).await;
    let spans = telemetry.spans();
    let flow = named(&spans, "hangs");
    let links: Vec<_> = flow.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!((flow.parent_span_id, links), (SpanId::INVALID, vec![id(&named(&spans, "own"))]));
}

#[test]
fn sync_handler_and_manual_path_spans_have_the_caller_as_parent() {
    for error in [None, Some(Code::Internal)] {
        let (telemetry, world) = (Telemetry::listen(), World::new());
        let request = tracing::info_span!("request");
        request.in_scope(|| assert_eq!(world.orchestrator.sync_scope(|| seen(error)).err(), error));
        drop(request);
        let spans = telemetry.spans();
        assert_eq!(named(&spans, "seen").parent_span_id, id(&named(&spans, "request")));
    }
    let telemetry = Telemetry::listen();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = OrchestrationConfig::new("user").handler("by hand").on(&Orchestrator::in_memory());
    let manual = async { Failure::wrap(Code::Internal, "broken", &()).orchestrate(&config).await };
    runtime.block_on(manual.instrument(tracing::info_span!("request")));
    let spans = telemetry.spans();
    assert_eq!(named(&spans, "by hand").parent_span_id, id(&named(&spans, "request")));
}

#[orchestrate(pattern = "user", cache = 42, fallback = recovers)]
async fn recovered(error: Option<UserError>) -> Result<u64, UserError> {
    error.map_or(Ok(42), Err)
}

async fn recovers(_: &graceful::Failure<'_, UserError>) -> Option<u64> {
    tokio::task::yield_now().await;
    tracing::info_span!("in the fallback").in_scope(|| ());
    Some(7)
}

#[tokio::test]
async fn fallback_has_a_span_and_the_recovered_flow_says_so() {
    let (telemetry, world) = (Telemetry::listen(), World::new());
    assert_eq!(world.run(recovered(Some(UserError::Broken))).await.ok(), Some(7));
    let spans = telemetry.spans();
    let (flow, fallback) = (named(&spans, "recovered"), named(&spans, "fallback"));
    assert_eq!(field(&flow, "recovered").as_deref(), Some("true"));
    assert_eq!(
        (fallback.parent_span_id, field(&fallback, "result").as_deref()),
        (id(&flow), Some("recovered"))
    );
    assert_eq!(named(&spans, "in the fallback").parent_span_id, id(&fallback));
}

/// A subscriber that counts what it is asked to make, and wants none of graceful's.
#[derive(Clone, Default)]
struct Uninterested(Arc<Mutex<Vec<&'static str>>>);

impl tracing::Subscriber for Uninterested {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        !metadata.target().starts_with("graceful::")
    }

    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.0.lock().unwrap().push(attributes.metadata().name());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {
        panic!("no field of a span is asked for");
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn flow_without_an_interested_subscriber_makes_no_spans() {
    let uninterested = Uninterested::default();
    let _guard = tracing::subscriber::set_default(uninterested.clone());
    let world = World::new();
    for error in [None, Some(UserError::Broken)] {
        let _ = world.run(update(ada(), error)).instrument(tracing::info_span!("request")).await;
    }
    assert_eq!(*uninterested.0.lock().unwrap(), ["request", "request"]);
    assert_eq!(hooks::calls_so_far(), 0);
}
