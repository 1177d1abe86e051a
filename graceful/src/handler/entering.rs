//! How the block of a plain handler enters the handler: its call asks for it at the first poll, and the first statement of the block
//! answers. They can only exchange this through the thread, since nothing is passed to a block that is polled.

use std::{cell::Cell, mem::ManuallyDrop};

use super::{Active, HandlerSpec, builder::Fill};
use crate::pipeline::{Orchestrator, read_through::body::InBody};

/// A call that its block has entered.
pub(super) struct Entered {
    pub active: Active,
    /// The block runs the body, unless that must wait for its hold.
    pub in_body: Option<InBody>,
}

/// A call that has asked its block.
pub(super) struct Asked {
    /// The answer to another call, whose body makes this one in its own first poll.
    outer: Option<Box<Entered>>,
}

type Question = (&'static HandlerSpec, Orchestrator);

// These contain something only during the first poll of a block, so nothing of it needs to be dropped with the thread.
thread_local! {
    static QUESTION: Cell<ManuallyDrop<Option<Question>>> = const { Cell::new(ManuallyDrop::new(None)) };
    static ANSWER: Cell<ManuallyDrop<Option<Entered>>> = const { Cell::new(ManuallyDrop::new(None)) };
    /// Whether there is an answer, which is too large to be looked at for each call.
    static IS_ANSWERED: Cell<bool> = const { Cell::new(false) };
}

impl Asked {
    /// Asks the block that is polled next.
    #[inline]
    pub(super) fn block(spec: &'static HandlerSpec, orchestrator: Orchestrator) -> Self {
        let outer = if IS_ANSWERED.get() { set_aside() } else { None };
        QUESTION.set(ManuallyDrop::new(Some((spec, orchestrator))));
        Self { outer }
    }

    /// The answer; `None` if nothing follows the body.
    #[inline]
    pub(super) fn answer(self) -> Option<Entered> {
        let answer = if IS_ANSWERED.get() { answer() } else { None };
        if let Some(outer) = self.outer {
            put(*outer);
        }
        answer
    }
}

#[inline]
fn put(answer: Entered) {
    ANSWER.set(ManuallyDrop::new(Some(answer)));
    IS_ANSWERED.set(true);
}

#[inline]
fn answer() -> Option<Entered> {
    IS_ANSWERED.set(false);
    ManuallyDrop::into_inner(ANSWER.replace(ManuallyDrop::new(None)))
}

#[cold]
fn set_aside() -> Option<Box<Entered>> {
    answer().map(Box::new)
}

/// The first statement of a block: enters the handler if its call asks for it, and evaluates the expressions that are known before the
/// body runs. Returns whether the block must then wait at the [`gate`](super::gate).
#[inline]
pub fn entered(fill: Fill<'_>) -> bool {
    Orchestrator::any_exists() && enter(fill)
}

#[inline(never)]
fn enter(fill: Fill<'_>) -> bool {
    let asked = ManuallyDrop::into_inner(QUESTION.replace(ManuallyDrop::new(None)));
    // A call without an orchestrator does not ask.
    let Some((spec, orchestrator)) = asked else { return false };
    let Some(mut active) = Active::new(spec, Some(orchestrator), fill) else { return false };
    if !active.resolve() {
        return false;
    }
    let waits = active.is_held();
    let in_body = if waits { None } else { active.enter_body() };
    put(Entered { active, in_body });
    waits
}
