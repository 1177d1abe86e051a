//! The knowledge graph as RDF: one vocabulary, one builder of updates and queries, for every engine that speaks SPARQL 1.1.
//!
//! Terms are typed and only constants are syntax, so that no text of a user's can become a part of a query.

mod retention;
mod rows;
mod text;
mod triples;
pub(super) mod vocabulary;

#[cfg(feature = "sparql")]
pub(super) mod update;

pub(super) mod select;

pub use self::retention::Retention;
pub(super) use self::rows::{activities, answered, neighbours, row};
#[cfg(feature = "graph")]
pub(super) use self::triples::{all, described, fact, own};
