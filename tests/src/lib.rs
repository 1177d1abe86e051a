//! What the tests share: a world to look into, users, hooks, backends and networks at fault, servers, and the log.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "for tests: a helper that panics fails the test")]

pub mod blanket;
pub mod copied;
#[cfg(doctest)]
pub mod docs;
pub mod faulty;
pub mod faulty_protocol;
pub mod gate;
pub mod harness;
pub mod hooks;
pub mod http;
pub mod inboxes;
pub mod killed;
pub mod log;
pub mod old_audit;
pub mod proxy;
pub mod raw_http;
pub mod renamed;
pub mod reports;
pub mod requirement;
pub mod servers;
pub mod services;
pub mod shapes;
pub mod soak;
pub mod telemetry;
pub mod users;
pub mod values;
pub mod world;

pub use self::{
    faulty::{Fault, Faulty},
    faulty_protocol::{FaultyProtocol, Method, ProtocolFault},
    gate::Gate,
    log::Log,
    proxy::{Link, Proxy},
    reports::Reports,
    requirement::Requirement,
    users::{User, UserError, ada},
    world::World,
};

pub use graceful_test_attribute::test;

/// Every backend that a URL can choose.
pub const BACKENDS: &[graceful::Backend] = &[
    graceful_alerts::ALERTMANAGER,
    graceful_alerts::WEBHOOK,
    graceful_nats::BACKEND,
    graceful_postgres::BACKEND,
    graceful_rabbitmq::BACKEND,
    graceful_rdf::SPARQL,
    graceful_redis::BACKEND,
    graceful_redis::IDEMPOTENCY,
    graceful_sqlite::BACKEND,
];
