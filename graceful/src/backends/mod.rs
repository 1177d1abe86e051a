//! What the steps drive: eight traits, and the engines behind them.
//!
//! A backend of your own implements one of them; the types of other crates that they speak in are here, too:
//! [`Timestamp`] of `jiff`, [`Uuid`] of `uuid`.
//!
//! A backend is given to the [builder](crate::OrchestratorBuilder); a step without one is skipped. All of them answer with a
//! [`Reply`], at once or later, and may be called from many tasks at once. What a backend does after its reply was dropped
//! is its own affair: the engine drops a reply only when the step's time budget is over.

mod traits;

#[cfg(feature = "alertmanager")]
pub mod alertmanager;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
mod breaker;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod chain;
mod connect;
#[cfg(any(feature = "memory", feature = "sqlite"))]
mod fair;
#[cfg(any(feature = "alertmanager", feature = "sparql", feature = "webhook"))]
mod http;
mod inbox;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(any(feature = "alertmanager", feature = "webhook"))]
mod notify;
#[cfg(feature = "graph")]
pub mod oxigraph;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "graph", feature = "sparql"))]
mod rdf;
#[cfg(feature = "redis")]
pub mod redis;
mod reply;
#[cfg(feature = "sparql")]
pub mod sparql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(
    feature = "alertmanager",
    feature = "nats",
    feature = "redis-tls",
    feature = "sparql",
    feature = "webhook"
))]
mod tls;
#[cfg(any(
    feature = "alertmanager",
    feature = "nats",
    feature = "postgres",
    feature = "redis",
    feature = "sparql",
    feature = "webhook"
))]
mod url;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use jiff::Timestamp;
pub use uuid::Uuid;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::chain::{AuditHead, Tampered};
#[cfg(any(feature = "graph", feature = "sparql"))]
pub use self::rdf::Retention;
pub use self::{
    connect::ConnectError,
    inbox::{Inbox, InboxEntry, ReceivedEvent},
    reply::{BoxFuture, Reply},
    traits::*,
};
