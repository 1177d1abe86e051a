//! Backends and settings, and how a handler finds them.

mod access;
pub(crate) mod ambient;
mod builder;
mod cached_types;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod durable;
mod engines;
mod environment;
mod misspelt;
mod registered;
mod requirements;
mod stats;
mod telling;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::JoinHandle, time::Sleep};

pub(crate) use self::requirements::without_an_orchestrator;
use self::{builder::Observer, requirements::Missed, stats::Counters};
pub use self::{
    builder::OrchestratorBuilder,
    environment::ConfigError,
    registered::Registered,
    requirements::{BuildError, InstallError, UnmetRequirement},
    stats::Stats,
};
use crate::{
    engine::Background,
    flow::Origin,
    outage::Outages,
    relay::{Relay, Reviewer},
    step::{Step, Steps},
    steps::Backends,
};

/// Backends and settings: what the annotated handlers of a program, or of a tenant, or of a test, run their steps with.
///
/// A handler finds it by its argument `on`, else in its task ([`scope`](Self::scope)), else in the process
/// ([`install`](Self::install)). Without any, the handler is the plain handler. Cloning it is cheap and shares everything;
/// two orchestrators live side by side and share nothing.
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
pub struct Orchestrator(Arc<Inner>);

/// What works for an orchestrator without keeping it alive.
pub(crate) struct WeakOrchestrator(Weak<Inner>);

impl WeakOrchestrator {
    pub(crate) fn upgrade(&self) -> Option<Orchestrator> {
        self.0.upgrade().map(Orchestrator)
    }
}

/// How many orchestrators live in this process.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

struct Inner {
    origin: Arc<Origin>,
    backends: Backends,
    /// What `backends` come to.
    served: Steps,
    observers: Vec<Observer>,
    counters: Counters,
    outages: Outages,
    background: Background,
    relay: Relay,
    max_event_bytes: usize,
    reviewer: Option<Reviewer>,
    runtime: Option<Handle>,
    missed: Missed,
    log_errors: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Orchestrator {
    /// Starts a new one, with no backend.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// # Ok::<(), graceful::BuildError>(())
    /// ```
    pub fn builder() -> OrchestratorBuilder {
        OrchestratorBuilder::new()
    }

    /// Every step with an embedded backend, in this process' memory: for tests, examples and a first day.
    ///
    /// There is no durable store in it: the steps of a handler with `delivery = "durable"` run while its caller waits, and an
    /// `ERROR` is logged once.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::in_memory();
    /// assert!(orchestrator.audit().is_some());
    /// ```
    #[cfg(feature = "memory")]
    pub fn in_memory() -> Self {
        Self::builder().in_memory().build().unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Makes it the process' orchestrator, for every handler that has no nearer one.
    ///
    /// This is the start check of the whole program: each annotated handler is held against the backends. Any other orchestrator
    /// checks the handlers that are [named](OrchestratorBuilder::handlers) when it is built; the rest is found out at the call,
    /// where a step that is required, and has no backend, fails, and an `ERROR` is logged once. Which steps have no backend, and which
    /// handlers declare them, is logged here, in one line.
    ///
    /// # Errors
    /// A handler requires what the orchestrator does not have: a step that is `required`, the cache of `fallback = last_good`, or the
    /// durable store of `delivery = "durable"`. Or two handlers cache values of different types under one pattern, by keys of the same
    /// form, so that one could be read for the other; found where the type that a handler returns can be named beside it, and not of
    /// methods in an `impl` block with parameters, or without the attribute. Each is named, with file and line. Or there is an
    /// installed orchestrator already; it stays.
    ///
    /// ```
    /// use graceful::Orchestrator;
    ///
    /// assert!(Orchestrator::in_memory().install().is_ok());
    /// assert!(Orchestrator::in_memory().install().is_err());
    /// ```
    pub fn install(self) -> Result<(), InstallError> {
        let unmet = requirements::of_program(self.backends());
        if !unmet.is_empty() {
            return Err(InstallError::Unmet(unmet));
        }
        let unserved: Vec<_> = Step::ALL.iter().filter(|step| !self.served().contains(**step)).collect();
        let declared_by = registered::that_declare(unserved.iter().copied());
        ambient::install(self).map_err(|_| InstallError::AlreadyInstalled)?;
        if !unserved.is_empty() {
            let steps = unserved.iter().map(|step| step.name()).collect::<Vec<_>>().join(", ");
            tracing::info!(
                target: "graceful::start",
                steps, declared_by, "steps without a backend are skipped in every handler that has no hook for them"
            );
        }
        Ok(())
    }

    /// Makes it the orchestrator of a future, and of what that awaits; not of tasks that it spawns.
    /// Dropping it is as safe as dropping the future itself.
    ///
    /// ```
    /// use graceful::{Ending, Orchestrator, orchestrate};
    ///
    /// #[orchestrate(pattern = "user", id = id)]
    /// async fn delete_user(id: u64) -> Result<(), std::fmt::Error> { Ok(()) }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// orchestrator.scope(delete_user(42)).await.unwrap();
    /// assert_eq!(orchestrator.stats().flows(Ending::Ok), 1);
    /// # });
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::scope(self.clone(), future)
    }

    /// Makes it the orchestrator of a closure: for sync handlers.
    ///
    /// ```
    /// use graceful::{Orchestrator, orchestrate};
    ///
    /// #[orchestrate(pattern = "sum", id = "{a}+{b}")]
    /// fn add(a: u8, b: u8) -> Result<u8, std::fmt::Error> {
    ///     a.checked_add(b).ok_or(std::fmt::Error)
    /// }
    ///
    /// let orchestrator = Orchestrator::in_memory();
    /// assert_eq!(orchestrator.sync_scope(|| add(1, 2)), Ok(3));
    /// ```
    pub fn sync_scope<R>(&self, run: impl FnOnce() -> R) -> R {
        ambient::sync_scope(self.clone(), run)
    }

    /// Starts a task of a hook's own, which keeps what the hook knows: its orchestrator, its context, and the flow that it
    /// belongs to. `tokio::spawn` keeps none of them: a handler that is called there has no parent, and is not bounded in its depth, so
    /// that hooks which spawn what calls their handler again go on for ever.
    ///
    /// Nobody waits for the task: its flow may end before it, and a shutdown does. Outside a hook it keeps what is scoped.
    ///
    /// # Panics
    /// Where there is no Tokio runtime: neither one that this is called in, nor the orchestrator's.
    ///
    /// ```
    /// use graceful::{Flow, Orchestrator, StepError, orchestrate};
    ///
    /// #[orchestrate(pattern = "mail", id = to)]
    /// async fn send(to: String) -> Result<(), StepError> { Ok(()) }
    ///
    /// async fn welcome(flow: &Flow) -> Result<(), StepError> {
    ///     Orchestrator::spawn(send(flow.entity_id().to_string()));
    ///     Ok(())
    /// }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// # orchestrator.scope(async { Orchestrator::spawn(send("ada".into())).await }).await.unwrap().unwrap();
    /// # assert_eq!(orchestrator.stats().flows(graceful::Ending::Ok), 1);
    /// # });
    /// ```
    pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = Handle::try_current().ok();
        let runtime = runtime.or_else(|| ambient::orchestrator()?.runtime().cloned());
        runtime.expect("`Orchestrator::spawn` needs a Tokio runtime").spawn(ambient::carried(future))
    }

