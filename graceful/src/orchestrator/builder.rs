//! From backends and settings to an orchestrator.

use std::{
    fmt,
    future::Future,
    sync::{Arc, atomic::Ordering},
};

use smol_str::SmolStr;
use tokio::runtime::Handle;

use super::requirements::{self, BuildError};
use crate::{
    FlowReport, StepError,
    backends::{
        Alerter, AuditLog, Backends, Cache, EventEmitter, FlowStore, Job, KnowledgeGraph, MetadataStore,
        Nexus, Scheduler,
    },
    flow::Origin,
    outage::Outages,
    pipeline::{
        ALIVE, Background, Counters, Inner, Missed, Observer, Orchestrator, RelayHandle, RelaySettings,
        Reviewer,
    },
    relay,
    steps::served,
};

/// Backends and settings of an [`Orchestrator`] to be.
///
/// A step whose backend is not given is skipped.
///
/// ```
/// use graceful::{Orchestrator, backends::memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::builder()
///     .service("users")
///     .environment("prod")
///     .cache(memory::Cache::new())
///     .events(memory::Events::new())
///     .on_report(|report| println!("{report}"))
///     .build()?;
/// # Ok::<(), graceful::BuildError>(())
/// # }).unwrap();
/// ```
#[must_use]
pub struct OrchestratorBuilder {
    origin: Origin,
    pub(super) backends: Backends,
    observers: Vec<Observer>,
    queue: usize,
    relay: RelaySettings,
    max_event_bytes: usize,
    reviewer: Option<Reviewer>,
    runtime: Option<Handle>,
    handlers: Vec<SmolStr>,
    log_errors: bool,
}

/// How many flows may wait in the background, unless the builder says otherwise.
const QUEUE: usize = 1024;

const NO_RUNTIME: &str = "the relay and the reviewer need a Tokio runtime: call `build()` inside of one, or pass a handle with \
                          `.runtime(handle)`";

/// What consumers and brokers can be asked to take.
const MAX_EVENT_BYTES: usize = 64 * 1024;

