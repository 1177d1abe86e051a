//! The end of a load: its value is shared and stored; nothing of a failure is.

use std::sync::Arc;

use super::ttl;
use crate::{
    backends::{CacheEntry, ReadThrough, Reply},
    flights::Landing,
    flow::{Argument, CallOutcome, Flow, Loading},
    marks::Lease,
    steps::{Done, did, skipped},
};

pub(super) fn success(cache: &dyn ReadThrough, flow: &Arc<Flow>, loading: &Loading) -> Reply<Done> {
    let value = flow.values.cache_value.as_ref();
    let used = if value.is_some() { Argument::CacheValue } else { Argument::Payload };
    if let Some(fault) = flow.fault(&[used]) {
        loading.land(Landing::Failed);
        release(cache, loading);
        return Reply::failed(fault);
    }
    if let Some(reason) = loading.refused() {
        loading.land(Landing::Failed);
        release(cache, loading);
        return skipped(reason);
    }
    super::types::check(flow);
    let value = value.unwrap_or(&flow.values.payload).clone();
    loading.land(Landing::Loaded(value.clone()));
    if !loading.storable {
        loading.counters.refused.add();
        release(cache, loading);
        return skipped("an entity was being changed");
    }
    let counters = Arc::clone(&loading.counters);
    let entry = CacheEntry::new(value, flow.at, None);
    cache.fill(&loading.name, &loading.seen, entry, ttl(flow)).map(move |stored| match stored {
        true => {
            counters.filled.add();
            did("filled")
        }
        false => {
            counters.refused.add();
            Done::Skipped("an entity was changed meanwhile")
        }
    })
}

pub(super) fn error(cache: &dyn ReadThrough, flow: &Arc<Flow>, loading: &Loading) -> Reply<Done> {
    loading.land(match flow.ending {
        CallOutcome::Ok | CallOutcome::Err => Landing::Failed,
        CallOutcome::Panicked | CallOutcome::Cancelled => {
            loading.counters.leader_cancelled.add();
            Landing::Gone
        }
    });
    release(cache, loading);
    skipped("nothing to store")
}

/// Nobody waits for the reply: a lease that is not released expires.
fn release(cache: &dyn ReadThrough, loading: &Loading) {
    if let Lease::Taken(lease) = loading.seen.lease {
        drop(cache.release(&loading.name, lease));
    }
}
