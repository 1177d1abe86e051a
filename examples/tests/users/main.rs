//! The example `users` over real HTTP and gRPC on each database: the answers to its clients and the effects of each step.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

/// Each case as a test on SQLite and as one on PostgreSQL.
macro_rules! on_each_database {
    ($($case:ident)*) => {
        mod on_sqlite {
            $(#[test]
            async fn $case() {
                super::$case(crate::databases::Kind::Sqlite).await;
            })*
        }

        mod on_postgres {
            $(#[test(requires(Postgres))]
            async fn $case() {
                super::$case(crate::databases::Kind::Postgres).await;
            })*
        }
    };
}

mod asyncapi;
mod clients;
mod databases;
mod effects;
mod grpc;
mod rest;

use std::{
    future::pending,
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use graceful::{Orchestrator, RelaySettings, backends::FlowState};
use graceful_examples::users::{Answer, Domains, Mail, Users, UsersClient, serve};
use graceful_testing::InState as _;
use graceful_testing::{Recorded, Recorder};
use graceful_tests::{Gate, gate::awaited, http::Server};
use http::{Request, Response};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::Channel;

use self::databases::{Database, Kind};

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

on_each_database! {
    restart_loses_no_data
}

/// The servers as `main` starts them, with the recorder for an orchestrator.
struct World {
    recorder: Recorder,
    rest: Server,
    grpc: UsersClient<Channel>,
    /// Before which the mail for `slow@example.org` waits.
    gate: Arc<Gate>,
    /// How many handlers were called.
    called: AtomicUsize,
    serving: JoinHandle<()>,
    database: Database,
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

/// Runs a case on an empty database.
async fn on(kind: Kind, case: impl AsyncFn(&mut World)) {
    let mut world = World::new(Database::new(kind).await).await;
    case(&mut world).await;
    world.stop().await.clean().await;
}

/// The same, with Ada in it, number 1.
async fn with_ada_on(kind: Kind, case: impl AsyncFn(&mut World)) {
    on(kind, async |world| {
        let answer = world.send("root", "POST", "/users", ADA).await;
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("x-request-id")), (201, true));
        world.last().await;
        case(world).await;
    })
    .await;
}

impl World {
    async fn new(database: Database) -> Self {
        let url = database.url();
        let builder = Orchestrator::builder()
            .service("users")
            .settings(graceful_tests::BACKENDS, [("GRACEFUL_STORE", &url)]);
        let builder = builder.await.unwrap().relay(RelaySettings::default().poll(Duration::from_millis(5)));
        let recorder = Recorder::with(|_| builder);
        let gate = Arc::new(Gate::closed());
        let users = Arc::new(Users::open(&url, Scripted(Arc::clone(&gate))).await.unwrap());
        let domains = Domains::open(&url).await.unwrap();
        let [rest, grpc] = [listener().await, listener().await];
        let addresses = [rest.local_addr().unwrap(), grpc.local_addr().unwrap()];
        let orchestrator = recorder.orchestrator().clone();
        let serving = tokio::spawn(async move {
            serve(users, domains, &orchestrator, rest, grpc).when(pending()).await.unwrap();
        });
        let grpc = UsersClient::connect(format!("http://{}", addresses[1])).await.unwrap();
        let (rest, called) = (Server::at(addresses[0]), AtomicUsize::new(0));
        Self { recorder, rest, grpc, gate, called, serving, database }
    }

    async fn send(&self, who: &str, method: &str, path: &str, body: &str) -> Response<String> {
        self.called();
        self.ask(who, method, path, body).await
    }

    /// The same for a request that no flow follows: a hit, or one that is refused before its handler.
    async fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Response<String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer token-of-{who}"))
            .header("content-type", "application/json")
            .header("x-request-id", "r-1");
        self.rest.send(request.body(body.to_owned()).unwrap()).await
    }

    /// Creates a user with an idempotency key.
    async fn create(&self, who: &str, key: &str, body: &str) -> Response<String> {
        let request = Request::post("/users")
            .header("authorization", format!("Bearer token-of-{who}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.rest.send(request.body(body.to_owned()).unwrap()).await
    }

    /// A handler is called, so one more flow will end.
    fn called(&self) {
        self.called.fetch_add(1, Ordering::Relaxed);
    }

    /// What followed each call: writes are durable, so that their relay is waited for.
    async fn flows(&self) -> Vec<Recorded> {
        let flows = awaited(self.recorder.ended(self.called.load(Ordering::Relaxed))).await;
        assert_eq!(flows.len(), self.called.load(Ordering::Relaxed));
        flows
    }

    /// What followed the last call.
    async fn last(&self) -> Recorded {
        self.flows().await.pop().unwrap()
    }

    async fn stop(self) -> Database {
        self.serving.abort();
        assert_eq!(self.recorder.orchestrator().shutdown(Duration::MAX).await, 0);
        self.database
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

/// Data that was written is there when the service starts again.
async fn restart_loses_no_data(kind: Kind) {
    let world = World::new(Database::new(kind).await).await;
    assert_eq!(world.send("root", "POST", "/users", ADA).await.status(), 201);
    let id = world.last().await.flow().id();

    let world = World::new(world.stop().await).await;
    assert_eq!(world.send("ada", "GET", "/users/1", "").await.body(), ADA_1);
    let orchestrator = world.recorder.orchestrator();
    let records = orchestrator.audit().unwrap().records(Some(&orchestrator.key("user", 1)), 9).await.unwrap();
    assert_eq!(records.len(), 1, "the read has no record");
    let durable = orchestrator.flows().unwrap().in_state(FlowState::Completed).await.unwrap();
    assert_eq!(durable.iter().map(|flow| flow.summary.id).collect::<Vec<_>>(), [id], "the read is not");
    world.stop().await.clean().await;
}
