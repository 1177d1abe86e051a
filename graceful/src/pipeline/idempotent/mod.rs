//! The idempotent calls of an orchestrator: their store, their leases, and what is counted.

mod leases;
mod outcome;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use self::{
    leases::{Lease, Leases},
    outcome::{CallResult, count, refused},
};
use super::{Orchestrator, WeakOrchestrator};
use crate::{
    backends::{Backends, Idempotency, IdempotentCall, memory},
    outage,
    step::StepError,
};

/// The settings of idempotent calls, and their leases.
pub(crate) struct IdempotentState {
    /// It is the flow store, so that an answer and its flow are stored together.
    is_flow_store: bool,
    lease: Duration,
    leases: Leases,
}

/// How often answers whose window has passed are purged.
const PURGED_EVERY: Duration = Duration::from_secs(60);

/// A purge that deletes fewer rows than this was the last one for a while.
const FULL_PURGE: u64 = 1_000;

impl IdempotentState {
    /// The store is that of the builder, otherwise the flow store.
    pub(crate) fn of(backends: &mut Backends, lease: Duration, in_memory: bool) -> Self {
        let of_flows = || backends.flows.as_ref().and_then(|flows| flows.idempotency());
        let given = backends.idempotency.take();
        let (store, is_flow_store) =
            match given.map_or_else(|| (of_flows(), true), |given| (Some(given), false)) {
                (None, _) if in_memory => {
                    let in_memory: Arc<dyn Idempotency> = Arc::new(memory::IdempotentCalls::new());
                    (Some(in_memory), false)
                }
                found => found,
            };
        backends.idempotency = store;
        Self { is_flow_store, lease, leases: Leases::default() }
    }
}

impl Orchestrator {
    pub(crate) fn idempotent_store(&self) -> Option<&Arc<dyn Idempotency>> {
        self.backends().idempotency.as_ref()
    }

    /// Whether an answer and its flow are stored in one transaction.
    pub(crate) fn answers_with_flow(&self) -> bool {
        self.0.idempotent.is_flow_store
    }

    /// For how long a key is claimed, and claimed again while the body runs.
    pub(crate) fn idempotency_lease(&self) -> Duration {
        self.0.idempotent.lease
    }

    /// Renews the lease of a call until the returned value is dropped.
    pub(crate) fn keep_lease(
        &self,
        store: &Arc<dyn Idempotency>,
        call: &IdempotentCall,
        claimed: Instant,
    ) -> Result<Lease, StepError> {
        let state = &self.0.idempotent;
        state.leases.keep(store, call, state.lease, claimed)
    }
}

/// Purges answers whose window has passed, until the orchestrator is dropped.
pub(crate) async fn purge(orchestrator: WeakOrchestrator) {
    const PURGING: &str = "expired answers of idempotent calls could not be purged";
    while let Some(store) = orchestrator.upgrade().and_then(|strong| strong.idempotent_store().cloned()) {
        match store.purge().await {
            Ok(purged) => {
                outage::succeeded(PURGING);
                if purged >= FULL_PURGE {
                    continue;
                }
            }
            Err(error) => {
                if let Some(failures) = outage::failed(PURGING) {
                    tracing::warn!(target: "graceful::idempotency", error = error.message(), failures, "{PURGING}");
                }
            }
        }
        drop(store);
        tokio::time::sleep(PURGED_EVERY).await;
    }
}
