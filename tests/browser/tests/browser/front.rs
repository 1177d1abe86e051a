//! The proxies.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, Uri},
    routing::{any, get},
};
use graceful_tests::{
    gate::awaited,
    http::{Server, serve},
};
use graceful_tests_browser::{Browser, Front, Options};
use tokio::sync::{Mutex, mpsc};
use tokio_stream::{StreamExt as _, wrappers::UnboundedReceiverStream};

/// Answers with the path and query that arrived, the host, and the prefix that the proxy told.
async fn echo(uri: Uri, headers: HeaderMap) -> String {
    let header = |name: &str| headers.get(name).map_or("none", |value| value.to_str().unwrap());
    format!("{uri} prefix={} host={}", header("x-forwarded-prefix"), header("host"))
}

/// What arrives where a client asks for this path.
async fn arrives(front: &Front, path: &str) -> String {
    let answer = Server::at(front.address()).get(path).await.into_body();
    answer.replace(&format!(" host={}", front.address()), "")
}

async fn echoing() -> Server {
    serve(Router::new().fallback(any(echo))).await
}

#[test]
async fn stripping_front_removes_the_prefix_and_tells_it() {
    let server = echoing().await;
    let front = Front::stripping("/a/ops", server.address).await;
    assert_eq!(front.url("/flows"), format!("http://{}/a/ops/flows", front.address()));
    assert_eq!(arrives(&front, "/a/ops/flows?id=a%2Fb").await, "/flows?id=a%2Fb prefix=/a/ops");
    assert_eq!(arrives(&front, "/a/ops/a%2Fb").await, "/a%2Fb prefix=/a/ops");
    for root in ["/a/ops", "/a/ops/"] {
        assert_eq!(arrives(&front, root).await, "/ prefix=/a/ops");
    }
    for outside in ["/flows", "/a/opsx", "/a", "/"] {
        assert_eq!(Server::at(front.address()).get(outside).await.status(), 404, "{outside}");
    }
}

#[test]
async fn prefix_that_a_client_sends_does_not_reach_the_server() {
    let server = echoing().await;
    for (front, expected) in [
        (Front::stripping("/ops", server.address).await, "/ops"),
        (Front::keeping("/ops", server.address).await, "none"),
    ] {
        let request =
            Request::get("/ops/").header("x-forwarded-prefix", "/evil").body(String::new()).unwrap();
        let answer = Server::at(front.address()).send(request).await.into_body();
        assert!(answer.contains(&format!("prefix={expected} ")), "{answer}");
    }
}

#[test]
async fn keeping_front_forwards_the_prefix_in_the_path() {
    let server = echoing().await;
    let front = Front::keeping("/ops", server.address).await;
    assert_eq!(arrives(&front, "/ops/a%2Fb?q").await, "/ops/a%2Fb?q prefix=none");
    assert_eq!(arrives(&front, "/ops").await, "/ops prefix=none");
    assert_eq!(Server::at(front.address()).get("/flows").await.status(), 404);
}

#[test]
async fn decoding_front_changes_paths_but_no_queries() {
    let server = echoing().await;
    let front = Front::decoding(server.address).await;
    for (asked, arrived) in [
        ("/a%2Fb", "/a/b"),
        ("/a/%2e%2e/b", "/b"),
        ("//a", "/a"),
        ("/a%252Fb", "/a%252Fb"),
        ("/a%23b%3Fc%20", "/a%23b%3Fc%20"),
        ("/%C3%A4", "/%C3%A4"),
        ("/flows/?id=a%2Fb&x=%2E%2E", "/flows/?id=a%2Fb&x=%2E%2E"),
    ] {
        assert_eq!(arrives(&front, asked).await, format!("{arrived} prefix=none"), "{asked}");
    }
}

#[test]
async fn front_without_a_server_answers_502() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let front = Front::decoding(free).await;
    assert_eq!(Server::at(front.address()).get("/").await.status(), 502);
}

#[test]
async fn front_forwards_method_and_body() {
    let server = serve(Router::new().fallback(any(|request: Request<Body>| async {
        let method = request.method().clone();
        let body = axum::body::to_bytes(request.into_body(), 100).await.unwrap();
        format!("{method} {}", String::from_utf8(body.to_vec()).unwrap())
    })))
    .await;
    let front = Front::keeping("/ops", server.address).await;
    let request = Request::post("/ops/discard").body("id=1".to_owned()).unwrap();
    assert_eq!(Server::at(front.address()).send(request).await.into_body(), "POST id=1");
}

const LIVE: &str = "<!doctype html><p id='last'>nothing</p><script>
    new EventSource('events').onmessage = event => document.getElementById('last').textContent = event.data;
</script>";

/// The page shows each event before the next one is sent, and the end of the browser ends the stream at the server.
#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn events_pass_through_at_once_and_a_closed_browser_ends_them() {
    let (events, stream) = mpsc::unbounded_channel::<String>();
    let stream = std::sync::Arc::new(Mutex::new(Some(stream)));
    let event_stream = move || async move {
        let stream = UnboundedReceiverStream::new(stream.lock().await.take().unwrap());
        let body = Body::from_stream(stream.map(|event| Ok::<_, Infallible>(Bytes::from(event))));
        ([("content-type", "text/event-stream")], body)
    };
    let page = get(|| async { axum::response::Html(LIVE) });
    let server = serve(Router::new().route("/", page).route("/events", get(event_stream))).await;
    let front = Front::stripping("/ops", server.address).await;
    let browser = Browser::start(&Options::default()).await;
    browser.goto(front.url("/")).await.unwrap();
    for text in ["first", "second"] {
        events.send(format!("data: {text}\n\n")).unwrap();
        browser.until_text("#last", text).await;
    }
    // A page that is only left may keep its connections for a minute, in case its user goes back.
    drop(browser);
    awaited(events.closed()).await;
}
