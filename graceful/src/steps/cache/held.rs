//! The end of a write whose entities are read through the cache.

use std::sync::Arc;

use super::{INVALIDATED, UNTOUCHED, forget_last_good, to_put, ttl, types};
use crate::{
    backends::{Backends, CacheEntry, End, Ended, ReadThrough, Reply},
    code::Code,
    flow::{Argument, CallOutcome, Flow, OnErr, Own, Progress, Writing},
    marks::EntryName,
    steps::{Done, did, failing, skipped},
};

/// The arguments that name the entities of a write. Where one has no value, the write ends for the whole pattern, and is reported.
const NAMES: [Argument; 3] = [Argument::Key, Argument::Touches, Argument::DependsOn];

pub(super) fn success(
    backends: &Backends,
    protocol: &dyn ReadThrough,
    flow: &Arc<Flow>,
    writing: &Writing,
) -> Reply<Done> {
    let write = writing.changed(flow);
    let value = if writing.alone { Ok(None) } else { to_put(flow) };
    let fault = value.as_ref().err().cloned().or_else(|| flow.fault(&NAMES));
    let key = flow.cache_key();
    let put = value.ok().flatten().and_then(|value| {
        // The value of an entity that was not held before the body may be older than what another write has stored.
        let is_known = !flow.values.faults.has(Argument::DependsOn);
        let own = key.clone().filter(|_| is_known && writing.own == Own::First && writing.held.is_some())?;
        types::check(flow);
        let name = EntryName::new(own, writing.variant.clone()?, write.depends_on.clone());
        Some(End::Put { name, entry: CacheEntry::new(value, flow.at, None), ttl: ttl(flow) })
    });
    let puts = put.is_some();
    let end = || {
        let ended = protocol.end(&write, writing.held.as_ref(), put.unwrap_or(End::Invalidate));
        ended.map(move |ended| match ended {
            Ended::Put => did("put"),
            _ if puts => did("invalidated: another call was changing the entity"),
            _ => did(INVALIDATED),
        })
    };
    let ended = match (&backends.cache, &key) {
        _ if write.changes().is_empty() => skipped("no key"),
        (Some(cache), Some(key)) if !puts && writing.own != Own::Unheld => {
            forget_last_good(&**cache, key, flow, end)
        }
        _ => end(),
    };
    failing(ended, fault)
}

pub(super) fn error(protocol: &dyn ReadThrough, flow: &Arc<Flow>, writing: &Writing) -> Reply<Done> {
    if writing.in_transaction && writing.held.is_none() {
        return Reply::ready(did("kept: nothing was committed"));
    }
    let write = writing.changed(flow);
    if write.changes().is_empty() {
        return skipped("no key");
    }
    let (end, what) = match flow.declaration.options.on_err {
        _ if writing.progress == Progress::NotBegun => (End::Restore, "kept: the body did not run"),
        _ if is_unknown(flow) => (End::Unknown, INVALIDATED),
        OnErr::Auto if flow.code.state_untouched() && writing.progress != Progress::Touched => {
            (End::Restore, UNTOUCHED)
        }
        _ => (End::Invalidate, INVALIDATED),
    };
    let ended = protocol.end(&write, writing.held.as_ref(), end).map(move |ended| match ended {
        Ended::Restored => did(what),
        _ => did(INVALIDATED),
    });
    failing(ended, flow.fault(&NAMES))
}

/// Whether a commit may still be in flight.
fn is_unknown(flow: &Flow) -> bool {
    flow.ending != CallOutcome::Err
        || matches!(
            flow.code,
            Code::Cancelled
                | Code::Unknown
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        )
}
