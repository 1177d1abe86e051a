//! The SPARQL server is unreachable, does not answer, or refuses.

use std::time::Duration;

use graceful::backends::KnowledgeGraph as _;
use graceful_rdf::sparql;
use graceful_tests::{gate::awaited, raw_http::Inbox, services::free_port};
use tokio::net::TcpListener;

use crate::flows::call;

#[test]
async fn unreachable_server_is_a_failure_without_a_secret() {
    let url = format!("http://ada:secret@127.0.0.1:{}/sparql?token=secret", free_port());
    let graph = sparql::Graph::builder(url).build().unwrap();
    let error = graph.record(&call("user", "1").flow().await).await.unwrap_err();
    assert!(error.message().contains("127.0.0.1") && error.message().contains("refused"), "{error}");
    assert!(!format!("{error:?} {graph:?}").contains("secret"), "{error:?} {graph:?}");
}

#[test]
async fn silent_server_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let graph = sparql::Graph::builder(url).timeout(Duration::from_millis(50)).build().unwrap();
    let error = awaited(graph.query("ASK {}")).await.unwrap_err();
    assert!(error.message().contains("timed out"), "{error}");
}

#[test]
async fn user_password_and_token_are_sent_to_the_server() {
    let basic = "Basic YWRhOnNlY3JldA==";
    for (userinfo, token, expected) in [("ada:secret@", None, basic), ("", Some("t0ken"), "Bearer t0ken")] {
        let mut server = Inbox::open().await;
        server.answers(401);
        let url = server.url(userinfo, "/sparql");
        let mut graph = sparql::Graph::builder(url).timeout(Duration::from_secs(30));
        if let Some(token) = token {
            graph = graph.bearer_auth(token);
        }
        let error = graph.build().unwrap().record(&call("user", "1").flow().await).await.unwrap_err();
        assert!(error.message().ends_with("answered 401 Unauthorized: who?"), "{error}");
        let request = server.next().await;
        assert_eq!(request.header("authorization"), expected);
        assert_eq!(request.header("content-type"), "application/sparql-update");
    }
}

#[test]
async fn redirect_is_not_followed() {
    let server = Inbox::open().await;
    server.answers(307);
    let graph = sparql::Graph::builder(server.url("", "/")).timeout(Duration::from_secs(30)).build().unwrap();
    let error = graph.query("ASK {}").await.unwrap_err();
    assert!(error.message().contains("answered 307 Temporary Redirect"), "{error}");
}

#[test]
async fn invalid_answer_is_a_failure() {
    let server = Inbox::open().await;
    server.answers(200);
    let graph = sparql::Graph::builder(server.url("", "/")).timeout(Duration::from_secs(30)).build().unwrap();
    graph.query("ASK {}").await.unwrap_err();
}
