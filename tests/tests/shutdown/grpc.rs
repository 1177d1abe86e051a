//! Servers of tonic that get a signal, and a service: what tonic's generator writes, by hand.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use graceful::tonic::status;
use graceful_tests::gate::awaited;
use http::uri::PathAndQuery;
use tokio_stream::{Stream, StreamExt as _, once, pending};
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{Grpc, ServerStreamingService, UnaryService},
    transport::Channel,
};
use tonic_prost::ProstCodec;

use crate::{
    child,
    process::{Process, assert_order},
};

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Number {
    #[prost(uint64, tag = "1")]
    pub number: u64,
}

/// `Do` waits at the gate; `Watch` sends one message, and then nothing for ever.
#[derive(Clone, Copy)]
pub struct Work;

const DO: &str = "/test.Work/Do";
const WATCH: &str = "/test.Work/Watch";

impl Service<http::Request<Body>> for Work {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(match request.uri().path() {
                DO => grpc.unary(Work, request).await,
                _ => grpc.server_streaming(Work, request).await,
            })
        })
    }
}

impl UnaryService<Number> for Work {
    type Response = Number;
    type Future = BoxFuture<Response<Number>, Status>;

    fn call(&mut self, request: Request<Number>) -> Self::Future {
        Box::pin(async move {
            child::work().await.map_err(status)?;
            Ok(Response::new(request.into_inner()))
        })
    }
}

impl ServerStreamingService<Number> for Work {
    type Response = Number;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Number>) -> Self::Future {
        Box::pin(async move {
            let stream: Self::ResponseStream = Box::pin(once(Ok(request.into_inner())).chain(pending()));
            Ok(Response::new(stream))
        })
    }
}

struct Client(tonic::client::Grpc<Channel>);

impl Client {
    async fn of(process: &Process) -> Self {
        let channel = Channel::from_shared(format!("http://127.0.0.1:{}", process.port)).unwrap();
        Self(tonic::client::Grpc::new(channel.connect().await.unwrap()))
    }

    async fn unary(mut self) -> Result<u64, Status> {
        self.0.ready().await.unwrap();
        let request = Request::new(Number { number: 7 });
        let answer = self.0.unary(request, PathAndQuery::from_static(DO), ProstCodec::default()).await;
        answer.map(|answer: Response<Number>| answer.into_inner().number)
    }

    async fn watch(&mut self) -> Streaming<Number> {
        self.0.ready().await.unwrap();
        let request = Request::new(Number { number: 7 });
        let path = PathAndQuery::from_static(WATCH);
        self.0.server_streaming(request, path, ProstCodec::default()).await.unwrap().into_inner()
    }
}

#[test]
async fn stream_of_grpc_ends_at_sigterm_as_unavailable() {
    let mut process = Process::start("tonic").await;
    let mut stream = Client::of(&process).await.watch().await;
    assert_eq!(awaited(stream.message()).await.unwrap(), Some(Number { number: 7 }));
    process.terminate().await;
    let ended = awaited(stream.message()).await.unwrap_err();
    assert_eq!((ended.code(), ended.message()), (Code::Unavailable, "the process is shutting down"));
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
    assert_order(&said, &["live streams were ended streams=1"]);
}

#[test]
async fn call_under_way_is_answered_and_its_event_exists() {
    let mut process = Process::start("tonic").await;
    let call = tokio::spawn(Client::of(&process).await.unary());
    process.says("work began").await;
    process.terminate().await;
    process.closes().await;
    process.open_gate();
    assert_eq!(awaited(call).await.unwrap().unwrap(), 7);
    // Its flow goes on in the background.
    process.says("the servers have ended").await;
    process.open_gate();
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
    assert_order(&said, &["alongside ends", "flow OK", "event work_done", "finally"]);
}

#[test]
async fn call_is_dropped_at_its_deadline_as_unavailable_and_logged() {
    let mut process = Process::with("tonic", [0, 0, 5_000]).await;
    let call = tokio::spawn(Client::of(&process).await.unary());
    process.says("work began").await;
    process.terminate().await;
    let ended = awaited(call).await.unwrap().unwrap_err();
    assert_eq!((ended.code(), ended.message()), (Code::Unavailable, "the process is shutting down"));
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(1), "{said:#?}");
    let order = ["requests=1", "flow CANCELLED", "event work_done.failed", "finally", "left=\"requests: 1\""];
    assert_order(&said, &order);
}

#[test]
async fn second_signal_ends_a_process_that_waits_for_a_call() {
    let mut process = Process::start("tonic").await;
    let call = tokio::spawn(Client::of(&process).await.unary());
    process.says("work began").await;
    process.terminate().await;
    process.signal("TERM");
    assert_eq!(process.ended().await.0, Some(143));
    awaited(call).await.unwrap().unwrap_err();
}

/// HTTP/2 says good-bye by a ping, which a client that is gone never answers.
#[test]
async fn client_that_never_answers_does_not_keep_a_process() {
    let mut process = Process::start("tonic").await;
    let mut silent = process.connect().await;
    silent.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    // The server's own settings: the connection is open.
    silent.reads("\0\0\x04").await;
    process.terminate().await;
    let (code, said) = process.ended().await;
    assert_eq!(code, Some(0), "{said:#?}");
}
