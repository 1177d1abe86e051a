//! Building, installing and shutting down orchestrators.

mod access;
mod backend;
mod build;
mod builder;
mod cached_reads;
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
    backend::{Backend, BuilderChange},
    builder::OrchestratorBuilder,
    environment::ConfigError,
    requirements::{BuildError, InstallError, UnmetRequirement},
};
#[cfg(feature = "metrics")]
use crate::pipeline::metrics;
use crate::{
    pipeline::{Orchestrator, Stats, current, registered},
    step::Step,
};

impl Orchestrator {
    /// Starts building an orchestrator, without backends.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn builder() -> OrchestratorBuilder {
        OrchestratorBuilder::new()
    }

    /// Creates an orchestrator with an in-memory backend for every step: for tests, examples and first steps.
    ///
    /// It has no durable store: the steps of a handler with `delivery = "durable"` run while its caller waits, and an `ERROR` is logged
    /// once.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::in_memory();
    /// assert!(orchestrator.audit().is_some());
    /// ```
    pub fn in_memory() -> Self {
        Self::builder().in_memory().build().unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Installs the orchestrator for the process. Handlers without `on` and outside of a scope use it.
    ///
    /// This checks the whole program at start: the backends must meet the requirements of each annotated handler. One line is logged that lists the
    /// steps without a backend, and the handlers that declare them. An orchestrator that is not installed only checks the handlers that are
    /// [named](OrchestratorBuilder::handlers); for other handlers a required step without a backend fails at the call, and an `ERROR` is
    /// logged once.
    ///
    /// With the feature `metrics`, an installed orchestrator also has [gauges](crate::guide::telemetry), which are sampled on a timer in its
    /// runtime, if it has one.
    ///
    /// # Errors
    /// - A handler requires a missing backend: that of a `required` step, the cache of `fallback = last_good`, or the durable store of
    ///   `delivery = "durable"`.
    /// - Two handlers cache values of different types under one pattern with keys of the same form, so that one could be read as the
    ///   other. This is found only if a static beside the handler can name its type; for methods the `impl` block must carry the attribute and have
    ///   no parameters.
    /// - A handler that [reads through the cache](crate::guide::caching) does not fit the other handlers or the cache: what it reads is written by
    ///   no handler; keys under one pattern have different forms, or readers different revisions; a handler of a held pattern is not `async`, and the
    ///   cache is not in this process; it has `version` or `on_err = "keep"`; a writer touches a pattern that is misspelt; or the cache cannot be read
    ///   through.
    /// - Two durable handlers have the same identity.
    /// - Another orchestrator is already installed. It stays.
    ///
    /// The error names each handler, with file and line.
    ///
    /// ```standalone_crate
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
        let held = self.held_patterns();
        let doubts = requirements::doubts(|pattern| self.held(pattern).is_some());
        #[cfg(feature = "metrics")]
        let installed = self.clone();
        current::install(self).map_err(|_| InstallError::AlreadyInstalled)?;
        #[cfg(feature = "metrics")]
        metrics::start(&installed);
        if !held.is_empty() {
            tracing::info!(target: "graceful::start", patterns = held, "writes of these patterns are held, because handlers read them through the cache");
        }
        for doubt in doubts {
            tracing::warn!(target: "graceful::requirements", "{doubt}");
        }
        if !unserved.is_empty() {
            let steps = unserved.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ");
            tracing::info!(
                target: "graceful::start",
                steps, declared_by, "steps without a backend are skipped in every handler that has no hook for them"
            );
        }
        Ok(())
    }

    /// Sets the orchestrator of a future and of the futures that it awaits, but not of tasks that it spawns.
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

    /// Sets the orchestrator of a closure: for sync handlers.
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

    /// Spawns a task from a hook. The task inherits the hook's orchestrator, context and flow. With `tokio::spawn` it would inherit none of
    /// them: a handler that is called there has no parent and no nesting limit, so a hook that spawns a call of its own handler would repeat
    /// forever.
    ///
    /// The task is not awaited: its flow, and a shutdown, may end before it. Outside of a hook the task inherits the scoped orchestrator.
    ///
    /// # Panics
    /// Panics if there is no Tokio runtime, neither the caller's nor the orchestrator's.
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

    /// Returns the counters.
    ///
    /// ```
    /// use graceful::{CallOutcome, Orchestrator};
    /// assert_eq!(Orchestrator::in_memory().stats().flows(CallOutcome::Ok), 0);
    /// ```
    pub fn stats(&self) -> Stats {
        self.0.counters.read()
    }

    /// Waits for background flows, at most for the time `deadline`. Returns the number of remaining flows, and logs it. From then on
    /// `delivery = "background"` runs inline.
    ///
    /// The relay stops claiming flows, and finishes those that it has; the others stay in the store. If there is a durable store, flows that are still queued
    /// at the deadline are stored for the next process, which may take another second. Flows with hooks that only this process knows
    /// cannot be stored.
    ///
    /// Remaining flows continue as long as the runtime does. A flow that ends with the runtime reports the steps that were not done.
    /// This method is cancel-safe: if it is dropped, the queue is closed, and it no longer waits.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime with a timer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::in_memory();
    /// assert_eq!(orchestrator.shutdown(std::time::Duration::from_secs(5)).await, 0);
    /// # });
    /// ```
    pub async fn shutdown(&self, deadline: Duration) -> usize {
        let began = Instant::now();
        self.begin_shutdown();
        self.relay().stop();
        let left = self.0.background.drain(deadline, self.flows().is_some()).await;
        self.relay().stopped(deadline.saturating_sub(began.elapsed())).await;
        let unended = self.pending_ends();
        if unended > 0 {
            tracing::warn!(
                target: "graceful::cache",
                unended,
                "the cache has not confirmed some writes: old values may be read until their `ttl` is over"
            );
        }
        if left > 0 {
            tracing::warn!(target: "graceful::background", left, ?deadline, "flows had not ended at the deadline of the shutdown");
        }
        left
    }

    /// Waits until a shutdown begins: by [`shutdown`](Self::shutdown), or in a server of `graceful::axum::serve` and `graceful::tonic::serve`.
    ///
    /// For what must end by itself before the process does: a WebSocket, a loop of your own, a subscriber. This method is cancel-safe.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::in_memory();
    /// let waiting = orchestrator.clone();
    /// let waiting = tokio::spawn(async move { waiting.shutdown_begins().await });
    /// orchestrator.shutdown(Duration::from_secs(5)).await;
    /// waiting.await.unwrap();
    /// # });
    /// ```
    pub async fn shutdown_begins(&self) {
        // The wait cannot fail, because `self` holds the sender.
        let _ = self.0.shutdown.subscribe().wait_for(|begun| *begun).await;
    }
}
