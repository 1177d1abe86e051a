//! The bodies around a look-up: a handler that writes, or a load of the same entry.

use std::{cell::RefCell, marker::PhantomData, sync::Arc};

use crate::{
    flights::Load,
    flow::Touched,
    key::Key,
    marks::EntryName,
    pipeline::{Orchestrator, WeakOrchestrator},
};

thread_local! {
    /// The body whose code runs on this thread.
    static BODY: RefCell<Option<Arc<Body>>> = const { RefCell::new(None) };
    /// The body of every write that holds nothing, and has none around it.
    static UNHELD: Arc<Body> = Arc::new(Body { kind: BodyKind::WritesUnheld, outer: None });
}

/// As long as it lives, code of a body runs on this thread.
#[must_use = "the body is left when it is dropped"]
pub(crate) struct InBody {
    outer: Option<Arc<Body>>,
    /// It must be dropped on its thread.
    thread: PhantomData<*const ()>,
}

impl Drop for InBody {
    fn drop(&mut self) {
        BODY.set(self.outer.take());
    }
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
        /// That of the write, which need not be the current one.
        orchestrator: WeakOrchestrator,
    },
    /// It may write what no read is known of, so it holds nothing.
    WritesUnheld,
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
        Arc::new(Self { kind, outer: BODY.with_borrow(Clone::clone) })
    }

    /// Enters a body that may write, and holds nothing.
    pub(crate) fn enter_unheld() -> InBody {
        let is_inside = BODY.with_borrow(Option::is_some);
        let body = if is_inside { Self::within(BodyKind::WritesUnheld) } else { UNHELD.with(Arc::clone) };
        body.enter()
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
                BodyKind::WritesUnheld => within.write = true,
                BodyKind::Loads(other) => within.same_load |= other == load,
            }
            next = body.outer.as_deref();
        }
        within
    }

    /// Enters the body, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InBody {
        InBody { outer: BODY.replace(Some(Arc::clone(self))), thread: PhantomData }
    }
}

/// What surrounds a look-up. Most look-ups are inside of nothing.
#[inline]
pub(crate) fn around(load: impl FnOnce() -> Load, name: &EntryName) -> Within {
    BODY.with_borrow(|body| body.as_ref().map_or(Within::NOTHING, |body| body.contains(&load(), name)))
}

/// The innermost body that may write: its orchestrator, and where it records what it touches.
pub(crate) fn writer() -> Option<(Orchestrator, Touched)> {
    BODY.with_borrow(|body| {
        let mut next = body.as_deref();
        while let Some(body) = next {
            if let BodyKind::Writes { touched, orchestrator, .. } = &body.kind {
                return Some((orchestrator.upgrade()?, touched.clone()));
            }
            next = body.outer.as_deref();
        }
        None
    })
}
