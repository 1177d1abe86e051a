//! `schedule`: complete the entity's review job; open or bump it.

use std::{sync::Arc, time::Duration};

use super::{Backends, Done, did, failing, no_backend, skipped};
use crate::{
    backends::{JobChange, Reply},
    flow::Flow,
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(scheduler) = &backends.scheduler else { return no_backend() };
    let former = flow.under_former_identities();
    if former.is_empty() {
        return failing(scheduler.complete(&flow.incident()).map(done), flow.entity_fault());
    }
    let (scheduler, own) = (Arc::clone(scheduler), flow.incident());
    let completed = Reply::pending(async move {
        let mut change = scheduler.complete(&own).await?;
        for flow in former {
            if scheduler.complete(&flow.incident()).await? == JobChange::Completed {
                change = JobChange::Completed;
            }
        }
        Ok(change)
    });
    failing(completed.map(done), flow.entity_fault())
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(scheduler) = &backends.scheduler else { return no_backend() };
    if !flow.code.is_server_fault() {
        return skipped("not a server fault");
    }
    let after = Duration::from_millis(flow.declaration.options.schedule_after_ms);
    failing(scheduler.open(flow, after).map(done), flow.entity_fault())
}

const fn done(change: JobChange) -> Done {
    did(match change {
        JobChange::Opened => "opened",
        JobChange::Bumped => "bumped",
        JobChange::Completed => "completed",
        JobChange::NotOpen => "no open job",
    })
}
