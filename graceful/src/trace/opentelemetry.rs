//! Takes the position of a call in its trace from the active span of OpenTelemetry.
//!
//! Only the API of OpenTelemetry is used for this, so the span may be created by any crate: `tracing-opentelemetry` activates the span of
//! each `tracing` span that is entered. `tracing-opentelemetry` also creates the links.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _, TraceFlags},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{TraceParent, TraceState};

/// The active span, and the state of its trace; `None` if there is no active span.
pub(crate) fn active() -> Option<(TraceParent, Option<TraceState>)> {
    Context::map_current(|context| {
        if !context.has_active_span() {
            return None;
        }
        let span = context.span();
        let span = span.span_context();
        let trace_id = u128::from_be_bytes(span.trace_id().to_bytes());
        let span_id = u64::from_be_bytes(span.span_id().to_bytes());
        let parent = TraceParent::new(trace_id, span_id, span.trace_flags().to_u8())?;
        Some((parent, span.trace_state().header().parse().ok()))
    })
}

/// Links the span of a flow to that of its call, which is not its parent: it is another process', or ended long ago.
pub(crate) fn link(span: &Span, trace: Option<TraceParent>, state: Option<&TraceState>) {
    let Some(trace) = trace else { return };
    if active().is_some_and(|(active, _)| active == trace) {
        // Then it is the parent.
        return;
    }
    let state = state.and_then(|state| state.as_str().parse().ok());
    span.add_link(SpanContext::new(
        trace.trace_id().into(),
        trace.span_id().into(),
        TraceFlags::new(u8::from(trace.is_sampled())),
        true,
        state.unwrap_or_default(),
    ));
}
