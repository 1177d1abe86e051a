//! The orchestrator: the backends and settings with which a flow runs.
//!
//! The module `orchestrator`, above the pipeline, builds, installs and shuts it down.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Handle, sync::watch, time::Sleep};

use super::{
    background::Background,
    health::{LastProbe, SubscriberFaults},
    idempotent::IdempotentState,
    observe::Observer,
    read_through::ReadThroughState,
    registry::Missed,
    relay_handle::{RelayHandle, Reviewer},
    stats::Counters,
};
use crate::{backends::Backends, flow::Origin, outage::Outages, step::Steps};

/// The backends and settings with which the handlers of a program, a tenant or a test run their steps.
///
/// A handler uses the orchestrator of its argument `on`, otherwise that of its task ([`scope`](Self::scope)), otherwise that of the process
/// ([`install`](Self::install)). Without any, the handler is the plain function. Cloning an orchestrator is cheap and shares everything.
/// Several orchestrators can exist side by side, and share nothing.
///
/// ```
/// use graceful::{Classify, Orchestrator, orchestrate};
///
/// #[derive(Debug, Classify)]
/// #[classify(code = NotFound, message = "no such user")]
/// struct NoSuchUser;
///
/// #[orchestrate(pattern = "user", cache = id, event)]
/// async fn get_user(id: u64) -> Result<String, NoSuchUser> {
///     if id == 42 { Ok("ada".to_owned()) } else { Err(NoSuchUser) }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// orchestrator.scope(get_user(42)).await.unwrap();
/// assert_eq!(orchestrator.cached::<String>("user", 42).await.unwrap().as_deref(), Some("ada"));
/// # });
/// ```
#[derive(Clone)]
pub struct Orchestrator(pub(crate) Arc<Inner>);

/// A weak reference for tasks that must not keep the orchestrator alive.
pub(crate) struct WeakOrchestrator(Weak<Inner>);

impl fmt::Debug for WeakOrchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakOrchestrator").finish_non_exhaustive()
    }
}

impl WeakOrchestrator {
    pub(crate) fn upgrade(&self) -> Option<Orchestrator> {
        self.0.upgrade().map(Orchestrator)
    }
}

/// The number of orchestrators in this process.
pub(crate) static ALIVE: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Inner {
    pub(crate) origin: Arc<Origin>,
    pub(crate) backends: Backends,
    /// The steps that `backends` can serve.
    pub(crate) served: Steps,
    pub(crate) observers: Vec<Observer>,
    pub(crate) counters: Counters,
    pub(crate) outages: Outages,
    pub(crate) background: Background,
    pub(crate) relay: RelayHandle,
    pub(crate) max_event_bytes: usize,
    pub(crate) reviewer: Option<Reviewer>,
    pub(crate) runtime: Option<Handle>,
    pub(crate) missed: Missed,
    pub(crate) read_through: ReadThroughState,
    pub(crate) idempotent: IdempotentState,
    pub(crate) last_probe: LastProbe,
    pub(crate) subscriber_faults: SubscriberFaults,
    /// Whether a shutdown has begun.
    pub(crate) shutdown: watch::Sender<bool>,
    pub(crate) log_errors: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Orchestrator {
    /// Whether this process has any orchestrator.
    #[inline]
    pub(crate) fn any_exists() -> bool {
        ALIVE.load(Ordering::Acquire) > 0
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.0.origin
    }

    /// Waits until no flow runs in the background.
    #[cfg(feature = "__testing")]
    #[doc(hidden)]
    pub async fn idle(&self) {
        self.background().settled().await;
    }

    pub(crate) fn backends(&self) -> &Backends {
        &self.0.backends
    }

    pub(crate) fn served(&self) -> Steps {
        self.0.served
    }

    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }

    pub(crate) fn relay(&self) -> &RelayHandle {
        &self.0.relay
    }

    /// The maximum size in bytes of an event of durable delivery.
    pub(crate) fn max_event_bytes(&self) -> usize {
        self.0.max_event_bytes
    }

    /// Whether the causes of server faults are logged.
    pub(crate) fn logs_errors(&self) -> bool {
        self.0.log_errors
    }

    pub(crate) fn reviewer(&self) -> Option<&Reviewer> {
        self.0.reviewer.as_ref()
    }

    pub(crate) fn downgrade(&self) -> WeakOrchestrator {
        WeakOrchestrator(Arc::downgrade(&self.0))
    }

    /// The runtime in which flows without a caller continue.
    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.0.runtime.as_ref()
    }

    /// Begins a shutdown: the process is no longer ready. Everything else works as before.
    pub(crate) fn begin_shutdown(&self) {
        self.0.shutdown.send_replace(true);
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.0.shutdown.borrow()
    }

    /// A timer, if there is a runtime.
    pub(crate) fn sleep(&self, time: Duration) -> Option<Sleep> {
        if Handle::try_current().is_ok() {
            return Some(tokio::time::sleep(time));
        }
        let _guard = self.runtime()?.enter();
        Some(tokio::time::sleep(time))
    }
}

impl fmt::Debug for Orchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orchestrator")
            .field("origin", &self.0.origin)
            .field("backends", &self.0.backends)
            .finish_non_exhaustive()
    }
}
