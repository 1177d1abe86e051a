//! The headers of `tracestate`. The cases of the text are unit tests of `TraceState`.

use graceful::{Context, tower::ContextLayer};

use super::{context, request, seen};

const PARENT: (&str, &str) = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

async fn state(headers: &[(&str, &str)]) -> Option<String> {
    context(headers).await.trace_state.as_ref().map(ToString::to_string)
}

#[tokio::test]
async fn tracestate_is_used() {
    assert_eq!(state(&[PARENT, ("tracestate", "foo=1,bar=2")]).await.as_deref(), Some("foo=1,bar=2"));
    assert_eq!(state(&[("TraceState", "foo=1"), PARENT]).await.as_deref(), Some("foo=1"));
}

#[tokio::test]
async fn several_tracestate_headers_are_joined_in_order() {
    let headers =
        [("tracestate", "foo=1,bar=2"), ("tracestate", ""), PARENT, ("tracestate", "rojo=1 ,congo=2")];
    assert_eq!(state(&headers).await.as_deref(), Some("foo=1,bar=2,rojo=1,congo=2"));
}

#[tokio::test]
async fn tracestate_without_a_traceparent_is_ignored() {
    let state_header = ("tracestate", "foo=1");
    assert_eq!(state(&[state_header]).await, None);
    assert_eq!(state(&[state_header, ("traceparent", "00")]).await, None);
    assert_eq!(state(&[state_header, PARENT, PARENT]).await, None);
}

#[tokio::test]
async fn malformed_tracestate_is_dropped_and_the_trace_stays() {
    for broken in ["foo", "foo=1,BAR=2", "foo=1,foo=2", "f\u{e9}=1", ""] {
        let context = context(&[PARENT, ("tracestate", broken)]).await;
        assert_eq!((context.trace.is_some(), &context.trace_state), (true, &None), "{broken}");
        if !broken.is_empty() {
            assert_eq!(state(&[PARENT, ("tracestate", "a=1"), ("tracestate", broken)]).await, None);
        }
    }
}

/// The state that an outer layer knows belongs to another trace.
#[tokio::test]
async fn new_trace_replaces_the_state_of_the_previous_one() {
    let outer = Context::new()
        .trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap())
        .trace_state("outer=1".parse().unwrap());
    for (headers, expected) in
        [(&[PARENT][..], None), (&[PARENT, ("tracestate", "foo=1")], Some("foo=1")), (&[], Some("outer=1"))]
    {
        let (context, ..) = outer.clone().scope(seen(ContextLayer::new(), request(headers))).await;
        assert_eq!(context.trace_state.as_ref().map(graceful::trace::TraceState::as_str), expected);
    }
}
