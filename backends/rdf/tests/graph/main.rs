//! The knowledge graph that answers SPARQL, embedded and on a server.
//!
//! What a graph promises is written once, in [`promises`], and holds of both.
#![allow(missing_docs, reason = "tests")]

mod embedded;
mod flows;
mod persistence;
mod promises;
mod properties;
mod retention;
mod server;
