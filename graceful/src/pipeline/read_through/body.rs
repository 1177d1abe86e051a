//! The bodies around a look-up: a handler that writes, or a load of the same entry.

use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    iter::successors,
    marker::PhantomData,
    sync::Arc,
};

use crate::{
    context::Context,
    flights::Load,
    key::Key,
    marks::EntryName,
    text::{Text, text},
};

/// An entity that a body touches, in the tenant of the context of that place.
#[derive(Debug)]
pub(crate) struct TouchedName {
    pub tenant: Text,
    pub pattern: Text,
    pub id: Text,
}

impl TouchedName {
    fn new(pattern: &str, id: &dyn Display) -> Self {
        let tenant = Context::try_current().and_then(|context| context.tenant.clone());
        Self { tenant: tenant.unwrap_or_default(), pattern: pattern.into(), id: text!("{id}") }
    }
}

thread_local! {
    /// The body whose code runs on this thread, but for those that hold nothing.
    static BODY: RefCell<Option<Arc<Body>>> = const { RefCell::new(None) };
    /// How many bodies that may write, and hold nothing, run on this thread, one inside of another. Most handlers of a program that reads
    /// through the cache are such, so it is only counted.
    static UNHELD: Cell<usize> = const { Cell::new(0) };
    /// How many of them have an open transaction.
    static UNHELD_TX: Cell<usize> = const { Cell::new(0) };
    /// What the bodies on this thread have touched, as a stack: each takes its own when it is left.
    static TOUCHED: RefCell<Vec<TouchedName>> = const { RefCell::new(Vec::new()) };
    /// The length of that stack.
    static TOUCHED_LEN: Cell<usize> = const { Cell::new(0) };
}

/// As long as it lives, code of a body runs on this thread.
#[must_use = "the body is left when it is dropped"]
pub(crate) struct InBody {
    around: Around,
    /// The length of the stack when it was entered.
    touched_before: usize,
    /// It must be dropped on its thread.
    thread: PhantomData<*const ()>,
}

/// What is restored when a body is left.
enum Around {
    Body(Option<Arc<Body>>),
    Unheld { tx: bool },
}

impl InBody {
    #[inline]
    fn new(around: Around) -> Self {
        Self { around, touched_before: TOUCHED_LEN.get(), thread: PhantomData }
    }

    /// Enters a body that may write, and holds nothing; `tx`: it has an open transaction.
    #[inline]
    pub(crate) fn unheld(tx: bool) -> Self {
        UNHELD.set(UNHELD.get() + 1);
        if tx {
            UNHELD_TX.set(UNHELD_TX.get() + 1);
        }
        Self::new(Around::Unheld { tx })
    }

    /// Leaves the body of a write. Returns what it has touched.
    #[inline]
    pub(crate) fn leave(self) -> Vec<TouchedName> {
        match TOUCHED_LEN.get() > self.touched_before {
            true => self.touched(),
            false => Vec::new(),
        }
    }

    #[cold]
    fn touched(&self) -> Vec<TouchedName> {
        TOUCHED_LEN.set(self.touched_before);
        TOUCHED.with_borrow_mut(|touched| touched.split_off(self.touched_before))
    }
}

impl Drop for InBody {
    #[inline]
    fn drop(&mut self) {
        match &mut self.around {
            Around::Body(outer) => BODY.set(outer.take()),
            Around::Unheld { tx } => {
                UNHELD.set(UNHELD.get() - 1);
                if *tx {
                    UNHELD_TX.set(UNHELD_TX.get() - 1);
                }
            }
        }
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
    #[inline]
    fn nothing() -> Self {
        Self { write: UNHELD.get() > 0, may_hit: UNHELD_TX.get() == 0, same_load: false }
    }
}

impl Body {
    /// A body inside of the current one.
    pub(crate) fn within(kind: BodyKind) -> Arc<Self> {
        Arc::new(Self { kind, outer: BODY.with_borrow(Clone::clone) })
    }

    fn contains(&self, load: &Load, name: &EntryName) -> Within {
        let mut within = Within::nothing();
        for body in successors(Some(self), |body| body.outer.as_deref()) {
            match &body.kind {
                BodyKind::Writes { holds, tx } => {
                    within.write = true;
                    let mut names = [&name.entity].into_iter().chain(&name.depends_on);
                    within.may_hit &= !tx && !names.any(|key| holds.contains(key));
                }
                BodyKind::Loads(other) => within.same_load |= other == load,
            }
        }
        within
    }

    /// Enters the body, until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InBody {
        InBody::new(Around::Body(BODY.replace(Some(Arc::clone(self)))))
    }
}

/// What surrounds a look-up. Most look-ups are inside of nothing.
#[inline]
pub(crate) fn around(load: impl FnOnce() -> Load, name: &EntryName) -> Within {
    BODY.with_borrow(|body| body.as_ref().map_or_else(Within::nothing, |body| body.contains(&load(), name)))
}

/// Records that the innermost body that may write touches an entity. Returns false if there is none around.
pub(crate) fn touch(pattern: &str, id: &dyn Display) -> bool {
    let holds = |body: &Body| matches!(body.kind, BodyKind::Writes { .. });
    let may_write = UNHELD.get() > 0
        || BODY.with_borrow(|body| successors(body.as_deref(), |body| body.outer.as_deref()).any(holds));
    if may_write {
        // Formatted first, because that is the user's code.
        let name = TouchedName::new(pattern, id);
        TOUCHED.with_borrow_mut(|touched| {
            touched.push(name);
            TOUCHED_LEN.set(touched.len());
        });
    }
    may_write
}
