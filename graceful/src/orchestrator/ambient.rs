//! What a task knows without being told: its orchestrator, and the flow whose hook it runs.

use std::{future::Future, sync::OnceLock};

use tokio::{task::futures::TaskLocalFuture, task_local};
use uuid::Uuid;

use super::Orchestrator;
use crate::{Flow, context};

static INSTALLED: OnceLock<Orchestrator> = OnceLock::new();

task_local! {
    static SCOPED: Orchestrator;
    static PARENT: Parent;
}

/// The flow whose hook is running.
#[derive(Clone, Copy)]
pub(crate) struct Parent {
    pub id: Uuid,
    pub depth: u8,
}

/// The scoped orchestrator, else the installed one.
pub(crate) fn orchestrator() -> Option<Orchestrator> {
    SCOPED.try_with(Clone::clone).ok().or_else(|| INSTALLED.get().cloned())
}

pub(crate) fn parent() -> Option<Parent> {
    PARENT.try_with(|parent| *parent).ok()
}

pub(super) fn install(orchestrator: Orchestrator) -> Result<(), Orchestrator> {
    INSTALLED.set(orchestrator)
}

pub(crate) fn scope<F: Future>(orchestrator: Orchestrator, future: F) -> TaskLocalFuture<Orchestrator, F> {
    SCOPED.scope(orchestrator, future)
}

pub(crate) fn sync_scope<R>(orchestrator: Orchestrator, run: impl FnOnce() -> R) -> R {
    SCOPED.sync_scope(orchestrator, run)
}

/// Runs a hook as the flow's own: a handler that it calls finds the same orchestrator and context, and its parent, also
/// when the hook runs in the background.
pub(crate) fn within<R>(orchestrator: &Orchestrator, flow: &Flow, run: impl FnOnce() -> R) -> R {
    let parent = Parent { id: flow.id, depth: flow.depth };
    let run = || PARENT.sync_scope(parent, || sync_scope(orchestrator.clone(), run));
    match &flow.context {
        Some(context) => context::enter(context, run),
        None => run(),
    }
}
