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
#[cfg(any(feature = "alertmanager", feature = "sparql", feature = "webhook"))]
mod http;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(any(feature = "alertmanager", feature = "webhook"))]
mod notify;
#[cfg(feature = "graph")]
pub mod oxigraph;
#[cfg(any(feature = "graph", feature = "sparql"))]
mod rdf;
mod reply;
#[cfg(feature = "sparql")]
pub mod sparql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use jiff::Timestamp;
pub use uuid::Uuid;

#[cfg(any(feature = "graph", feature = "sparql"))]
pub use self::rdf::Retention;
pub use self::{
    reply::{BoxFuture, Reply},
    traits::*,
};
