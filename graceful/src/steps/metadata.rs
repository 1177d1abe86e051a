//! `metadata`: the entity's counters and its chain of flows, normalised by the same function on both arms.

use std::sync::Arc;

use super::{Backends, Done, fault, no_backend};
use crate::{Flow, backends::Reply};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow)
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    record(backends, flow)
}

fn record(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(store) = &backends.metadata else { return no_backend() };
    let recorded = store.record(flow);
    match &flow.values.metadata_fault {
        // The flow counts; what it should have carried is missing, and that is seen.
        Some(text) => {
            let error = fault(text);
            recorded.and_then(|_| Err(error))
        }
        None => recorded.map(Done::Normalised),
    }
}
