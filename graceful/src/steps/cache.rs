//! `cache`: put the value; invalidate the key.

pub(crate) mod fill;
mod held;
pub(crate) mod types;

use std::{sync::Arc, time::Duration};

use super::{Backends, Done, did, failing, no_backend, skipped};
use crate::{
    backends::{Cache, CacheEntry, CacheWrite, ReadThrough, Reply},
    flow::{Argument, Flow, Loading, OnErr, OnOk, Own, Payload, Writing},
    key::{Key, KeySpace},
    step::StepError,
};

const INVALIDATED: &str = "invalidated";
const UNTOUCHED: &str = "kept: the state is untouched";

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(cache) = &backends.cache else { return no_backend() };
    let held = read_through(
        &**cache,
        flow,
        |protocol, writing| held::success(backends, protocol, flow, writing),
        fill::success,
    );
    beside(held, flow, || put(&**cache, flow))
}

fn put(cache: &dyn Cache, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(key) = flow.cache_key() else { return without_key(flow) };
    match to_put(flow) {
        Ok(Some(value)) => {
            types::check(flow);
            let entry = CacheEntry::new(value, flow.at, flow.version());
            cache.put(&key, entry, Some(ttl(flow))).map(|write| match write {
                CacheWrite::Done => did("put"),
                CacheWrite::Newer => Done::Skipped("a newer version is cached"),
            })
        }
        Ok(None) => forget(cache, &key, flow, invalidated(flow)),
        Err(fault) if flow.declaration.options.on_ok == OnOk::Invalidate => {
            failing(forget(cache, &key, flow, INVALIDATED), Some(fault))
        }
        // The state has changed and there is no new value, so the old one must not stay.
        Err(fault) => failing(invalidate(cache, &key, flow, INVALIDATED), Some(fault)),
    }
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(cache) = &backends.cache else { return no_backend() };
    let held =
        read_through(&**cache, flow, |protocol, writing| held::error(protocol, flow, writing), fill::error);
    beside(held, flow, || keep_or_invalidate(&**cache, flow))
}

fn keep_or_invalidate(cache: &dyn Cache, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(key) = flow.cache_key() else { return without_key(flow) };
    match flow.declaration.options.on_err {
        OnErr::Keep => Reply::ready(did("kept")),
        OnErr::Auto if flow.code.state_untouched() => Reply::ready(did(UNTOUCHED)),
        OnErr::Auto | OnErr::Always => {
            failing(invalidate(cache, &key, flow, INVALIDATED), flow.fault(&[Argument::Version]))
        }
    }
}

/// A write that touches held patterns may itself be of one that is not held: then its own value is put or invalidated as well.
fn beside(held: Option<Reply<Done>>, flow: &Flow, own: impl FnOnce() -> Reply<Done>) -> Reply<Done> {
    let Some(held) = held else { return own() };
    if flow.values.cached.writing().is_none_or(|writing| writing.own != Own::Unheld) {
        return held;
    }
    // A call without a key of its own has only touched others.
    let both = |held, own| if matches!(own, Done::Skipped(_)) { held } else { own };
    match (held, own()) {
        (Reply::Ready(Some(Ok(held))), own) => own.map(move |own| both(held, own)),
        (held, own) => Reply::pending(async move {
            let (held, own) = (held.await, own.await);
            Ok(both(held?, own?))
        }),
    }
}

/// What a call of a pattern that is read through the cache does in its place; `None` for the others.
#[inline]
fn read_through(
    cache: &dyn Cache,
    flow: &Arc<Flow>,
    writes: impl FnOnce(&dyn ReadThrough, &Writing) -> Reply<Done>,
    loads: impl FnOnce(&dyn ReadThrough, &Arc<Flow>, &Loading) -> Reply<Done>,
) -> Option<Reply<Done>> {
    let cached = &flow.values.cached;
    if cached.is_unused() {
        return None;
    }
    match (cached.writing(), cached.loading()) {
        (Some(writing), _) => Some(writes(cache.read_through()?, writing)),
        (None, Some(Ok(loading))) => Some(loads(cache.read_through()?, flow, loading)),
        (None, Some(Err(reason))) => Some(failing(skipped(reason), flow.fault(&[Argument::Key]))),
        (None, None) => None,
    }
}

/// The value that a success puts; `None` if it invalidates.
///
/// # Errors
/// An argument that the step uses has no value.
fn to_put(flow: &Flow) -> Result<Option<Payload>, StepError> {
    let on_ok = flow.declaration.options.on_ok;
    let used: &[_] = match (&flow.values.cache_value, on_ok) {
        (_, OnOk::Invalidate) => &[Argument::Version],
        (Some(_), _) => &[Argument::Version, Argument::CacheValue],
        (None, _) => &[Argument::Version, Argument::CacheValue, Argument::Payload],
    };
    if let Some(fault) = flow.fault(used) {
        return Err(fault);
    }
    let value = flow.values.cache_value.as_ref().unwrap_or(&flow.values.payload);
    let put = match on_ok {
        OnOk::Auto => !value.is_null(),
        OnOk::Put => true,
        OnOk::Invalidate => false,
    };
    Ok(put.then(|| value.clone()))
}

/// What the report says. If the declaration does not ask for it, it says why.
fn invalidated(flow: &Flow) -> &'static str {
    let is_opaque = flow.declaration.options.on_ok == OnOk::Auto
        && flow.values.cache_value.is_none()
        && flow.values.not_serialize;
    if is_opaque { "invalidated: the `Ok` value is not `Serialize`" } else { INVALIDATED }
}

/// A success without a value has written or deleted, so the last good value is outdated, too.
fn forget(cache: &dyn Cache, key: &Key, flow: &Flow, what: &'static str) -> Reply<Done> {
    forget_last_good(cache, key, flow, || invalidate(cache, key, flow, what))
}

fn forget_last_good(
    cache: &dyn Cache,
    key: &Key,
    flow: &Flow,
    value: impl FnOnce() -> Reply<Done>,
) -> Reply<Done> {
    let last_good = cache.invalidate(&key.in_space(KeySpace::LastGood), flow.version(), ttl(flow));
    let value = value();
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
