//! `graph`: relate the entity to the flow: succeeded; failed, with the code.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Backends, Done, did, no_backend};
use crate::{
    Flow,
    backends::{Edge, Node, Reply},
};

/// `graph(relation = …, to = …)` says what a success means; an error is always a failed flow.
pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let relation = match flow.declaration.relation.is_empty() {
        true => SmolStr::new_static("succeeded"),
        false => flow.declaration.relation.clone(),
    };
    let object = flow.values.graph_to.clone().map_or(Node::Flow(flow.id), Node::Named);
    relate(backends, flow, relation, object)
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    relate(backends, flow, SmolStr::new_static("failed"), Node::Flow(flow.id))
}

fn relate(backends: &Backends, flow: &Flow, relation: SmolStr, object: Node) -> Reply<Done> {
    let Some(graph) = &backends.graph else { return no_backend() };
    let subject = Node::Entity(flow.entity());
    graph.relate(Edge { subject, relation, object, code: flow.code, at: flow.at }).map(|()| did("related"))
}
