//! Settings of an orchestrator besides its backends.

use std::{future::Future, sync::Arc};

use smol_str::SmolStr;
use tokio::runtime::Handle;

use super::OrchestratorBuilder;
use crate::{
    backends::Job,
    pipeline::{FlowReport, RelaySettings, Reviewer},
    step::StepError,
};

impl OrchestratorBuilder {
    /// Who reviews what has failed: called with each review job that is due, about as often as the relay
    /// [polls](RelaySettings::poll), within the orchestrator's scope. What it answers closes the job, or puts it off, by the relay's
    /// [`backoff`](RelaySettings::backoff) and [`attempts`](RelaySettings::attempts); after the last attempt the job stays open, and is
    /// due no more until a flow asks for it again. It has the time of the relay's [`lease`](RelaySettings::lease).
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

    /// Called with each flow's report, when its last step is done: in the handler's task,
    /// or in that of the background; so it should be quick. A call whose `when` is false has no flow, and no report.
    ///
    /// A panic of it is logged and changes nothing.
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

    /// How many flows of `delivery = "background"` may wait, shared by 8 lanes over which entities are spread, at least one
    /// each; where a lane is full, its further callers wait until their flow is done. As many flows again may wait, or go on beside the
    /// queue, whose callers were cancelled; the steps of those beyond are not run: they fail as
    /// [`Abandoned`](crate::StepErrorKind::Abandoned), which is logged, counted and reported. A hook of a flow in a lane does not wait
    /// for a place: what it calls takes its turn without it.
    /// Default: 1,024.
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

    /// The runtime that flows without a caller go on in. Default: the one that `build` is called in.
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

    /// How the relay works that runs the flows of durable delivery.
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

    /// How many bytes the event of a durable flow may have on the wire. A larger one is refused when its flow is stored: the
    /// step `event` fails, once, and the other steps go on. Default: 65,536.
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

    /// Whether the error of a handler is logged when it is a [server fault](crate::Code::is_server_fault): with its sources, at
    /// `ERROR`, with the target `graceful::error`, within the flow's span. Default: true. One handler is excluded by `errors = off`.
    ///
    /// The text is the error's own (`Error` with its sources, else `Display`, else `Debug`), and goes nowhere but to `tracing`: not
    /// into events, stores or responses. So is that of a panic. Of the manual path nothing is logged.
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

    /// The handlers that this orchestrator is for, which [`build`](Self::build) then checks: the path of a module, such as
    /// `my_service::users` or [`module_path!()`](module_path), of all that is in it, or the path of one handler. It can be given
    /// more than once.
    ///
    /// [`install`](Orchestrator::install) checks all handlers of the program in any case.
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
    pub fn handlers(mut self, path: impl Into<SmolStr>) -> Self {
        self.handlers.push(path.into());
        self
    }
}
