//! The bodies around a look-up: a handler that writes, or a load of the same entry.

use std::sync::Arc;

use tokio::task_local;

use crate::{flights::Load, flow::Touched, key::Key, marks::EntryName};

task_local! {
    static BODY: Arc<Body>;
}

/// A body that runs, and the one around it.
#[derive(Debug)]
pub(crate) struct Body {
    kind: BodyKind,
    outer: Option<Arc<Body>>,
}

/// What a body does with the cache.
#[derive(Debug)]
pub(crate) enum BodyKind {
    /// It may write. Before its commit it may read what nobody else may see.
    Writes {
        /// The entities that it holds.
        holds: Vec<Key>,
        /// It has an open transaction.
        tx: bool,
        touched: Touched,
    },
    /// It loads an entry.
    Loads(Load),
}

/// What the bodies around a look-up mean for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    /// A write: nothing is stored or shared.
    pub write: bool,
    /// The entry may be read: no write around holds its entity, or has an open transaction.
    pub may_hit: bool,
    /// The same entry is being loaded around.
    pub same_load: bool,
}

impl Within {
    const NOTHING: Self = Self { write: false, may_hit: true, same_load: false };
}

impl Body {
    /// A body inside of the current one.
    pub(crate) fn within(kind: BodyKind) -> Arc<Self> {
        Arc::new(Self { kind, outer: BODY.try_with(Arc::clone).ok() })
    }

    fn contains(&self, load: &Load, name: &EntryName) -> Within {
        let mut within = Within::NOTHING;
        let mut next = Some(self);
        while let Some(body) = next {
            match &body.kind {
                BodyKind::Writes { holds, tx, .. } => {
                    within.write = true;
                    let mut names = [&name.entity].into_iter().chain(&name.depends_on);
                    within.may_hit &= !tx && !names.any(|key| holds.contains(key));
                }
                BodyKind::Loads(other) => within.same_load |= other == load,
            }
            next = body.outer.as_deref();
        }
        within
    }

    /// Runs code of the body.
    pub(crate) fn enter<R>(self: &Arc<Self>, run: impl FnOnce() -> R) -> R {
        BODY.sync_scope(Arc::clone(self), run)
    }
}

/// What surrounds a look-up. Most look-ups are inside of nothing.
#[inline]
pub(crate) fn around(load: impl FnOnce() -> Load, name: &EntryName) -> Within {
    BODY.try_with(|body| body.contains(&load(), name)).unwrap_or(Within::NOTHING)
}

/// Tells the innermost body that may write that it touches an entity. Returns false if there is none.
pub(crate) fn touch(key: &Key) -> bool {
    let touch = |body: &Arc<Body>| {
        let mut next = Some(body);
        while let Some(body) = next {
            if let BodyKind::Writes { touched, .. } = &body.kind {
                touched.add(key.clone());
                return true;
            }
            next = body.outer.as_ref();
        }
        false
    };
    BODY.try_with(touch).unwrap_or(false)
}
