//! The span that OpenTelemetry has active is where a call stands in its trace.
//!
//! Of a call only the API of OpenTelemetry is asked, so it does not matter who made the span: `tracing-opentelemetry` activates
//! the one of each `tracing` span that is entered. A link, too, is made by `tracing-opentelemetry`.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _, TraceFlags},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{TraceParent, TraceState};

/// The active span, and the state of its trace; `None` where there is none.
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
pub(crate) fn link(span: &Span, trace: TraceParent, state: Option<&TraceState>) {
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
