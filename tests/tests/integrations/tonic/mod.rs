//! A service of tonic over real gRPC: metadata becomes the context, and errors become statuses with details.
#![allow(missing_docs, reason = "tests")]

mod clients;
mod errors;
mod idempotency;
mod metadata;
mod service;

use std::sync::Arc;

use graceful::tower::ContextLayer;
use graceful_tests::{Gate, World};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Server, server::TcpIncoming};

use self::service::{Client, Users};

/// A server whose handlers take the world's orchestrator, and a client of it.
async fn served(world: &World) -> (Client, Arc<Gate>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gate = Arc::new(Gate::closed());
    let server = Server::builder()
        .layer(
            ContextLayer::new()
                .on(&world.orchestrator)
                .tenant(|request| Some(request.headers.get("x-tenant")?.to_str().ok()?.to_owned())),
        )
        .serve_with_incoming(Users { gate: Arc::clone(&gate) }, TcpIncoming::from(listener));
    tokio::spawn(async { server.await.unwrap() });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    (Client::new(channel), gate)
}
