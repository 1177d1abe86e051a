//! `fallback`: remember the last good value; recover from an error with it.
//!
//! A fallback function is typed, so the handler's own future runs it; this file contains the parts that need no type.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use super::{Backends, Done, did, no_backend, skipped};
use crate::{
    backends::{CacheEntry, CacheWrite, Reply},
    flow::{Argument, CallOutcome, Flow, Payload},
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(cache) = &backends.cache else { return no_backend() };
    if let Some(fault) = flow.fault(&[Argument::Key, Argument::Version, Argument::Payload]) {
        return Reply::failed(fault);
    }
    let Some(key) = flow.last_good_key() else { return skipped("no key") };
    let entry = CacheEntry::new(flow.payload().clone(), flow.at, flow.version());
    cache.put(&key, entry, max_age(flow)).map(|write| match write {
        CacheWrite::Done => did("remembered"),
        CacheWrite::Newer => Done::Skipped("a newer version is cached"),
    })
}

/// Runs if no caller waits for an answer; otherwise [`last_good`] has run.
pub(super) fn error(_: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    skipped(undone(flow))
}

/// The reason why there is nothing to recover.
pub(crate) fn undone(flow: &Flow) -> &'static str {
    match flow.ending {
        CallOutcome::Ok | CallOutcome::Err => "not declared",
        CallOutcome::Panicked | CallOutcome::Cancelled => "no caller",
    }
}

/// The last good value: never older than the declared age, and not renewed by being used.
///
/// Whether the code is a server fault. Otherwise a caller who may not see a value, or asks for a deleted one, would get it.
pub(crate) fn last_good(backends: &Backends, flow: &Arc<Flow>) -> Reply<Option<Payload>> {
    let (Some(cache), true) = (&backends.cache, flow.code.is_server_fault()) else {
        return Reply::ready(None);
    };
    if let Some(fault) = flow.fault(&[Argument::Key]) {
        return Reply::failed(fault);
    }
    let Some(key) = flow.last_good_key() else { return Reply::ready(None) };
    #[cfg(feature = "__testing")]
    let _calling = crate::calling::enter(crate::step::Step::Fallback, flow);
    let (now, max_age) = (flow.at, max_age(flow));
    cache.get(&key).map(move |entry| {
        let entry = entry?;
        let age = now.duration_since(entry.stored_at);
        let fresh = max_age.is_none_or(|max| SignedDuration::try_from(max).is_ok_and(|max| age <= max));
        fresh.then_some(entry.value)
    })
}

fn max_age(flow: &Flow) -> Option<Duration> {
    match flow.declaration.options.last_good_max_age_ms {
        0 => None,
        ms => Some(Duration::from_millis(ms)),
    }
}
