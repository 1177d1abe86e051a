//! Reads the context from the headers of a request.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::{
    context::Context,
    text::Text,
    trace::{TraceParent, TraceState},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

const MAX_ID: usize = 128;

/// Fills the context. If the request id is missing or unsafe, a new one is generated and added to the headers for other readers.
pub(super) fn read(context: &mut Context, headers: &mut HeaderMap) {
    if let Some(trace) = only(headers, &TRACEPARENT).and_then(|header| header.parse::<TraceParent>().ok()) {
        context.trace = Some(trace);
        // The state of another trace is not this one's.
        context.trace_state = trace_state(headers);
    }
    if let Some(id) = id(headers, &CORRELATION_ID) {
        context.correlation_id = Some(id);
    }
    context.request_id = id(headers, &REQUEST_ID).or_else(|| {
        let made = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
        let mut text = Uuid::encode_buffer();
        let made = made.as_hyphenated().encode_lower(&mut text);
        headers.insert(REQUEST_ID, HeaderValue::from_str(made).ok()?);
        Some(Text::from(&*made))
    });
}

fn trace_state(headers: &HeaderMap) -> Option<TraceState> {
    let values = headers.get_all(&TRACESTATE).iter().map(|value| value.to_str().ok());
    TraceState::of(values.collect::<Option<Vec<_>>>()?)
}

fn id(headers: &HeaderMap, name: &HeaderName) -> Option<Text> {
    only(headers, name).filter(|id| is_safe(id)).map(Text::from)
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    value.to_str().ok().map(|value| value.trim_matches([' ', '\t']))
}

fn is_safe(id: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(&byte);
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(safe)
}
