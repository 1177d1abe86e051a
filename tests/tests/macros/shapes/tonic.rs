//! Services of tonic, with traits written as its generator writes them.

use std::{pin::Pin, sync::Arc};

use graceful::orchestrate;
use serde::Serialize;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

use super::{Odd, both, even};

#[derive(Clone, Serialize)]
struct Number {
    n: u64,
}

#[tonic::async_trait]
trait Numbers: Send + Sync + 'static {
    type ListStream: Stream<Item = Result<Number, Status>> + Send + 'static;

    async fn get(&self, request: Request<Number>) -> Result<Response<Number>, Status>;
    async fn list(&self, request: Request<Number>) -> Result<Response<Self::ListStream>, Status>;
    async fn shared(self: Arc<Self>, request: Request<Number>) -> Result<Response<Number>, Status>;
    async fn sum(
        &self,
        request: Request<Pin<Box<Numbered>>>,
    ) -> std::result::Result<Response<Number>, Status>;
}

/// What a client sends is a stream that is `Send`, not `Sync`.
type Numbered = dyn Stream<Item = Number> + Send;

struct Service {
    step: u64,
}

fn checked(n: u64) -> Result<u64, Status> {
    even(n).map_err(|_| Status::invalid_argument("odd"))
}

#[tonic::async_trait]
impl Numbers for Service {
    type ListStream = Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>;

    #[orchestrate(pattern = "n", id = request.get_ref().n)]
    async fn get(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        tokio::task::yield_now().await;
        let n = checked(request.into_inner().n * self.step)?;
        Ok(Response::new(Number { n }))
    }

    #[orchestrate(pattern = "n", id = request.get_ref().n)]
    async fn list(&self, request: Request<Number>) -> Result<Response<Self::ListStream>, Status> {
        let Number { n } = request.into_inner();
        checked(n)?;
        let stream = tokio_stream::iter([Ok(Number { n }), Err(Status::internal("end"))]);
        Ok(Response::new(Box::pin(stream)))
    }

    #[orchestrate(pattern = "n", id = request.get_ref().n * self.step)]
    async fn shared(self: Arc<Self>, request: Request<Number>) -> Result<Response<Number>, Status> {
        let n = checked(request.get_ref().n)?;
        Ok(Response::new(Number { n }))
    }

    #[orchestrate(pattern = "n", id = result.get_ref().n)]
    async fn sum(&self, request: Request<Pin<Box<Numbered>>>) -> Result<Response<Number>, Status> {
        let mut stream = request.into_inner();
        let mut n = 0;
        while let Some(next) = stream.next().await {
            n += next.n;
        }
        Ok(Response::new(Number { n: checked(n)? }))
    }
}

#[tonic::async_trait]
trait Others: Send + Sync + 'static {
    async fn get(&self, request: Request<Number>) -> Result<Response<Number>, Status>;
}

#[orchestrate(pattern = "n")]
#[tonic::async_trait]
impl Others for Service {
    #[orchestrate(id = request.get_ref().n)]
    async fn get(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        let n = checked(request.into_inner().n * self.step)?;
        Ok(Response::new(Number { n }))
    }
}

#[tonic::async_trait]
#[orchestrate(pattern = "n")]
impl Others for u64 {
    #[orchestrate(id = request.get_ref().n)]
    async fn get(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        let n = checked(request.into_inner().n * self)?;
        Ok(Response::new(Number { n }))
    }
}

fn asked(n: u64) -> Request<Number> {
    Request::new(Number { n })
}

fn number(answer: Result<Response<Number>, Status>) -> Result<u64, Odd> {
    answer.map(|response| response.into_inner().n).map_err(|_| Odd)
}

#[test]
fn services() {
    let service = || Arc::new(Service { step: 1 });
    both(async |n| number(Numbers::get(&*service(), asked(n)).await));
    both(async |n| {
        let listed = service().list(asked(n)).await.map_err(|_| Odd)?;
        Ok(listed.into_inner().next().await.unwrap().unwrap().n)
    });
    both(async |n| number(service().shared(asked(n)).await));
    both(async |n| number(Others::get(&*service(), asked(n)).await));
    both(async |n| number(Others::get(&1, asked(n)).await));
}

#[test]
fn client_streaming_call_has_one_flow() {
    let seen = super::flows_of(async |orchestrator| {
        let stream: Pin<Box<Numbered>> = Box::pin(tokio_stream::iter([1, 3]).map(|n| Number { n }));
        let call = orchestrator.scope(async { number(Service { step: 1 }.sum(Request::new(stream)).await) });
        assert_eq!(tokio::spawn(call).await.unwrap(), Ok(4));
    });
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1, "4");
}
