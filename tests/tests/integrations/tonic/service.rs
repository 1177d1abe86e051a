//! The service, and its client: what tonic's generator writes, by hand.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use graceful::{Classify, orchestrate, tonic::status};
use graceful_tests::Gate;
use http::uri::PathAndQuery;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service},
    server::NamedService,
    transport::Channel,
};
use tonic_prost::ProstCodec;

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Id {
    #[prost(uint64, tag = "1")]
    pub id: u64,
}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize, serde::Deserialize)]
pub struct User {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(string, tag = "2")]
    pub name: String,
}

#[derive(Debug, Classify)]
pub enum UserError {
    #[classify(code = NotFound, message = "no user {0}")]
    Missing(u64),
    #[classify(transparent)]
    Storage(std::io::Error),
}

#[derive(Clone, Debug)]
pub struct Users {
    pub gate: Arc<Gate>,
}

impl Users {
    /// 1 is missing, 2 is broken, 3 waits at the gate.
    async fn find(&self, id: u64) -> Result<User, UserError> {
        match id {
            1 => return Err(UserError::Missing(id)),
            2 => return Err(UserError::Storage(std::io::Error::other("disk /dev/sda1 is broken"))),
            3 => self.gate.pass().await,
            _ => {}
        }
        Ok(User { id, name: "Ada".to_owned() })
    }

    #[orchestrate(pattern = "user", cache = request.get_ref().id, event = "user_read")]
    async fn get(&self, request: Request<Id>) -> Result<Response<User>, Status> {
        let user = self.find(request.into_inner().id).await.map_err(status)?;
        Ok(Response::new(user))
    }
}

type Answer = http::Response<Body>;

impl Service<http::Request<Body>> for Users {
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<Answer, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        assert_eq!(request.uri().path(), GET);
        let users = self.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::default());
            Ok(grpc.unary(Get(users), request).await)
        })
    }
}

impl NamedService for Users {
    const NAME: &'static str = "test.Users";
}

const GET: &str = "/test.Users/Get";

struct Get(Users);

impl tonic::server::UnaryService<Id> for Get {
    type Response = User;
    type Future = BoxFuture<Response<User>, Status>;

    fn call(&mut self, request: Request<Id>) -> Self::Future {
        let users = self.0.clone();
        Box::pin(async move { users.get(request).await })
    }
}

#[derive(Clone)]
pub struct Client(tonic::client::Grpc<Channel>);

impl Client {
    pub fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    pub async fn get(&mut self, request: Request<Id>) -> Result<Response<User>, Status> {
        self.0.ready().await.unwrap();
        self.0.unary(request, PathAndQuery::from_static(GET), ProstCodec::default()).await
    }
}
