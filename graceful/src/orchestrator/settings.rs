//! The settings of an orchestrator other than its backends.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::runtime::Handle;

use super::OrchestratorBuilder;
use crate::{
    backends::Job,
    pipeline::{FlowReport, RelaySettings, Reviewer},
    step::StepError,
    text::Text,
};

impl OrchestratorBuilder {
    /// Sets the reviewer, which is called with each review job that is due, within the orchestrator's scope. Due jobs are polled about as
    /// often as the relay [polls](RelaySettings::poll).
    ///
    /// `Ok` closes the job. `Err` postpones it, by the relay's [`backoff`](RelaySettings::backoff) and
    /// [`attempts`](RelaySettings::attempts); after the last attempt the job stays open, and is not due until a flow bumps it. A review may
    /// take as long as the relay's [`lease`](RelaySettings::lease).
    ///
    /// ```
    /// use graceful::{Orchestrator, StepError, backends::Job};
    ///
    /// async fn look_into(job: Job) -> Result<(), StepError> {
    ///     println!("{} failed with {}", job.entity, job.code);
    ///     Ok(())
    /// }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().in_memory().reviewer(look_into).build()?;
    /// assert_eq!(orchestrator.review().await.unwrap(), 0);
    /// # Ok::<(), graceful::error::BuildError>(())
    /// # }).unwrap();
    /// ```
    pub fn reviewer<F, Fut>(mut self, review: F) -> Self
    where
        F: Fn(Job) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), StepError>> + Send + 'static,
    {
        self.reviewer = Some(Reviewer::new(review));
        self
    }

    /// Sets for how long a call of an `idempotent` handler without `tx` claims its key; default: 30 s. The claim is renewed while the body runs. If
    /// the process dies, repetitions are refused for as long; if the renewals fail for as long, the body's future is dropped.
    ///
    /// From 100 ms to an hour; a time beyond counts as the nearest of these.
    ///
    /// ```
    /// use std::time::Duration;
    /// let builder = graceful::Orchestrator::builder().idempotency_lease(Duration::from_secs(10));
    /// ```
    pub fn idempotency_lease(mut self, lease: Duration) -> Self {
        self.idempotency_lease = lease.clamp(Duration::from_millis(100), Duration::from_secs(60 * 60));
        self
    }

    /// Adds an observer, which is called with the report of each flow after its last step. It runs in the handler's task or in
    /// the background task, so it should be fast. A call whose `when` is false has no flow and no report.
    ///
    /// A panic of the observer is logged, and has no other effect.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let (sender, reports) = std::sync::mpsc::channel();
    /// let builder = Orchestrator::builder().on_report(move |report| sender.send(report.flow().code()).unwrap());
    /// let config = OrchestrationConfig::new("user").id(42).on(&builder.build().unwrap());
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(reports.recv(), Ok(Code::Ok));
    /// # });
    /// ```
    pub fn on_report(mut self, observer: impl Fn(&FlowReport) + Send + Sync + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Sets the capacity of the queue of `delivery = "background"`, in flows. Default: 1,024.
    ///
    /// 8 lanes, to which entities are assigned by hash, share the capacity, with at least one flow each. If a lane is full, further
    /// callers wait until their flow is done. Flows whose callers were cancelled run beside the queue, up to the same number. The
    /// steps of further flows are not run: they fail as [`Abandoned`](crate::StepErrorKind::Abandoned), which is logged, counted and
    /// reported. A hook of a flow in a lane does not wait for a place in the queue for the handlers that it calls.
    ///
    /// ```
    /// # use graceful::{Code, Delivery, OrchestrationConfig, Orchestrator, Step, Success};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().in_memory().background_queue(1).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).delivery(Delivery::Background).on(&orchestrator);
    /// let first = Success::wrap(Code::Ok, "user created", "ad").orchestrate(&config).await;
    /// assert_eq!(first.step(Step::Audit).to_string(), "skipped: queued");
    /// let second = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert!(second.step(Step::Audit).is_done(), "it waited for its turn");
    /// # });
    /// ```
    pub fn background_queue(mut self, flows: usize) -> Self {
        self.queue = flows;
        self
    }

    /// Sets the runtime in which flows without a caller continue. Default: the runtime in which `build` is called.
    ///
    /// ```
    /// # use graceful::{Flow, Orchestrator, Step, StepError, orchestrate};
    /// async fn slow(_: &Flow) -> Result<(), StepError> { Ok(tokio::task::yield_now().await) }
    ///
    /// #[orchestrate(pattern = "sum", id = "{a}+{b}", audit = slow)]
    /// fn add(a: u8, b: u8) -> Result<u8, std::fmt::Error> { a.checked_add(b).ok_or(std::fmt::Error) }
    ///
    /// # let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let orchestrator = Orchestrator::builder().runtime(runtime.handle().clone()).build().unwrap();
    /// assert_eq!(orchestrator.sync_scope(|| add(1, 2)), Ok(3));
    /// runtime.block_on(orchestrator.shutdown(std::time::Duration::from_secs(5)));
    /// assert_eq!(orchestrator.stats().failures(Step::Audit), 0, "it went on in the runtime");
    /// ```
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Sets the settings of the relay, which runs durable flows.
    ///
    /// ```
    /// # use graceful::{Orchestrator, RelaySettings, backends::memory};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let settings = RelaySettings::default().attempts(5);
    /// let orchestrator = Orchestrator::builder().flows(memory::Flows::new()).relay(settings).build()?;
    /// # Ok::<(), graceful::error::BuildError>(())
    /// # }).unwrap();
    /// ```
    pub fn relay(mut self, settings: RelaySettings) -> Self {
        self.relay = settings;
        self
    }

    /// Sets the maximum size of the event of a durable flow, in bytes. A larger event is refused when its flow is stored: the
    /// step `event` fails once, and the other steps run. Default: 65,536.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// let orchestrator = Orchestrator::builder().max_event_bytes(1024 * 1024).build()?;
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// Sets whether the cause of a [server fault](crate::Code::is_server_fault) is logged: with its sources, at `ERROR`, on the target
    /// `graceful::error`, within the flow's span. Default: true. `errors = off` excludes one handler.
    ///
    /// The text is that of the error (`Error` with its sources, otherwise `Display`, otherwise `Debug`) or of the panic. It goes to `tracing` only, not
    /// into events, stores or responses. The manual path logs no causes.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// let orchestrator = Orchestrator::builder().log_errors(false).build()?;
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn log_errors(mut self, log: bool) -> Self {
        self.log_errors = log;
        self
    }

    /// Names handlers that use this orchestrator, so that [`build`](Self::build) checks them: the path of one handler, or of a module, such as
    /// `my_service::users` or [`module_path!()`](module_path), for all handlers in it. It can be called more than once.
    ///
    /// [`install`](crate::Orchestrator::install) checks all handlers of the program in any case.
    ///
    /// ```standalone_crate
    /// use graceful::Orchestrator;
    ///
    /// mod users {
    ///     use graceful::{StepError, orchestrate};
    ///
    ///     #[orchestrate(pattern = "user", id = id, audit(required))]
    ///     pub async fn delete_user(id: u64) -> Result<(), StepError> { Ok(()) }
    /// }
    ///
    /// let users = concat!(module_path!(), "::users");
    /// assert!(Orchestrator::builder().handlers(users).build().is_err());
    /// assert!(Orchestrator::builder().handlers("another::module").build().is_ok());
    /// ```
    pub fn handlers(mut self, path: impl Into<Text>) -> Self {
        self.handlers.push(path.into());
        self
    }

    /// Names a pattern that is read through the cache without a handler, so that its writes are held.
    ///
    /// The patterns that handlers of the program read or depend on need not be named.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::builder().in_memory().reads("user").build().unwrap();
    /// assert!(orchestrator.cache_stats("user").is_some());
    /// # });
    /// ```
    pub fn reads(mut self, pattern: impl Into<Text>) -> Self {
        self.reads.push(pattern.into());
        self
    }

    /// Names a pattern that another program reads through the same cache, so that its writes in this program are held. It has no effect on
    /// a cache in memory, which no other program sees.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = graceful::Orchestrator::builder().in_memory().shared("user").build().unwrap();
    /// assert!(orchestrator.cache_stats("user").is_none());
    /// # });
    /// ```
    pub fn shared(mut self, pattern: impl Into<Text>) -> Self {
        self.shared.push(pattern.into());
        self
    }
}
