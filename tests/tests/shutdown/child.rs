//! The program that is asked to end. It says on its standard output what happens, and each line on its standard input opens the gate once.

use std::{
    convert::Infallible,
    fmt::{self, Write as _},
    future::{IntoFuture as _, poll_fn},
    io,
    pin::Pin,
    process::ExitCode,
    task::{self, Poll},
    thread,
    time::Duration,
};

use axum::{Router, body::Body, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use bytes::Bytes;
use graceful::{
    Code, Flow, FlowReport, Orchestrator, StepError, axum::health_routes, backends::memory, orchestrate,
};
use tokio::{net::TcpListener, runtime::Builder, sync::Semaphore};
use tokio_stream::{Stream, StreamExt as _, once, pending};
use tonic::transport::Server;
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{layer::Context, prelude::*, registry};

use crate::grpc::Work;

/// The variable with the settings: the server, and the times for waiting, for live streams and for all in milliseconds.
pub const SETTINGS: &str = "GRACEFUL_TESTS_SHUTDOWN";

static GATE: Semaphore = Semaphore::const_new(0);

fn say(line: impl fmt::Display) {
    println!("{line}");
}

pub fn main(settings: &str) -> ExitCode {
    let mut settings = settings.split(' ');
    let server = settings.next().unwrap();
    let mut time = || Duration::from_millis(settings.next().unwrap().parse().unwrap());
    let [wait, streams, deadline] = [(); 3].map(|()| time());
    tracing::subscriber::set_global_default(registry().with(Said)).unwrap();
    thread::spawn(|| io::stdin().lines().for_each(|_| GATE.add_permits(1)));
    // One thread, which a handler can block.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(run(server, wait, streams, deadline)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("{:?}: {error}", error.kind()));
            ExitCode::FAILURE
        }
    }
}

async fn run(name: &str, wait: Duration, streams: Duration, deadline: Duration) -> io::Result<()> {
    let events = memory::Events::new();
    let mut emitted = events.subscribe();
    let report = |report: &FlowReport| say(format_args!("flow {}", report.flow().code()));
    let orchestrator =
        Orchestrator::builder().service("work").events(events).on_report(report).build().unwrap();
    orchestrator.clone().install().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(format_args!("port {}", listener.local_addr()?.port()));
    let serve = match name {
        "axum" | "dropped" => graceful::axum::serve(listener, routes(&orchestrator)),
        "tonic" => graceful::tonic::serve(listener, Server::builder(), Work),
        other => panic!("`{other}` is no server"),
    };
    let alongside = async move {
        orchestrator.shutdown_begins().await;
        say("alongside ends");
        Ok::<_, Infallible>(())
    };
    let last = async move {
        while let Ok(event) = emitted.try_recv() {
            say(format_args!("event {}", event.name()));
        }
        say("finally");
    };
    let serve = serve.wait(wait).streams(streams).deadline(deadline).alongside(alongside).finally(last);
    let mut running = serve.into_future();
    if name == "dropped" {
        assert!(poll_fn(|cx| Poll::Ready(running.as_mut().poll(cx).is_pending())).await);
        drop(running);
        say("dropped");
        return std::future::pending().await;
    }
    running.await
}

fn routes(orchestrator: &Orchestrator) -> Router {
    Router::new()
        .route("/work", get(async || work().await.map_or("failed", |_| "done")))
        .route("/events", get(async || stream("text/event-stream; charset=utf-8", "data: 1\n\n")))
        .route("/answer", get(async || answer()))
        .route("/flood", get(async || flood()))
        .route("/log", get(async || stream("text/plain", "line 1\n")))
        .route("/block", get(block))
        .merge(health_routes(orchestrator))
}

/// Waits at the gate, and so does its flow after an `Ok`.
#[orchestrate(pattern = "work", id = 1, event = "work_done", audit = at_gate, delivery = "background")]
pub async fn work() -> Result<u8, Code> {
    say("work began");
    GATE.acquire().await.unwrap().forget();
    Ok(1)
}

async fn at_gate(flow: &Flow) -> Result<(), StepError> {
    if flow.code() == Code::Ok {
        GATE.acquire().await.unwrap().forget();
    }
    Ok(())
}

/// One part, and then nothing for ever.
fn stream(content_type: &'static str, part: &'static str) -> impl IntoResponse {
    let parts = once(Ok::<_, Infallible>(Bytes::from_static(part.as_bytes()))).chain(pending());
    ([(CONTENT_TYPE, content_type)], Body::from_stream(parts))
}

/// Server-sent events that come to an end, when the gate opens.
fn answer() -> impl IntoResponse {
    let parts = once("data: 1\n\n").chain(once("data: last\n\n").then(async |part| {
        GATE.acquire().await.unwrap().forget();
        part
    }));
    let parts = parts.map(|part| Ok::<_, Infallible>(Bytes::from_static(part.as_bytes())));
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(parts))
}

/// Always has one part more, and never lets the server wait for it.
fn flood() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(Flood))
}

struct Flood;

impl Stream for Flood {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Bytes::from_static(b"data: 1\n\n"))))
    }
}

async fn block() {
    say("blocks");
    loop {
        thread::park();
    }
}

/// Says what graceful logs.
struct Said;

impl<S: Subscriber> tracing_subscriber::Layer<S> for Said {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "graceful::shutdown" {
            let mut line = format!("{}", event.metadata().level());
            event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
                let _ = write!(line, " {field}={value:?}");
            });
            say(line);
        }
    }
}
