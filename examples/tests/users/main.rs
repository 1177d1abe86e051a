//! The example `users`, driven over real HTTP and gRPC: what its clients get, and what each step did.
#![allow(missing_docs, reason = "tests")]

mod clients;
mod effects;
mod grpc;
mod rest;

use std::{io, sync::Arc};

use graceful::testing::{Recorded, Recorder};
use graceful_examples::users::{Answer, Mail, Users, UsersClient, serve};
use graceful_tests::{Gate, http::Server};
use http::{Request, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tonic::transport::Channel;

/// The servers as `main` starts them, with the recorder for an orchestrator.
struct World {
    recorder: Recorder,
    rest: Server,
    grpc: UsersClient<Channel>,
    /// Before which the mail for `slow@example.org` waits.
    gate: Arc<Gate>,
}

/// A mail service that has been told what to say.
struct Scripted(Arc<Gate>);

impl Mail for Scripted {
    async fn gets_through(&self, address: &str) -> Answer {
        match address {
            "away@example.org" => Err(io::ErrorKind::ConnectionRefused.into()),
            "slow@example.org" => {
                self.0.pass().await;
                Ok(true)
            }
            address => Ok(address.contains('@')),
        }
    }
}

impl World {
    async fn new() -> Self {
        let recorder = Recorder::with(|builder| builder.service("users"));
        let gate = Arc::new(Gate::closed());
        let users = Arc::new(Users::new(Scripted(Arc::clone(&gate))));
        let [rest, grpc] = [listener().await, listener().await];
        let addresses = [rest.local_addr().unwrap(), grpc.local_addr().unwrap()];
        let orchestrator = recorder.orchestrator().clone();
        tokio::spawn(async move { serve(users, &orchestrator, rest, grpc).await.unwrap() });
        let grpc = UsersClient::connect(format!("http://{}", addresses[1])).await.unwrap();
        Self { recorder, rest: Server::at(addresses[0]), grpc, gate }
    }

    /// A world with Ada, number 1, in it, whose creation is forgotten by `flows`.
    async fn with_ada() -> Self {
        let world = Self::new().await;
        let answer = world.send("root", "POST", "/users", ADA).await;
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("x-request-id")), (201, true));
        world
    }

    async fn send(&self, who: &str, method: &str, path: &str, body: &str) -> Response<String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer token-of-{who}"))
            .header("content-type", "application/json")
            .header("x-request-id", "r-1");
        self.rest.send(request.body(body.to_owned()).unwrap()).await
    }

    /// What followed the last call.
    #[track_caller]
    fn last(&self) -> Recorded {
        self.recorder.last()
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

const ADA: &str = r#"{"name":"ada","email":"ada@example.org"}"#;
const ADA_1: &str = r#"{"id":1,"name":"ada","email":"ada@example.org"}"#;

#[track_caller]
fn json(answer: &Response<String>) -> Value {
    serde_json::from_str(answer.body()).unwrap()
}
