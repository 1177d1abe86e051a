//! Purges what the stores of an orchestrator need no more, apart from flows, which the relay purges.

use std::time::Duration;

use super::WeakOrchestrator;
use crate::{backends::Reply, outage};

/// When it purges for the first time. A process that starts has other things to do.
const FIRST_PURGE: Duration = Duration::from_secs(10);

/// How often it purges after that.
const PURGED_EVERY: Duration = Duration::from_secs(60);

/// A purge that deletes fewer rows than this was the last one for a while.
const FULL_PURGE: u64 = 1_000;

/// For how long events of a broker are stored after they were received: so long a message that is delivered again is recognised.
const RECEIVED_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Purges answers whose window has passed, and events whose retention is over, until the orchestrator is dropped.
pub(crate) async fn purge(orchestrator: WeakOrchestrator) {
    tokio::time::sleep(FIRST_PURGE).await;
    while let Some(strong) = orchestrator.upgrade() {
        let (stores, log) = (strong.stores_of_answers(), strong.event_log());
        let subscriptions = strong.subscriptions();
        drop(strong);
        for store in &stores {
            repeat("expired answers of idempotent calls could not be purged", || store.purge()).await;
        }
        if let Some(log) = &log {
            repeat("the event log could not be purged", || log.purge()).await;
        }
        if let Some(subscriptions) = &subscriptions {
            let purge = || subscriptions.purge_received(RECEIVED_RETENTION);
            repeat("the received events of subscribers could not be purged", purge).await;
        }
        drop((stores, log, subscriptions));
        tokio::time::sleep(PURGED_EVERY).await;
    }
}

async fn repeat(failure: &'static str, purge: impl Fn() -> Reply<u64>) {
    loop {
        match purge().await {
            Ok(purged) => {
                outage::succeeded(failure);
                if purged < FULL_PURGE {
                    return;
                }
            }
            Err(error) => {
                if let Some(failures) = outage::failed(failure) {
                    tracing::warn!(target: "graceful::purge", error = error.message(), failures, "{failure}");
                }
                return;
            }
        }
    }
}
