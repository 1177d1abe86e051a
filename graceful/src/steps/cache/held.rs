//! The end of a write whose entities are read through the cache.

use std::sync::Arc;

use super::{INVALIDATED, UNTOUCHED, forget_last_good, to_put, ttl, types};
use crate::{
    backends::{Backends, CacheEntry, End, Ended, ReadThrough, Reply},
    code::Code,
    flow::{CallOutcome, Flow, OnErr, Own, Writing},
    marks::{EntryName, Write},
    steps::{Done, did, failing},
};

pub(super) fn success(
    backends: &Backends,
    protocol: &dyn ReadThrough,
    flow: &Arc<Flow>,
    writing: &Writing,
) -> Reply<Done> {
    let write = changed(flow, writing);
    let value = if writing.alone { Ok(None) } else { to_put(flow) };
    let fault = value.as_ref().err().cloned();
    let key = flow.cache_key();
    let put = value.ok().flatten().and_then(|value| {
        // The value of an entity that was not held before the body may be older than what another write has stored.
        let own = key.clone().filter(|_| writing.own == Own::First && writing.held.is_some())?;
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
        (Some(cache), Some(key)) if !puts => forget_last_good(&**cache, key, flow, end),
        _ => end(),
    };
    failing(ended, fault)
}

pub(super) fn error(protocol: &dyn ReadThrough, flow: &Arc<Flow>, writing: &Writing) -> Reply<Done> {
    if writing.in_transaction && writing.held.is_none() {
        return Reply::ready(did("kept: nothing was committed"));
    }
    let write = changed(flow, writing);
    let (end, what) = match flow.declaration.options.on_err {
        _ if !writing.began => (End::Restore, "kept: the body did not run"),
        _ if is_unknown(flow) => (End::Unknown, INVALIDATED),
        OnErr::Auto if flow.code.state_untouched() => (End::Restore, UNTOUCHED),
        _ => (End::Invalidate, INVALIDATED),
    };
    protocol.end(&write, writing.held.as_ref(), end).map(move |ended| match ended {
        Ended::Restored => did(what),
        _ => did(INVALIDATED),
    })
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

/// All that the call has changed; its own entity also if its key was not known before the body.
pub(crate) fn changed(flow: &Flow, writing: &Writing) -> Write {
    let mut write = writing.write.clone();
    let own = flow.cache_key().filter(|_| writing.own == Own::AfterTheBody);
    write.changes.extend(own);
    write
}
