//! `nexus`: register the pattern; register `pattern.error`.

use std::sync::Arc;

use super::{Backends, Done, did, failing, no_backend};
use crate::{backends::Reply, flow::Flow};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    register(backends, flow)
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    register(backends, flow)
}

/// Both arms are the same, because [`Flow::registered_pattern`] returns the name for the flow's outcome.
fn register(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(nexus) = &backends.nexus else { return no_backend() };
    failing(nexus.register(flow).map(|()| did("registered")), flow.fault(&[]))
}
