use graceful::tower::ContextLayer;

use super::{context, request, seen};

#[tokio::test]
async fn request_id_of_the_request_is_used_and_returned() {
    for id in ["r-1", "0af7.651/A_b+c:d=e@f", &"x".repeat(128)] {
        let (context, request, response) = seen(ContextLayer::new(), request(&[("x-request-id", id)])).await;
        assert_eq!(context.request_id.as_deref(), Some(id));
        assert_eq!(request.headers()["x-request-id"], id);
        assert_eq!(response.headers()["x-request-id"], id);
    }
}

#[tokio::test]
async fn missing_or_unsafe_request_id_is_replaced() {
    let mut made = std::collections::BTreeSet::new();
    let too_long = "x".repeat(129);
    for headers in [
        &[][..],
        &[("x-request-id", "")],
        &[("x-request-id", "a b")],
        &[("x-request-id", "<script>")],
        &[("x-request-id", "${jndi:ldap}")],
        &[("x-request-id", "a,b")],
        &[("x-request-id", "a\"b")],
        &[("x-request-id", "\u{e9}")],
        &[("x-request-id", &too_long)],
        &[("x-request-id", "one"), ("x-request-id", "two")],
    ] {
        let (context, request, response) = seen(ContextLayer::new(), request(headers)).await;
        let id = context.request_id.clone().unwrap();
        assert!(uuid(&id), "{id}");
        for (said, headers) in [("inside", request.headers()), ("outside", response.headers())] {
            let values: Vec<_> = headers.get_all("x-request-id").iter().collect();
            assert_eq!(values, [id.as_str()], "{said}");
        }
        assert!(made.insert(id), "a request's own");
    }
}

fn uuid(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[tokio::test]
async fn safe_correlation_id_is_used_and_none_is_generated() {
    let said = async |headers| context(headers).await.correlation_id.clone();
    assert_eq!(said(&[("x-correlation-id", "order-9")]).await.as_deref(), Some("order-9"));
    assert_eq!(said(&[]).await, None);
    assert_eq!(said(&[("x-correlation-id", "a b")]).await, None);
    assert_eq!(said(&[("x-correlation-id", "a"), ("x-correlation-id", "b")]).await, None);
}

#[tokio::test]
async fn response_with_a_request_id_keeps_it() {
    use tower::{Layer as _, ServiceExt as _};

    let service = tower::service_fn(async |_: http::Request<()>| {
        Ok::<_, std::convert::Infallible>(
            http::Response::builder().header("x-request-id", "own").body(()).unwrap(),
        )
    });
    let answer =
        ContextLayer::new().layer(service).oneshot(request(&[("x-request-id", "r-1")])).await.unwrap();
    assert_eq!(answer.headers()["x-request-id"], "own");
}
