//! A look-up, which may take the lease on a load.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::runtime::Handle;

use crate::{
    backends::{LookUp, Reply},
    marks::{EntryName, Lease},
    pipeline::Orchestrator,
    step::StepError,
};

/// A look-up. If it is dropped, its caller does not load, so the lease is released as soon as it is taken: the next caller need not wait
/// until it expires.
pub(super) struct LookingUp<'a> {
    /// `None` when it was answered.
    reply: Option<Reply<LookUp>>,
    orchestrator: &'a Orchestrator,
    name: &'a EntryName,
}

impl<'a> LookingUp<'a> {
    pub(super) const fn new(
        reply: Reply<LookUp>,
        orchestrator: &'a Orchestrator,
        name: &'a EntryName,
    ) -> Self {
        Self { reply: Some(reply), orchestrator, name }
    }
}

impl Future for LookingUp<'_> {
    type Output = Result<LookUp, StepError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = self.reply.as_mut().expect("a look-up is polled until it is answered");
        let answer = ready!(Pin::new(reply).poll(cx));
        self.reply = None;
        Poll::Ready(answer)
    }
}

impl Drop for LookingUp<'_> {
    fn drop(&mut self) {
        let Some(reply @ Reply::Pending(_)) = self.reply.take() else { return };
        let current = Handle::try_current().ok();
        let Some(runtime) = self.orchestrator.runtime().or(current.as_ref()) else { return };
        let (orchestrator, name) = (self.orchestrator.clone(), self.name.clone());
        runtime.spawn(async move {
            if let Ok(LookUp::Missed(seen)) = reply.await
                && let (Lease::Taken(lease), Some(protocol)) = (seen.lease, orchestrator.protocol())
            {
                drop(protocol.release(&name, lease));
            }
        });
    }
}
