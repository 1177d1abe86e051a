//! A server that is not there, does not answer, or refuses.

use std::time::{Duration, Instant};

use graceful::backends::{KnowledgeGraph as _, sparql};
use graceful_tests::{gate::awaited, services::free_port};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::flows::call;

#[tokio::test]
async fn nobody_there_is_a_failure_that_tells_no_secret() {
    let url = format!("http://ada:secret@127.0.0.1:{}/sparql?token=secret", free_port());
    let graph = sparql::Graph::builder(url).build().unwrap();
    let error = graph.record(&call("user", "1").flow().await).await.unwrap_err();
    assert!(error.message().contains("127.0.0.1") && error.message().contains("refused"), "{error}");
    assert!(!format!("{error:?} {graph:?}").contains("secret"), "{error:?} {graph:?}");
}

#[tokio::test]
async fn one_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let graph = sparql::Graph::builder(url).timeout(Duration::from_millis(50)).build().unwrap();
    let started = Instant::now();
    let error = awaited(graph.query("ASK {}")).await.unwrap_err();
    assert!(error.message().contains("timed out"), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(50));
}

/// Answers one request, and says what it was.
async fn answers(listener: TcpListener, answer: &'static str) -> String {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = connection.read(&mut chunk).await.unwrap();
        request.extend_from_slice(&chunk[..read]);
    }
    connection.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&request).into_owned()
}

#[tokio::test]
async fn user_and_password_and_token_are_shown_to_the_server() {
    let basic = format!("authorization: Basic {}", "YWRhOnNlY3JldA==");
    for (userinfo, token, expected) in [("ada:secret@", None, basic.as_str()), ("", Some("t0ken"), "authorization: Bearer t0ken")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{userinfo}{}/", listener.local_addr().unwrap());
        let mut graph = sparql::Graph::builder(url).timeout(Duration::from_secs(30));
        if let Some(token) = token {
            graph = graph.bearer_auth(token);
        }
        let graph = graph.build().unwrap();
        let answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwho?";
        let flow = call("user", "1").flow().await;
        let (request, recorded) = awaited(async { tokio::join!(answers(listener, answer), graph.record(&flow)) }).await;
        assert!(request.contains(expected), "{request}");
        let error = recorded.unwrap_err();
        assert!(error.message().ends_with("answered 401 Unauthorized: who?"), "{error}");
    }
}

#[tokio::test]
async fn it_is_not_sent_elsewhere() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let graph = sparql::Graph::builder(url).timeout(Duration::from_secs(30)).build().unwrap();
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
    let (_, answered) = awaited(async { tokio::join!(answers(listener, answer), graph.query("ASK {}")) }).await;
    let error = answered.unwrap_err();
    assert!(error.message().ends_with("answered 307 Temporary Redirect"), "{error}");
}
