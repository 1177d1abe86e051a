//! `cache`: put the value; invalidate the key.

pub(crate) mod types;

use std::{sync::Arc, time::Duration};

use super::{Backends, Done, did, failing, no_backend, skipped};
use crate::{
    backends::{Cache, CacheEntry, CacheWrite, Reply},
    flow::{Argument, Flow, OnErr, OnOk},
    key::{Key, KeySpace},
};

const INVALIDATED: &str = "invalidated";

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(cache) = &backends.cache else { return no_backend() };
    let Some(key) = flow.cache_key() else { return without_key(flow) };
    let on_ok = flow.declaration.options.on_ok;
    let used: &[_] = match (&flow.values.cache_value, on_ok) {
        (_, OnOk::Invalidate) => &[Argument::Version],
        (Some(_), _) => &[Argument::Version, Argument::CacheValue],
        (None, _) => &[Argument::Version, Argument::CacheValue, Argument::Payload],
    };
    let fault = flow.fault(used);
    let value = flow.values.cache_value.as_ref().unwrap_or(&flow.values.payload);
    let put = match on_ok {
        OnOk::Auto => !value.is_null(),
        OnOk::Put => true,
        OnOk::Invalidate => false,
    };
    if fault.is_some() && on_ok != OnOk::Invalidate {
        // The state has changed and there is no new value, so the old one must not stay.
        return failing(invalidate(&**cache, &key, flow, INVALIDATED), fault);
    }
    if !put {
        // The declaration does not ask for this, so the report says why.
        let is_opaque = on_ok == OnOk::Auto && flow.values.cache_value.is_none() && flow.values.not_serialize;
        let what = if is_opaque { "invalidated: the `Ok` value is not `Serialize`" } else { INVALIDATED };
        return failing(forget(&**cache, &key, flow, what), fault);
    }
    types::check(flow);
    let entry = CacheEntry::new(value.clone(), flow.at, flow.version());
    cache.put(&key, entry, Some(ttl(flow))).map(|write| match write {
        CacheWrite::Done => did("put"),
        CacheWrite::Newer => Done::Skipped("a newer version is cached"),
    })
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(cache) = &backends.cache else { return no_backend() };
    let Some(key) = flow.cache_key() else { return without_key(flow) };
    match flow.declaration.options.on_err {
        OnErr::Keep => Reply::ready(did("kept")),
        OnErr::Auto if flow.code.state_untouched() => Reply::ready(did("kept: the state is untouched")),
        OnErr::Auto | OnErr::Always => {
            failing(invalidate(&**cache, &key, flow, INVALIDATED), flow.fault(&[Argument::Version]))
        }
    }
}

/// A success without a value has written or deleted, so the last good value is outdated, too.
fn forget(cache: &dyn Cache, key: &Key, flow: &Flow, what: &'static str) -> Reply<Done> {
    let last_good = cache.invalidate(&key.in_space(KeySpace::LastGood), flow.version(), ttl(flow));
    let value = invalidate(cache, key, flow, what);
    match last_good {
        Reply::Ready(Some(Ok(_))) => value,
        last_good => Reply::pending(async move {
            let (last_good, value) = (last_good.await, value.await);
            last_good.and(value)
        }),
    }
}

fn invalidate(cache: &dyn Cache, key: &Key, flow: &Flow, what: &'static str) -> Reply<Done> {
    cache.invalidate(key, flow.version(), ttl(flow)).map(move |write| match write {
        CacheWrite::Done => did(what),
        CacheWrite::Newer => Done::Skipped("a newer version is cached"),
    })
}

/// A declared key whose expression has no value is a failure; no declared key is not.
fn without_key(flow: &Flow) -> Reply<Done> {
    flow.fault(&[Argument::Key]).map_or_else(|| skipped("no key"), Reply::failed)
}

fn ttl(flow: &Flow) -> Duration {
    Duration::from_millis(flow.declaration.options.cache_ttl_ms)
}
