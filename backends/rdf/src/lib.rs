//! `graceful-rdf` is a crate with the knowledge graph of `graceful` as RDF: `oxigraph`, embedded, and `sparql`, on any server that
//! implements SPARQL 1.1.
//!
//! Both use the same vocabulary and build updates and queries in the same way. Terms are typed and only constants are syntax, so user
//! input cannot become part of a query.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "oxigraph", feature = "sparql")),
    allow(dead_code, unused_imports, reason = "without a graph nothing uses the rest")
)]

#[cfg(feature = "oxigraph")]
pub mod oxigraph;
mod retention;
mod rows;
mod select;
#[cfg(feature = "sparql")]
pub mod sparql;
mod text;
mod triples;
#[cfg(feature = "sparql")]
mod update;
mod vocabulary;

#[cfg(feature = "sparql")]
use graceful::{Backend, OrchestratorBuilder, backends::client::ConnectError};

pub use self::retention::Retention;
use self::rows::{activities, answered, neighbours, row};
#[cfg(feature = "oxigraph")]
use self::triples::{all, described, fact, own};

/// `GRACEFUL_GRAPH=http[s]://…`: a SPARQL server; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
#[cfg(feature = "sparql")]
pub const SPARQL: Backend = Backend::new("graceful-rdf", "GRACEFUL_GRAPH", &["http", "https"], |url| {
    Box::pin(async move {
        let graph = sparql::Graph::of_url(&url).map_err(|error| ConnectError::new(error.message()))?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.graph(graph)) as _)
    })
});
