//! The end of a load: its value is shared and stored; nothing of a failure is.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{ttl, types};
use crate::{
    backends::{CacheEntry, ReadThrough, Reply},
    cache_stats::CacheOutcome,
    flights::Landing,
    flow::{Argument, CallOutcome, Flow, Loading, Payload},
    marks::Lease,
    steps::{Done, did, skipped},
};

pub(super) fn success(cache: &dyn ReadThrough, flow: &Arc<Flow>, loading: &Loading) -> Reply<Done> {
    let value = flow.values.cache_value.as_ref();
    let used = if value.is_some() { Argument::CacheValue } else { Argument::Payload };
    if let Some(fault) = flow.fault(&[used]) {
        fail(cache, loading, Landing::Failed);
        return Reply::failed(fault);
    }
    if let Some(reason) = loading.refused() {
        fail(cache, loading, Landing::Failed);
        return skipped(reason);
    }
    types::check(flow);
    let value = value.unwrap_or(&flow.values.payload).clone();
    let why = match (loading.storable, loading.seen.held) {
        (true, _) => "an entity was changed meanwhile",
        (false, true) => "an entity was being changed",
        (false, false) => "an entity was changed within the time of lag",
    };
    fill(cache, loading, value, flow.at, ttl(flow))
        .map(move |stored| if stored { did("filled") } else { Done::Skipped(why) })
}

pub(super) fn error(cache: &dyn ReadThrough, flow: &Arc<Flow>, loading: &Loading) -> Reply<Done> {
    let landing = match flow.ending {
        CallOutcome::Ok | CallOutcome::Err => Landing::Failed,
        CallOutcome::Panicked | CallOutcome::Cancelled => Landing::Gone,
    };
    fail(cache, loading, landing);
    skipped("nothing to store")
}

/// Shares what was loaded, and stores it. Returns whether it was stored.
pub(crate) fn fill(
    cache: &dyn ReadThrough,
    loading: &Loading,
    value: Payload,
    at: Timestamp,
    ttl: Duration,
) -> Reply<bool> {
    loading.land(Landing::Loaded(value.clone()));
    if !loading.storable {
        loading.counters.count(CacheOutcome::Refused);
        release(cache, loading);
        return Reply::ready(false);
    }
    let counters = Arc::clone(&loading.counters);
    let entry = CacheEntry::new(value, at, None);
    cache.fill(&loading.name, &loading.seen, entry, ttl).map(move |stored| {
        counters.count(if stored { CacheOutcome::Filled } else { CacheOutcome::Refused });
        stored
    })
}

/// Ends a load without a value.
pub(crate) fn fail(cache: &dyn ReadThrough, loading: &Loading, landing: Landing<Payload>) {
    if matches!(landing, Landing::Gone) {
        loading.counters.count(CacheOutcome::LeaderCancelled);
    }
    loading.land(landing);
    release(cache, loading);
}

/// Nobody waits for the reply: a lease that is not released expires.
fn release(cache: &dyn ReadThrough, loading: &Loading) {
    if let Lease::Taken(lease) = loading.seen.lease {
        drop(cache.release(&loading.name, lease));
    }
}
