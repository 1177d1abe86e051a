//! What needs no process of its own: programs that end their servers themselves.

use std::{
    future::pending,
    io::{self, ErrorKind},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use graceful::{
    Orchestrator,
    axum::{Serve, serve},
};
use graceful_tests::{Gate, gate::awaited, http::Server};
use tokio::{net::TcpListener, sync::oneshot};

async fn server() -> Serve {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, Router::new().route("/", get("ok"))).wait(Duration::ZERO)
}

#[test]
async fn serve_without_an_orchestrator_is_refused_at_once() {
    let error = awaited(server().await.into_future()).await.unwrap_err();
    assert_eq!(error.to_string(), "no orchestrator: install one, or pass one by `.on(&orchestrator)`");
}

#[test]
async fn error_alongside_ends_the_servers_and_shuts_down_in_order() {
    let orchestrator = Orchestrator::in_memory();
    let order = Arc::new(Mutex::new(Vec::new()));
    let say = {
        let order = Arc::clone(&order);
        move |what: &'static str| order.lock().unwrap().push(what)
    };
    let (begins, last) = (say.clone(), say);
    let waiting = orchestrator.clone();
    let served = server()
        .await
        .on(&orchestrator)
        .when(pending())
        .alongside(async { Err(io::Error::new(ErrorKind::NotFound, "no consumer")) })
        .alongside(async move {
            waiting.shutdown_begins().await;
            begins("the shutdown begins");
            Ok::<_, io::Error>(())
        })
        .finally(async move { last("finally") });
    let error = awaited(served.into_future()).await.unwrap_err();
    assert_eq!(error.to_string(), "no consumer");
    assert_eq!(*order.lock().unwrap(), ["the shutdown begins", "finally"]);
}

/// One that ends well is no reason to end the servers.
#[test]
async fn servers_outlive_what_ends_alongside() {
    let (stop, stopped) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let served = server()
        .await
        .on(&Orchestrator::in_memory())
        .when(async { _ = stopped.await })
        .alongside(async { ended.send(()).map_err(|()| io::Error::other("nobody waits")) });
    let served = tokio::spawn(served.into_future());
    awaited(has_ended).await.unwrap();
    assert!(!served.is_finished());
    stop.send(()).unwrap();
    awaited(served).await.unwrap().unwrap();
}

/// The second of two servers has a request under way.
#[test]
async fn all_servers_of_a_process_end_before_its_orchestrator() {
    let orchestrator = Orchestrator::in_memory();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (gate, answering, last) = (Arc::new(Gate::closed()), Arc::clone(&order), Arc::clone(&order));
    let handler = {
        let gate = Arc::clone(&gate);
        async move || {
            gate.pass().await;
            answering.lock().unwrap().push("answered");
            "ok"
        }
    };
    let (stop, stopped) = oneshot::channel();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Server::at(other.local_addr().unwrap());
    let served = server().await.and(serve(other, Router::new().route("/", get(handler)))).on(&orchestrator);
    let served = served.when(async { _ = stopped.await });
    let served = served.finally(async move { last.lock().unwrap().push("finally") });
    let served = tokio::spawn(served.into_future());
    let answer = tokio::spawn(async move { client.get("/").await.into_body() });
    gate.reached().await;
    stop.send(()).unwrap();
    awaited(orchestrator.shutdown_begins()).await;
    gate.open_for(1);
    assert_eq!(awaited(answer).await.unwrap(), "ok");
    awaited(served).await.unwrap().unwrap();
    assert_eq!(*order.lock().unwrap(), ["answered", "finally"]);
}

#[test(start_paused = true)]
async fn future_that_does_not_end_alongside_is_left_and_named() {
    let served = server().await.on(&Orchestrator::in_memory()).when(async {});
    let served = served.alongside(pending::<io::Result<()>>()).finally(pending());
    let error = served.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "left at the deadline of the shutdown: futures alongside: 1, finally: 1");
}
