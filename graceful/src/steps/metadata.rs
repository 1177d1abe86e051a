//! `metadata`: the entity's counters and its chain of flows, normalised by the same function on both arms.

use std::sync::Arc;

use super::{Backends, Done, failing, no_backend, skipped};
use crate::{
    backends::Reply,
    flow::{
        Argument::{self, Error, Metadata},
        Flow,
    },
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow, &[Metadata])
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow, &[Metadata, Error])
}

fn record(backends: &Backends, flow: &Arc<Flow>, used: &[Argument]) -> Reply<Done> {
    let Some(store) = &backends.metadata else { return no_backend() };
    if let Some(fault) = flow.entity_fault() {
        return Reply::failed(fault);
    }
    if !flow.has_entity() {
        return skipped("no entity");
    }
    // The flow is counted even if its declared metadata has no value; then the step fails.
    failing(store.record(flow).map(Done::Normalised), flow.fault(used))
}
