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
use super::Orchestrator;
use crate::{
    backends::{Backends, Idempotency, IdempotentCall, memory},
    step::StepError,
};

/// The settings of idempotent calls, and their leases.
pub(crate) struct IdempotentState {
    /// It is the flow store, so that an answer and its flow are stored together.
    is_flow_store: bool,
    lease: Duration,
    leases: Leases,
}

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

    /// The store of the handlers without `tx`, and that of the handlers with it.
    pub(super) fn stores_of_answers(&self) -> Vec<Arc<dyn Idempotency>> {
        let of_flows =
            self.flows().filter(|_| !self.answers_with_flow()).and_then(|flows| flows.idempotency());
        self.idempotent_store().cloned().into_iter().chain(of_flows).collect()
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
