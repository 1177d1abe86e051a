//! `event`: emit the event with the value; emit its `.failed` twin with code and message.

use std::sync::Arc;

use super::{Backends, Done, did, fault, no_backend, skipped};
use crate::{Event, Flow, backends::Reply};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    match &flow.values.fault {
        // An event without its value would be believed.
        Some(text) if flow.event_name().is_some() => Reply::failed(fault(text)),
        _ => emit(backends, flow),
    }
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    emit(backends, flow)
}

fn emit(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(events) = &backends.events else { return no_backend() };
    let Some(event) = Event::of(flow) else { return skipped("no event") };
    events.emit(event).map(|()| did("emitted"))
}
