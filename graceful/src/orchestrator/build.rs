//! Builds an orchestrator from what its builder was given, and starts what runs in it.

use std::sync::{Arc, atomic::Ordering};

use tokio::{runtime::Handle, sync::watch};

use super::{
    OrchestratorBuilder,
    requirements::{self, BuildError},
};
use crate::{
    backends::ProcessRole,
    outage::Outages,
    pipeline::{
        ALIVE, Background, Counters, Inner, LastProbe, Missed, Orchestrator, RelayHandle, SubscriberFaults,
        idempotent::IdempotentState, purge, read_through::ReadThroughState,
    },
    relay,
    steps::served,
};

const NO_RUNTIME: &str = "the relay and the reviewer need a Tokio runtime: call `build()` inside of one, or pass a handle with \
                          `.runtime(handle)`";

impl OrchestratorBuilder {
    /// Whether [`build`](Self::build) will have a runtime.
    #[cfg(feature = "__testing")]
    #[doc(hidden)]
    pub fn has_runtime(&self) -> bool {
        self.runtime.is_some() || Handle::try_current().is_ok()
    }

    /// Builds the orchestrator.
    ///
    /// In a process whose [role](ProcessRole) is not `Service`, neither the relay nor the reviewer is started.
    ///
    /// Outside of a Tokio runtime and without [`runtime`](Self::runtime), the orchestrator can run steps that are ready at once, as
    /// all in-memory backends are. A step that is not ready when its caller cannot wait fails.
    ///
    /// # Errors
    /// - A handler that is [checked](Self::handlers) requires a backend that is missing; or it does not fit the cache or the other handlers, by the checks
    ///   of [`install`](Orchestrator::install) for handlers that read through the cache, for types of cached values, and for identities of durable
    ///   handlers. The error names each such handler, with file and line.
    /// - There is a durable store or a reviewer, but no Tokio runtime for the relay and the reviewer.
    /// - The service's name is empty, or it or the environment's name contains control characters, so that no event could be sent.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").in_memory().build()?;
    /// assert!(orchestrator.audit().is_some());
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn build(mut self) -> Result<Orchestrator, BuildError> {
        let idempotent =
            IdempotentState::of(&mut self.backends, self.idempotency_lease, self.idempotency_in_memory);
        let unmet = requirements::of_handlers(&self.handlers, &self.backends);
        let mut faults: Vec<_> = unmet.iter().map(ToString::to_string).collect();
        faults.extend(self.origin.faults());
        let runtime = self.runtime.or_else(|| Handle::try_current().ok());
        let runs_work = ProcessRole::current().runs_work();
        let (relays, reviews) = (
            runs_work && self.relay.runs && self.backends.flows.is_some(),
            runs_work && self.reviewer.is_some(),
        );
        if runtime.is_none() && (relays || reviews) {
            faults.push(NO_RUNTIME.to_owned());
        }
        BuildError::check(faults)?;
        let read_through = ReadThroughState::of(&self.backends, &self.reads, &self.shared);
        ALIVE.fetch_add(1, Ordering::AcqRel);
        let orchestrator = Orchestrator(Arc::new(Inner {
            origin: Arc::new(self.origin),
            served: served(&self.backends),
            backends: self.backends,
            observers: self.observers,
            counters: Counters::default(),
            outages: Outages::default(),
            background: Background::new(self.queue),
            relay: RelayHandle::new(self.relay),
            max_event_bytes: self.max_event_bytes,
            reviewer: self.reviewer,
            runtime,
            missed: Missed::default(),
            log_errors: self.log_errors,
            last_probe: LastProbe::default(),
            subscriber_faults: SubscriberFaults::default(),
            shutdown: watch::Sender::new(false),
            read_through,
            idempotent,
        }));
        if let (true, Some(runtime)) = (runs_work && orchestrator.is_purged(), orchestrator.runtime()) {
            runtime.spawn(purge(orchestrator.downgrade()));
        }
        if let (true, Some(runtime)) = (relays, orchestrator.runtime()) {
            runtime.spawn(relay::run(orchestrator.downgrade()));
        }
        if let (true, Some(runtime)) = (reviews, orchestrator.runtime()) {
            runtime.spawn(relay::run_reviews(orchestrator.downgrade()));
        }
        Ok(orchestrator)
    }
}
