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

/// Which of the two names it is, [`Flow::registered_pattern`] says.
fn register(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(nexus) = &backends.nexus else { return no_backend() };
    failing(nexus.register(flow).map(|()| did("registered")), flow.fault(&[]))
}
