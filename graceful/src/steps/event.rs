//! `event`: emit the event with the value; emit the event `NAME.failed` with code and message.

use std::sync::Arc;

use super::{Backends, Done, did, no_backend, skipped};
use crate::{
    backends::Reply,
    flow::{
        Argument::{self, Actor, EventPayload, Message, Payload},
        Event, Flow,
    },
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    match flow.values.event_payload {
        Some(_) => emit(backends, flow, &[Actor, Message, EventPayload]),
        None => emit(backends, flow, &[Actor, Message, EventPayload, Payload]),
    }
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    emit(backends, flow, &[Actor])
}

fn emit(backends: &Backends, flow: &Arc<Flow>, used: &[Argument]) -> Reply<Done> {
    let Some(events) = &backends.events else { return no_backend() };
    let Some(event) = Event::of(flow) else { return skipped("no event") };
    // Consumers could not see that an event is incomplete.
    if let Some(fault) = flow.fault(used) {
        return Reply::failed(fault);
    }
    events.emit(event).map(|()| did("emitted"))
}
