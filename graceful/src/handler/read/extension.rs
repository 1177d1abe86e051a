//! Extends the lease of a load that takes long.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep};

use crate::{flow::Loading, marks::Lease, pipeline::Orchestrator};

/// How often the leader of a load extends its lease.
const EXTENSION: Duration = Duration::from_millis(250);

/// Extends the lease of a load. It is polled with the body, so it ends with it.
#[derive(Debug, Default)]
pub(crate) struct Extension(Option<Pin<Box<Sleep>>>);

impl Extension {
    pub(crate) fn poll(&mut self, orchestrator: &Orchestrator, loading: &Loading, cx: &mut Context<'_>) {
        let Lease::Taken(lease) = loading.seen.lease else { return };
        if self.0.is_none() {
            self.0 = orchestrator.sleep(EXTENSION).map(Box::pin);
        }
        let Some(sleep) = &mut self.0 else { return };
        while sleep.as_mut().poll(cx).is_ready() {
            if let Some(protocol) = orchestrator.protocol() {
                // It is finished in the background.
                drop(protocol.extend(&loading.name, lease, 4 * EXTENSION));
            }
            sleep.as_mut().reset(Instant::now() + EXTENSION);
        }
    }
}
