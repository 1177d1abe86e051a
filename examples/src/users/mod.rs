//! A user service: REST and gRPC on one core of handlers.
//!
//! [`core`] contains the business logic, and declares the steps of each handler. [`rest`] and [`grpc`] only translate requests and
//! responses.

pub mod core;
pub mod grpc;
pub mod rest;

mod domains;
mod error;
mod identity;
mod mail;
mod proto;
mod table;

use std::sync::Arc;

use graceful::{Orchestrator, axum::Serve, tower::ReplayLayer};
use tokio::net::TcpListener;
use tonic::transport::Server;

pub use self::{
    core::{NewUser, User, Users},
    domains::Domains,
    error::UserError,
    mail::{Answer, AnyMail, Mail},
    proto::{CreateUser, Deleted, User as UserMessage, UserId, users_client::UsersClient},
};

/// Serves both until the process is asked to end.
pub fn serve<M: Mail>(
    users: Arc<Users<M>>,
    domains: Domains,
    orchestrator: &Orchestrator,
    rest: TcpListener,
    grpc: TcpListener,
) -> Serve {
    let layer = identity::layer(orchestrator);
    let server = Server::builder().layer(layer.clone());
    let grpc = graceful::tonic::serve(grpc, server, grpc::service(Arc::clone(&users)));
    let routes = rest::routes(users).merge(rest::domains(domains)).layer(ReplayLayer::new()).layer(layer);
    graceful::axum::serve(rest, routes).and(grpc).on(orchestrator)
}
