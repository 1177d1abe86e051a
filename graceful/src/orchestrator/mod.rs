//! Backends and settings, and how a handler finds them.

mod access;
mod backend;
mod builder;
mod cached_types;
mod environment;
mod misspelt;
mod requirements;
mod settings;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::JoinHandle};

pub use self::{
    backend::{Backend, Change},
    builder::OrchestratorBuilder,
    environment::ConfigError,
    requirements::{BuildError, InstallError, UnmetRequirement},
};
use crate::{
    pipeline::{Orchestrator, Stats, current, registered},
    step::Step,
};

impl Orchestrator {
    /// Starts a new one, with no backend.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// # Ok::<(), graceful::error::BuildError>(())
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
        current::install(self).map_err(|_| InstallError::AlreadyInstalled)?;
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
    /// use graceful::{CallOutcome, Orchestrator, orchestrate};
    ///
    /// #[orchestrate(pattern = "user", id = id)]
    /// async fn delete_user(id: u64) -> Result<(), std::fmt::Error> { Ok(()) }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// orchestrator.scope(delete_user(42)).await.unwrap();
    /// assert_eq!(orchestrator.stats().flows(CallOutcome::Ok), 1);
    /// # });
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        current::scope(self.clone(), future)
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
        current::sync_scope(self.clone(), run)
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
    /// # assert_eq!(orchestrator.stats().flows(graceful::CallOutcome::Ok), 1);
    /// # });
    /// ```
    pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = Handle::try_current().ok();
        let runtime = runtime.or_else(|| current::orchestrator()?.runtime().cloned());
        runtime.expect("`Orchestrator::spawn` needs a Tokio runtime").spawn(current::carried(future))
    }

    /// What it has counted so far.
    ///
    /// ```
    /// use graceful::{CallOutcome, Orchestrator};
    /// assert_eq!(Orchestrator::in_memory().stats().flows(CallOutcome::Ok), 0);
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
}
