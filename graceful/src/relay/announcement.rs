//! The announcement of a relay in its store, so that operators see which relays are alive.

use std::{fs, sync::Arc};

use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use uuid::Uuid;

use super::{complain, handlers, works};
use crate::{
    backends::{FlowStore, LiveRelay, RelayInfo},
    pipeline::Orchestrator,
};

const ANNOUNCING: &str = "announcing the relay in the store failed";

/// An announced relay. When this is dropped, a task withdraws it.
pub(super) struct Announcement {
    _end: oneshot::Sender<()>,
}

impl Announcement {
    pub(super) fn start(orchestrator: &Orchestrator, flows: Arc<dyn FlowStore>) -> Self {
        let (end, ended) = oneshot::channel();
        let stored = Stored::new(orchestrator.relay().announced.clone());
        tokio::spawn(announce(flows, info(orchestrator), ended, stored));
        Self { _end: end }
    }
}

/// Says to a shutdown that the relay may be in the store, until this is dropped, also with the runtime.
struct Stored(watch::Sender<bool>);

impl Stored {
    fn new(stored: watch::Sender<bool>) -> Self {
        stored.send_replace(true);
        Self(stored)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// One task announces and withdraws, so that no announcement arrives after the withdrawal.
async fn announce(
    flows: Arc<dyn FlowStore>,
    relay: RelayInfo,
    mut ended: oneshot::Receiver<()>,
    stored: Stored,
) {
    loop {
        match flows.announce(relay.clone()).await {
            Ok(()) => works(ANNOUNCING),
            Err(error) => complain(&error, ANNOUNCING),
        }
        // The sender sends nothing: it is dropped.
        if timeout(LiveRelay::RENEWED_EVERY, &mut ended).await.is_ok() {
            break;
        }
    }
    if let Err(error) = flows.withdraw(relay.id).await {
        complain(&error, "withdrawing the relay from the store failed");
    }
    drop(stored);
}

fn info(orchestrator: &Orchestrator) -> RelayInfo {
    let origin = &orchestrator.0.origin;
    let mut relay = RelayInfo::new(random_id(), origin.service.as_str(), handlers::identities());
    relay.environment = origin.environment.to_string();
    relay.host = host();
    relay.process = std::process::id();
    env!("CARGO_PKG_VERSION").clone_into(&mut relay.version);
    relay
}

fn random_id() -> Uuid {
    let mut random = [0; 16];
    fastrand::fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

/// The name of the machine, without a dependency: from the kernel of Linux, otherwise from the environment.
fn host() -> String {
    let of_kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment =
        || ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    of_kernel.or_else(of_environment).map(|name| name.trim().to_owned()).unwrap_or_default()
}
