//! A user service: REST and gRPC on one core of handlers.
//!
//! [`core`] contains the business logic, and declares the steps of each handler. [`rest`] and [`grpc`] only translate requests and
//! responses.

pub mod core;
pub mod grpc;
pub mod rest;

mod error;
mod identity;
mod mail;
mod proto;
mod table;

use std::{io, sync::Arc};

use graceful::Orchestrator;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

pub use self::{
    core::{NewUser, User, Users},
    error::UserError,
    mail::{Answer, AnyMail, Mail},
    proto::{CreateUser, Deleted, User as UserMessage, UserId, users_client::UsersClient},
};

/// Serves both until one of them fails.
///
/// # Errors
/// Those of the servers.
pub async fn serve<M: Mail>(
    users: Arc<Users<M>>,
    orchestrator: &Orchestrator,
    rest: TcpListener,
    grpc: TcpListener,
) -> io::Result<()> {
    let layer = identity::layer(orchestrator);
    let grpc = tonic::transport::Server::builder()
        .layer(layer.clone())
        .serve_with_incoming(grpc::service(Arc::clone(&users)), TcpIncoming::from(grpc));
    let rest = axum::serve(rest, rest::routes(users).layer(layer)).into_future();
    tokio::select! {
        ended = rest => ended,
        ended = grpc => ended.map_err(io::Error::other),
    }
}