    /// What it has counted so far.
    ///
    /// ```
    /// use graceful::{Ending, Orchestrator};
    /// assert_eq!(Orchestrator::in_memory().stats().flows(Ending::Ok), 0);
    /// ```
    pub fn stats(&self) -> Stats {
        self.0.counters.read()
    }

    /// Waits until the flows in the background are done, at most for `deadline`, and answers how many were left; they are
    /// logged, too. From then on `delivery = "background"` runs inline.
    ///
    /// Where there is a durable store, what is still queued at the deadline is stored for the next process, which may take a
    /// second more; only what cannot be, since its hooks are known to this process alone, is left. The relay takes no more flows,
    /// and those that it has begun are waited for; what it has not begun stays in the store.
    ///
    /// What is left goes on for as long as the runtime does; a flow that ends with it reports each step not done.
    /// Cancel-safe: dropped, it has closed the queue and waits no more.
    ///
    /// # Panics
    /// Outside a Tokio runtime with a timer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::in_memory();
    /// assert_eq!(orchestrator.shutdown(std::time::Duration::from_secs(5)).await, 0);
    /// # });
    /// ```
    pub async fn shutdown(&self, deadline: Duration) -> usize {
        let began = Instant::now();
        self.relay().stop();
        let left = self.0.background.drain(deadline, self.flows().is_some()).await;
        self.relay().stopped(deadline.saturating_sub(began.elapsed())).await;
        if left > 0 {
            tracing::warn!(target: "graceful::background", left, ?deadline, "flows were left at shutdown");
        }
        left
    }

    /// Whether any orchestrator lives in this process.
    pub(crate) fn any_exists() -> bool {
        ALIVE.load(Ordering::Acquire) > 0
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.0.origin
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

    /// The runtime that flows without a caller go on in.
    pub(crate) fn relay(&self) -> &Relay {
        &self.0.relay
    }

    /// How many bytes an event of durable delivery may have.
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

    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.0.runtime.as_ref()
    }

    /// A timer, where there is a runtime to drive it.
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
