//! The bodies around a look-up: a handler that writes, or a load of the same entry.

use std::{cell::RefCell, fmt::Display, marker::PhantomData, sync::Arc};

use crate::{
    flights::Load,
    key::Key,
    marks::EntryName,
    text::{Text, text},
};

/// An entity that a body touches: its pattern and its id.
pub(crate) type TouchedName = (Text, Text);

thread_local! {
    /// The body whose code runs on this thread.
    static BODY: RefCell<Option<Arc<Body>>> = const { RefCell::new(None) };
    /// What the bodies on this thread have touched, as a stack: each takes its own when it is left.
    static TOUCHED: RefCell<Vec<TouchedName>> = const { RefCell::new(Vec::new()) };
    /// The body of every write that holds nothing, and has none around it.
    static UNHELD: Arc<Body> = Arc::new(Body { kind: BodyKind::WritesUnheld, outer: None });
}

/// As long as it lives, code of a body runs on this thread.
#[must_use = "the body is left when it is dropped"]
pub(crate) struct InBody {
    outer: Option<Arc<Body>>,
    /// The length of the stack when it was entered.
    touched_before: usize,
    /// It must be dropped on its thread.
    thread: PhantomData<*const ()>,
}

impl InBody {
    /// Leaves the body of a write. Returns what it has touched.
    #[inline]
    pub(crate) fn leave(self) -> Vec<TouchedName> {
        TOUCHED.with_borrow_mut(|touched| match touched.len() > self.touched_before {
            true => touched.split_off(self.touched_before),
            false => Vec::new(),
        })
    }
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
        for body in std::iter::successors(Some(self), |body| body.outer.as_deref()) {
            match &body.kind {
                BodyKind::Writes { holds, tx } => {
                    within.write = true;
                    let mut names = [&name.entity].into_iter().chain(&name.depends_on);
                    within.may_hit &= !tx && !names.any(|key| holds.contains(key));
                }
                BodyKind::WritesUnheld => within.write = true,
                BodyKind::Loads(other) => within.same_load |= other == load,
            }
        }
        within
    }

    /// Enters the body, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InBody {
        InBody {
            outer: BODY.replace(Some(Arc::clone(self))),
            touched_before: TOUCHED.with_borrow(Vec::len),
            thread: PhantomData,
        }
    }
}

/// What surrounds a look-up. Most look-ups are inside of nothing.
#[inline]
pub(crate) fn around(load: impl FnOnce() -> Load, name: &EntryName) -> Within {
    BODY.with_borrow(|body| body.as_ref().map_or(Within::NOTHING, |body| body.contains(&load(), name)))
}

/// Records that the innermost body that may write touches an entity. Returns false if there is none around.
pub(crate) fn touch(pattern: &str, id: &dyn Display) -> bool {
    let may_write = BODY.with_borrow(|body| {
        let mut bodies = std::iter::successors(body.as_deref(), |body| body.outer.as_deref());
        bodies.any(|body| !matches!(body.kind, BodyKind::Loads(_)))
    });
    if may_write {
        // Formatted first, because that is the user's code.
        let name = (pattern.into(), text!("{id}"));
        TOUCHED.with_borrow_mut(|touched| touched.push(name));
    }
    may_write
}
