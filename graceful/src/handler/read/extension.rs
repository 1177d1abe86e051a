//! Extends the lease of a load that takes long.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep};

use crate::{flow::Loading, marks::Lease, pipeline::Orchestrator};

/// Extends the lease of a load. It is polled with the body, so it ends with it.
#[derive(Debug)]
pub(crate) struct Extension {
    /// For how long the lease was taken.
    lease: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Extension {
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, sleep: None }
    }

    pub(crate) fn poll(&mut self, orchestrator: &Orchestrator, loading: &Loading, cx: &mut Context<'_>) {
        let Lease::Taken(token) = loading.seen.lease else { return };
        // Two extensions may be lost.
        let pause = self.lease / 3;
        if self.sleep.is_none() {
            self.sleep = orchestrator.sleep(pause).map(Box::pin);
        }
        let Some(sleep) = &mut self.sleep else { return };
        while sleep.as_mut().poll(cx).is_ready() {
            if let Some(protocol) = orchestrator.protocol() {
                // It is finished in the background.
                drop(protocol.extend(&loading.name, token, self.lease));
            }
            sleep.as_mut().reset(Instant::now() + pause);
        }
    }
}
