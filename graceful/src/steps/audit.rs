//! `audit`: append a record of the flow, whatever it came to.

use std::sync::Arc;

use super::{Backends, Done, did, no_backend};
use crate::{Flow, backends::Reply};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    append(backends, flow)
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    append(backends, flow)
}

fn append(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(audit) = &backends.audit else { return no_backend() };
    audit.append(flow).map(|()| did("appended"))
}
