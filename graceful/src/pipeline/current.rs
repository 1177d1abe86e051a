//! The task-local state: the current orchestrator, and the flow whose hook is running.

use std::{
    future::{Future, poll_fn},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{task::futures::TaskLocalFuture, task_local};
use uuid::Uuid;

use super::{
    Orchestrator,
    background::{in_lane as is_in_lane, within_lane},
};
use crate::{
    context::{self, Context},
    flow::Flow,
    step::{StepError, StepErrorKind},
    text::text,
};

/// The maximum depth of flows that are nested through hooks. The steps of a deeper flow fail.
pub(crate) const MAX_DEPTH: u8 = 8;

pub(crate) fn too_deep() -> StepError {
    StepError::of_kind(
        StepErrorKind::TooDeep,
        text!("more than {MAX_DEPTH} nested flows: a hook calls a handler whose hooks call handlers"),
    )
}

static INSTALLED: OnceLock<Orchestrator> = OnceLock::new();

task_local! {
    static SCOPED: Orchestrator;
    static PARENT: Parent;
    static LOCKED: ();
}

/// False in a program without such transactions, so that it need not read the task-local state.
static EVER_LOCKED: AtomicBool = AtomicBool::new(false);

/// The flow whose hook is running.
#[derive(Clone, Copy)]
pub(crate) struct Parent {
    pub id: Uuid,
    pub depth: u8,
}

/// The scoped orchestrator, otherwise the installed one.
pub(crate) fn orchestrator() -> Option<Orchestrator> {
    SCOPED.try_with(Clone::clone).ok().or_else(|| INSTALLED.get().cloned())
}

pub(crate) fn parent() -> Option<Parent> {
    PARENT.try_with(|parent| *parent).ok()
}

pub(crate) fn install(orchestrator: Orchestrator) -> Result<(), Orchestrator> {
    INSTALLED.set(orchestrator)
}

pub(crate) fn scope<F: Future>(orchestrator: Orchestrator, future: F) -> TaskLocalFuture<Orchestrator, F> {
    SCOPED.scope(orchestrator, future)
}

pub(crate) fn sync_scope<R>(orchestrator: Orchestrator, run: impl FnOnce() -> R) -> R {
    SCOPED.sync_scope(orchestrator, run)
}

/// Passes the task-local state of the caller on to a future that is polled in another task.
pub(crate) fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    let (orchestrator, context) = (SCOPED.try_with(Clone::clone).ok(), Context::try_current());
    let (parent, in_lane) = (parent(), is_in_lane());
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        let mut polled = || future.as_mut().poll(cx);
        let scoped = || match &orchestrator {
            Some(orchestrator) => sync_scope(orchestrator.clone(), polled),
            None => polled(),
        };
        let nested = || match parent {
            Some(parent) => PARENT.sync_scope(parent, scoped),
            None => scoped(),
        };
        let run = || if in_lane { within_lane(nested) } else { nested() };
        match &context {
            Some(context) => context::enter(context, run),
            None => run(),
        }
    })
}

/// Runs code whose open transaction blocks all other writes to its database.
pub(crate) fn locked<R>(run: impl FnOnce() -> R) -> R {
    EVER_LOCKED.store(true, Ordering::Relaxed);
    LOCKED.sync_scope((), run)
}

/// Whether the current code runs inside such a transaction, so that a step that writes would wait for its own caller.
pub(crate) fn is_locked() -> bool {
    EVER_LOCKED.load(Ordering::Relaxed) && LOCKED.try_with(|()| ()).is_ok()
}

/// Runs a hook of a flow. A handler that the hook calls gets the same orchestrator and context, and the flow as its parent, also when the
/// hook runs in the background.
pub(crate) fn within<R>(orchestrator: &Orchestrator, flow: &Flow, run: impl FnOnce() -> R) -> R {
    let parent = Parent { id: flow.id, depth: flow.depth };
    let run = || PARENT.sync_scope(parent, || sync_scope(orchestrator.clone(), run));
    match &flow.context {
        Some(context) => context::enter(context, run),
        None => run(),
    }
}
