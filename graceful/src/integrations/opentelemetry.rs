//! The span that OpenTelemetry has active is where a call stands in its trace.
//!
//! Only the API of OpenTelemetry is asked, so it does not matter who made the span: `tracing-opentelemetry` activates the one
//! of each `tracing` span that is entered.

use opentelemetry::{Context, trace::TraceContextExt as _};

use crate::{TraceParent, TraceState};

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
