//! The cases of a single header are unit tests of `TraceParent`; here is what concerns headers.

use super::context;

const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn trace(headers: &[(&str, &str)]) -> Option<String> {
    context(headers).await.trace.map(|trace| trace.to_string())
}

#[tokio::test]
async fn a_traceparent_is_taken() {
    assert_eq!(trace(&[("traceparent", HEADER)]).await.as_deref(), Some(HEADER));
    // Names of headers have no case.
    assert_eq!(trace(&[("TraceParent", HEADER)]).await.as_deref(), Some(HEADER));
}

#[tokio::test]
async fn space_around_it_is_not_its_own() {
    for header in
        [format!(" {HEADER}"), format!("\t{HEADER}"), format!("{HEADER} \t"), format!(" \t{HEADER} \t")]
    {
        assert_eq!(trace(&[("traceparent", &header)]).await.as_deref(), Some(HEADER));
    }
}

#[tokio::test]
async fn one_of_a_future_version_is_understood_as_ours() {
    let header = HEADER.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
    assert_eq!(trace(&[("traceparent", &header)]).await.as_deref(), Some(HEADER));
}

#[tokio::test]
async fn what_is_no_traceparent_starts_no_trace() {
    let upper = HEADER.to_uppercase();
    let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    for header in ["", "\u{e9}", "00", &upper, zero, &format!("{HEADER},{HEADER}")] {
        assert_eq!(trace(&[("traceparent", header)]).await, None, "{header}");
    }
    assert_eq!(trace(&[]).await, None);
}

/// Which of them it would be, nobody can say.
#[tokio::test]
async fn several_are_none() {
    assert_eq!(trace(&[("traceparent", HEADER), ("traceparent", HEADER)]).await, None);
}
