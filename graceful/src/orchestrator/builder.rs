//! The builder of orchestrators.

use std::{fmt, sync::Arc, time::Duration};

use tokio::runtime::Handle;

use crate::{
    backends::{
        Alerter, AuditLog, Backends, Cache, EventEmitter, FlowStore, Idempotency, KnowledgeGraph,
        MetadataStore, Nexus, Scheduler, Subscriptions,
    },
    flow::Origin,
    pipeline::{Observer, RelaySettings, Reviewer},
    text::Text,
};

/// Builds an [`Orchestrator`](crate::Orchestrator) from backends and settings.
///
/// A step without a backend is skipped.
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
/// # Ok::<(), graceful::error::BuildError>(())
/// # }).unwrap();
/// ```
#[must_use]
pub struct OrchestratorBuilder {
    pub(super) origin: Origin,
    pub(super) backends: Backends,
    pub(super) observers: Vec<Observer>,
    pub(super) queue: usize,
    pub(super) relay: RelaySettings,
    pub(super) max_event_bytes: usize,
    pub(super) reviewer: Option<Reviewer>,
    pub(super) runtime: Option<Handle>,
    pub(super) handlers: Vec<Text>,
    pub(super) log_errors: bool,
    pub(super) reads: Vec<Text>,
    pub(super) shared: Vec<Text>,
    pub(super) idempotency_lease: Duration,
    /// What the backend of idempotent calls is if no store has one.
    pub(super) idempotency_in_memory: bool,
}

/// The default capacity of the background queue, in flows.
const QUEUE: usize = 1024;

/// The default time for which a key of an idempotent handler is claimed.
const IDEMPOTENCY_LEASE: Duration = Duration::from_secs(30);

/// The default limit of an event: consumers and brokers must accept events up to 64 KiB.
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
            origin: Origin { service: Text::new_static("service"), environment: Text::default() },
            backends: Backends::default(),
            observers: Vec::new(),
            queue: QUEUE,
            relay: RelaySettings::default(),
            max_event_bytes: MAX_EVENT_BYTES,
            reviewer: None,
            runtime: None,
            handlers: Vec::new(),
            log_errors: true,
            reads: Vec::new(),
            shared: Vec::new(),
            idempotency_lease: IDEMPOTENCY_LEASE,
            idempotency_in_memory: false,
        }
    }

    /// Sets the service's name: the source of its events, and part of every key. Default: `service`. If the name is empty or contains
    /// control characters, [`build`](Self::build) fails.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// assert_eq!(orchestrator.key("user", 42).service(), "users");
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn service(mut self, name: impl Into<Text>) -> Self {
        self.origin.service = name.into();
        self
    }

    /// Sets the environment's name, such as `prod`, which is part of every event. Default: empty.
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
    pub fn environment(mut self, name: impl Into<Text>) -> Self {
        self.origin.environment = name.into();
        self
    }

    backends! {
        /// Sets the backend of `cache` and `fallback = last_good`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().cache(memory::Cache::new()).build()?;
        /// assert!(orchestrator.cache().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        cache: Cache
        /// Sets the backend of `metadata`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().metadata(memory::MetadataStore::new()).build()?;
        /// assert!(orchestrator.metadata().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        metadata: MetadataStore
        /// Sets the backend of `graph`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().graph(memory::Graph::new()).build()?;
        /// assert!(orchestrator.graph().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        graph: KnowledgeGraph
        /// Sets the backend of `schedule`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().scheduler(memory::Scheduler::new()).build()?;
        /// assert!(orchestrator.scheduler().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        scheduler: Scheduler
        /// Sets the backend of `event`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().events(memory::Events::new()).build()?;
        /// assert!(orchestrator.events().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        events: EventEmitter
        /// Sets the backend of `nexus`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().nexus(memory::Nexus::new()).build()?;
        /// assert!(orchestrator.nexus().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        nexus: Nexus
        /// Sets the backend of `audit`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().audit(memory::AuditLog::new()).build()?;
        /// assert!(orchestrator.audit().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        audit: AuditLog
        /// Sets the backend of `alert`.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().alerts(memory::Alerts::new()).build()?;
        /// assert!(orchestrator.alerts().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        alerts: Alerter
        /// Sets the store of durable flows. It is not the backend of a step: handlers with `delivery = "durable"` need it.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
        /// let orchestrator = Orchestrator::builder().flows(memory::Flows::new()).build()?;
        /// assert!(orchestrator.flows().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// # }).unwrap();
        /// ```
        flows: FlowStore
        /// Sets the store of the calls of `idempotent` handlers. Default: the database of the durable flows, if its store supports it; so that an
        /// answer and its flow are stored in one transaction.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().idempotency(memory::IdempotentCalls::new()).build()?;
        /// assert!(orchestrator.idempotency().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        idempotency: Idempotency
        /// Sets the state of subscribers. Default: the database of the durable flows, if its store supports it.
        ///
        /// ```
        /// # use graceful::{Orchestrator, backends::memory};
        /// let orchestrator = Orchestrator::builder().subscriptions(memory::Subscriptions::new()).build()?;
        /// assert!(orchestrator.subscriptions().is_some());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        subscriptions: Subscriptions
    }

    /// Uses one store, such as `graceful_sqlite::Store` or `graceful_postgres::Store`, for everything that must survive a restart: durable
    /// flows, metadata, review jobs, patterns and the audit log; alerts unless [`alerts`](Self::alerts) was set; and events, in its
    /// [event log](FlowStore::event_log), unless [`events`](Self::events) was set or is set later.
    ///
    /// Call it before [`in_memory`](Self::in_memory), which sets the missing backends (cache, graph); otherwise alerts and events stay in
    /// memory.
    pub fn store<S>(self, store: S) -> Self
    where
        S: FlowStore + MetadataStore + Scheduler + Nexus + AuditLog + Alerter + Clone,
    {
        let log = store.event_log();
        let mut builder = self.flows(store.clone()).metadata(store.clone()).scheduler(store.clone());
        builder.backends.alerts.get_or_insert_with(|| Arc::new(store.clone()));
        if let Some(log) = log {
            builder.backends.events.get_or_insert(log);
        }
        builder.nexus(store.clone()).audit(store)
    }

    /// Sets an in-memory backend for every step that has no backend yet.
    ///
    /// ```
    /// # use graceful::{Orchestrator, backends::memory};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let events = memory::Events::new();
    /// let orchestrator = Orchestrator::builder().service("users").events(events.clone()).in_memory().build()?;
    /// assert!(orchestrator.cache().is_some());
    /// # Ok::<(), graceful::error::BuildError>(())
    /// # }).unwrap();
    /// ```
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
        if backends.flows.as_ref().is_none_or(|flows| flows.subscriptions().is_none()) {
            backends.subscriptions.get_or_insert_with(|| Arc::new(memory::Subscriptions::new()));
        }
        self.idempotency_in_memory = true;
        self
    }

    /// Wraps or replaces the backends that are already set.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let without_cache = Orchestrator::builder().in_memory().map_backends(|mut backends| {
    ///     backends.cache = None;
    ///     backends
    /// });
    /// assert!(without_cache.build()?.cache().is_none());
    /// # Ok::<(), graceful::error::BuildError>(())
    /// # }).unwrap();
    /// ```
    pub fn map_backends(mut self, change: impl FnOnce(Backends) -> Backends) -> Self {
        self.backends = change(self.backends);
        self
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
