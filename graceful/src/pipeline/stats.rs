//! Counters of an orchestrator.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{flow::CallOutcome, step::Step};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    flows: [AtomicU64; 4],
    failures: [AtomicU64; 9],
    store_failures: AtomicU64,
}

impl Counters {
    pub(crate) fn flow(&self, ending: CallOutcome) {
        self.flows[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failure(&self, step: Step) {
        self.failures[step as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn store_failed(&self) {
        self.store_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            flows: self.flows.each_ref().map(read),
            failures: self.failures.each_ref().map(read),
            store_failures: read(&self.store_failures),
        }
    }
}

/// The counters of an orchestrator since it was built.
///
/// ```
/// use graceful::{Code, CallOutcome, Orchestrator, OrchestrationConfig, Step, Success};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let stats = orchestrator.stats();
/// assert_eq!((stats.flows(CallOutcome::Ok), stats.flows(CallOutcome::Err)), (1, 0));
/// assert_eq!(stats.failures(Step::Audit), 0);
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    flows: [u64; 4],
    failures: [u64; 9],
    store_failures: u64,
}

impl Stats {
    /// The number of flows with this outcome.
    ///
    /// ```
    /// # use graceful::{Code, CallOutcome, Failure, OrchestrationConfig, Orchestrator};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").on(&orchestrator);
    /// Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(orchestrator.stats().flows(CallOutcome::Err), 1);
    /// # });
    /// ```
    pub const fn flows(&self, ending: CallOutcome) -> u64 {
        self.flows[ending as usize]
    }

    /// How often a step failed, panicked or timed out.
    ///
    /// ```
    /// # use graceful::{Code, Flow, Hook, OrchestrationConfig, Orchestrator, Step, StepError, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # async fn refuse(_: &Flow) -> Result<(), StepError> { Err(StepError::new("full")) }
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").hook(Step::Audit, Hook::new(refuse)).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(orchestrator.stats().failures(Step::Audit), 1);
    /// # });
    /// ```
    pub const fn failures(&self, step: Step) -> u64 {
        self.failures[step as usize]
    }

    /// The number of durable flows that could not be stored. Without `tx` their steps ran once while the caller waited; with `tx`
    /// the handler returned `Err`.
    ///
    /// ```
    /// # use graceful::{Code, Delivery, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").delivery(Delivery::Durable).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(orchestrator.stats().store_failures(), 1, "no durable store is configured");
    /// # });
    /// ```
    pub const fn store_failures(&self) -> u64 {
        self.store_failures
    }
}
