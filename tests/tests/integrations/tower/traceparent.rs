//! The headers of `traceparent`. The cases of a single value are unit tests of `TraceParent`.

use super::context;

const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn trace(headers: &[(&str, &str)]) -> Option<String> {
    context(headers).await.trace.map(|trace| trace.to_string())
}

#[tokio::test]
async fn traceparent_is_used() {
    assert_eq!(trace(&[("traceparent", HEADER)]).await.as_deref(), Some(HEADER));
    // Names of headers have no case.
    assert_eq!(trace(&[("TraceParent", HEADER)]).await.as_deref(), Some(HEADER));
}

#[tokio::test]
async fn space_around_a_traceparent_is_ignored() {
    for header in
        [format!(" {HEADER}"), format!("\t{HEADER}"), format!("{HEADER} \t"), format!(" \t{HEADER} \t")]
    {
        assert_eq!(trace(&[("traceparent", &header)]).await.as_deref(), Some(HEADER));
    }
}

#[tokio::test]
async fn traceparent_of_a_future_version_is_read_as_version_00() {
    let header = HEADER.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
    assert_eq!(trace(&[("traceparent", &header)]).await.as_deref(), Some(HEADER));
}

#[tokio::test]
async fn invalid_traceparent_starts_no_trace() {
    let upper = HEADER.to_uppercase();
    let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    for header in ["", "\u{e9}", "00", &upper, zero, &format!("{HEADER},{HEADER}")] {
        assert_eq!(trace(&[("traceparent", header)]).await, None, "{header}");
    }
    assert_eq!(trace(&[]).await, None);
}

/// It is unknown which of the headers is right.
#[tokio::test]
async fn several_traceparents_start_no_trace() {
    assert_eq!(trace(&[("traceparent", HEADER), ("traceparent", HEADER)]).await, None);
}
