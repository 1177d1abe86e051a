//! `schedule`: complete the entity's review job; open or bump it.

use std::{sync::Arc, time::Duration};

use super::{Backends, Done, did, no_backend, skipped};
use crate::{
    Flow,
    backends::{JobChange, Reply},
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(scheduler) = &backends.scheduler else { return no_backend() };
    scheduler.complete(&flow.incident()).map(done)
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(scheduler) = &backends.scheduler else { return no_backend() };
    if !flow.code.is_server_fault() {
        return skipped("not a server fault");
    }
    scheduler.open(flow, Duration::from_millis(flow.declaration.options.schedule_after_ms)).map(done)
}

const fn done(change: JobChange) -> Done {
    did(match change {
        JobChange::Opened => "opened",
        JobChange::Bumped => "bumped",
        JobChange::Completed => "completed",
        JobChange::NotOpen => "nothing open",
    })
}
