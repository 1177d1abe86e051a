//! What OpenTelemetry is told, kept in memory.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::log::ask_every_subscriber;

/// OpenTelemetry behind `tracing`, on this thread.
#[derive(Debug)]
pub struct Telemetry {
    exporter: InMemorySpanExporter,
    pub provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Telemetry {
    pub fn listen() -> Self {
        ask_every_subscriber();
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tests"));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        Self { exporter, provider, _guard: guard }
    }

    /// The spans that have ended.
    pub fn spans(&self) -> Vec<SpanData> {
        self.provider.force_flush().unwrap();
        self.exporter.get_finished_spans().unwrap()
    }
}

/// The `traceparent` of a span.
pub fn parent(span: &SpanData) -> String {
    let context = &span.span_context;
    format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
}
