//! `audit`: append a record of the flow; both arms do the same.

use std::sync::Arc;

use super::{Backends, Done, did, failing, no_backend};
use crate::{
    backends::Reply,
    flow::{
        Argument::{self, Actor, Message, Payload},
        Flow,
    },
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    append(backends, flow, &[Actor, Message, Payload])
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    append(backends, flow, &[Actor])
}

/// An incomplete record is better than none.
fn append(backends: &Backends, flow: &Arc<Flow>, used: &[Argument]) -> Reply<Done> {
    let Some(audit) = &backends.audit else { return no_backend() };
    let fault = flow.entity_fault().or_else(|| flow.fault(used));
    failing(audit.append(flow).map(|()| did("appended")), fault)
}
