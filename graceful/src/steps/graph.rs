//! `graph`: relate the entity to the flow: succeeded; failed, with the code.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Backends, Done, did, fault, no_backend};
use crate::{Flow, backends::Reply};

/// `graph(relation = …, to = …)` says what a success means besides; an error is a failed flow and nothing more.
pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let recorded = record(backends, flow);
    match missing(flow) {
        // The flow is there; what it should have said of another entity is missing, and that is seen.
        Some(text) => recorded.and_then(move |_| Err(fault(&text))),
        None => recorded,
    }
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow)
}

fn record(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(graph) = &backends.graph else { return no_backend() };
    graph.record(flow).map(|()| did("related"))
}

/// Why there is no relation where one is declared.
fn missing(flow: &Flow) -> Option<SmolStr> {
    if flow.declaration.relation.is_empty() || flow.relation().is_some() {
        return None;
    }
    Some(flow.values.fault.clone().unwrap_or(SmolStr::new_static("what `to` names is empty")))
}
