//! `graph`: relate the entity to the flow: succeeded; failed, with the code.

use std::sync::Arc;

use super::{Backends, Done, did, failing, no_backend};
use crate::{
    backends::Reply,
    flow::{
        Argument::{self, GraphTo},
        Flow,
    },
};

/// `graph(relation = …, to = …)` adds an edge to a success; an error only relates the entity to the failed flow.
pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow, &[GraphTo])
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow, &[])
}

/// Records the flow even if the related entity has no name; then the step fails.
fn record(backends: &Backends, flow: &Arc<Flow>, used: &[Argument]) -> Reply<Done> {
    let Some(graph) = &backends.graph else { return no_backend() };
    let fault = flow.entity_fault().or_else(|| flow.fault(used));
    failing(graph.record(flow).map(|()| did("related")), fault)
}