macro_rules! backends {
    ($($(#[$doc:meta])* $method:ident: $trait:ident)*) => {$(
        $(#[$doc])*
        pub fn $method(mut self, backend: impl $trait) -> Self {
            self.backends.$method = Some(Arc::new(backend));
            self
        }
    )*};
}

impl OrchestratorBuilder {
    pub(super) fn new() -> Self {
        Self {
            origin: Origin { service: SmolStr::new_static("service"), environment: SmolStr::default() },
            backends: Backends::default(),
            observers: Vec::new(),
            queue: QUEUE,
            relay: RelaySettings::default(),
            max_event_bytes: MAX_EVENT_BYTES,
            reviewer: None,
            runtime: None,
            handlers: Vec::new(),
            log_errors: true,
        }
    }

    /// The service's name: the source of its events, and part of every key. Default: `service`. It is not empty, and without
    /// control characters, or [`build`](Self::build) refuses it.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// assert_eq!(orchestrator.key("user", 42).service(), "users");
    /// # Ok::<(), graceful::BuildError>(())
    /// ```
    pub fn service(mut self, name: impl Into<SmolStr>) -> Self {
        self.origin.service = name.into();
        self
    }

    /// The environment's name, such as `prod`; part of every event. Default: empty.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().environment("prod").build().unwrap();
    /// let config = OrchestrationConfig::new("user").on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().environment(), "prod");
    /// # });
    /// ```
    pub fn environment(mut self, name: impl Into<SmolStr>) -> Self {
        self.origin.environment = name.into();
        self
    }

    backends! {
        /// Drives `cache` and `fallback = last_good`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().cache(memory::Cache::new()).build()?;
        /// assert!(orchestrator.cache().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        cache: Cache
        /// Drives `metadata`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().metadata(memory::MetadataStore::new()).build()?;
        /// assert!(orchestrator.metadata().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        metadata: MetadataStore
        /// Drives `graph`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().graph(memory::Graph::new()).build()?;
        /// assert!(orchestrator.graph().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        graph: KnowledgeGraph
        /// Drives `schedule`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().scheduler(memory::Scheduler::new()).build()?;
        /// assert!(orchestrator.scheduler().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        scheduler: Scheduler
        /// Drives `event`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().events(memory::Events::new()).build()?;
        /// assert!(orchestrator.events().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        events: EventEmitter
        /// Drives `nexus`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().nexus(memory::Nexus::new()).build()?;
        /// assert!(orchestrator.nexus().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        nexus: Nexus
        /// Drives `audit`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().audit(memory::AuditLog::new()).build()?;
        /// assert!(orchestrator.audit().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        audit: AuditLog
        /// Drives `alert`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().alerts(memory::Alerts::new()).build()?;
        /// assert!(orchestrator.alerts().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// ```
        alerts: Alerter
        /// Keeps the flows of `delivery = "durable"` until their steps are done. Not a step's: a handler that is durable asks
        /// for it.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
        /// let orchestrator = Orchestrator::builder().flows(memory::Flows::new()).build()?;
        /// assert!(orchestrator.flows().is_some());
        /// # Ok::<(), graceful::BuildError>(())
        /// # }).unwrap();
        /// ```
        flows: FlowStore
    }

    /// Gives every step that has no backend yet an embedded one, in this process' memory.
    ///
    /// ```
    /// # use graceful::{Orchestrator, backends::memory};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let events = memory::Events::new();
    /// let orchestrator = Orchestrator::builder().service("users").events(events.clone()).in_memory().build()?;
    /// assert!(orchestrator.cache().is_some());
    /// # Ok::<(), graceful::BuildError>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "memory")]
    pub fn in_memory(mut self) -> Self {
        use crate::backends::memory;

        let backends = &mut self.backends;
        backends.cache.get_or_insert_with(|| Arc::new(memory::Cache::new()));
        backends.metadata.get_or_insert_with(|| Arc::new(memory::MetadataStore::new()));
        backends.graph.get_or_insert_with(|| Arc::new(memory::Graph::new()));
        backends.scheduler.get_or_insert_with(|| Arc::new(memory::Scheduler::new()));
        backends.events.get_or_insert_with(|| Arc::new(memory::Events::new()));
        backends.nexus.get_or_insert_with(|| Arc::new(memory::Nexus::new()));
        backends.audit.get_or_insert_with(|| Arc::new(memory::AuditLog::new()));
        backends.alerts.get_or_insert_with(|| Arc::new(memory::Alerts::new()));
        self
    }

    /// Wraps or replaces backends that were given before.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let without_cache = Orchestrator::builder().in_memory().map_backends(|mut backends| {
    ///     backends.cache = None;
    ///     backends
    /// });
    /// assert!(without_cache.build()?.cache().is_none());
    /// # Ok::<(), graceful::BuildError>(())
    /// # }).unwrap();
    /// ```
    pub fn map_backends(mut self, change: impl FnOnce(Backends) -> Backends) -> Self {
        self.backends = change(self.backends);
        self
    }

    /// Whether [`build`](Self::build) will have a runtime.
    #[cfg(feature = "__testing")]
    #[doc(hidden)]
    pub fn has_runtime(&self) -> bool {
        self.runtime.is_some() || Handle::try_current().is_ok()
    }

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
    /// # Ok::<(), graceful::BuildError>(())
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
    /// # Ok::<(), graceful::BuildError>(())
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
    /// # Ok::<(), graceful::BuildError>(())
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
    /// # Ok::<(), graceful::BuildError>(())
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

    /// Builds the orchestrator.
    ///
    /// Built outside a Tokio runtime and without [`runtime`](Self::runtime), it serves what is ready at once (as everything
    /// in memory is); a step that is not ready when its caller cannot wait then fails.
    ///
    /// # Errors
    /// A handler that was [named](Self::handlers) requires what was not given: each is told, with file and line. Or there is a
    /// durable store, or a reviewer, and no runtime for what works in the background. Or the service's name is empty, or holds
    /// control characters, or the environment's does, so that no event could be sent.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").in_memory().build()?;
    /// assert!(orchestrator.audit().is_some());
    /// # Ok::<(), graceful::BuildError>(())
    /// ```
    pub fn build(self) -> Result<Orchestrator, BuildError> {
        let unmet = requirements::of_handlers(&self.handlers, &self.backends);
        let mut faults: Vec<_> = unmet.iter().map(ToString::to_string).collect();
        faults.extend(self.origin.faults());
        let runtime = self.runtime.or_else(|| Handle::try_current().ok());
        let relays = self.relay.runs && self.backends.flows.is_some();
        if runtime.is_none() && (relays || self.reviewer.is_some()) {
            faults.push(NO_RUNTIME.to_owned());
        }
        BuildError::check(faults)?;
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
        }));
        if let (true, Some(runtime)) = (relays, orchestrator.runtime()) {
            runtime.spawn(relay::run(orchestrator.downgrade()));
        }
        if let (Some(_), Some(runtime)) = (orchestrator.reviewer(), orchestrator.runtime()) {
            runtime.spawn(relay::run_reviews(orchestrator.downgrade()));
        }
        Ok(orchestrator)
    }
}

impl fmt::Debug for OrchestratorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestratorBuilder")
            .field("origin", &self.origin)
            .field("backends", &self.backends)
            .field("observers", &self.observers.len())
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
