//! Services of axum over real HTTP.
#![allow(missing_docs, reason = "tests")]

mod clients;
mod health;
mod idempotency;
mod payloads;
mod problems;
mod rejections;

use axum::Router;
use graceful::tower::ContextLayer;
use graceful_tests::{
    World,
    http::{Server, serve},
};

/// A server of these routes, whose handlers take the world's orchestrator.
async fn served(world: &World, routes: Router) -> Server {
    serve(routes.layer(ContextLayer::new().on(&world.orchestrator))).await
}
