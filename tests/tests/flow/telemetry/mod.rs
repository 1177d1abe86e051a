//! The telemetry of graceful, read from real exporters in memory.
#![allow(missing_docs, reason = "tests")]

mod causes;
mod conventions;
mod durations;
mod events;
mod measures;
mod replay;
mod spans;

use graceful::{Code, orchestrate};
use graceful_tests::{
    User, UserError,
    telemetry::{Telemetry, parent},
};
use opentelemetry_sdk::trace::SpanData;

/// A field of a span.
fn field(span: &SpanData, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    found.map(|attribute| attribute.value.to_string())
}

#[track_caller]
fn named(spans: &[SpanData], name: &str) -> SpanData {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} among {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0].clone()
}

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
async fn update(user: User, error: Option<UserError>) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}

#[orchestrate(pattern = "user", id = 42, event = "user_seen")]
fn seen(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}
