//! Access to the backends of an orchestrator, and to cached values.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::Orchestrator;
use crate::{
    backends::{
        Alerter, AuditLog, Cache, EventEmitter, EventLog, FlowStore, Hit, Idempotency, KnowledgeGraph,
        MetadataStore, Nexus, Scheduler, Subscriptions,
    },
    cache_stats::CacheStats,
    context::Context,
    key::Key,
    marks::EntryName,
    pipeline::current,
    step::StepError,
    text::text,
};

macro_rules! backends {
    ($($(#[$doc:meta])* $method:ident: $trait:ident)*) => {$(
        $(#[$doc])*
        pub fn $method(&self) -> Option<&Arc<dyn $trait>> {
            self.0.backends.$method.as_ref()
        }
    )*};
}

impl Orchestrator {
    /// The key of an entity of this service and of the current context's tenant.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// assert_eq!(orchestrator.key("user", 42).to_string(), "users::user:42");
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn key(&self, pattern: &str, id: impl fmt::Display) -> Key {
        let id = text!("{id}");
        Key::new(&self.0.origin.service, Context::current().tenant.as_deref(), pattern, id)
    }

    /// The name of the service.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().service("users").build()?;
    /// assert_eq!((orchestrator.service(), orchestrator.environment()), ("users", ""));
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn service(&self) -> &str {
        &self.0.origin.service
    }

    /// The name of the environment, such as `production`; empty if none is set.
    pub fn environment(&self) -> &str {
        &self.0.origin.environment
    }

    /// Reads a value that a handler of this service has cached.
    ///
    /// Of a pattern that is read through the cache, it returns only a value whose marks are all current; one that depends on other entities
    /// may be missing, because a cache behind a connection cannot compare their marks.
    ///
    /// # Errors
    /// Fails if the cache fails, or if the cached value is not a `T`. This method is cancel-safe.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(orchestrator.cached::<String>("user", 42).await.unwrap().as_deref(), Some("ada"));
    /// assert_eq!(orchestrator.cached::<String>("user", 43).await.unwrap(), None);
    /// assert!(orchestrator.cached::<u64>("user", 42).await.is_err(), "it is not a number");
    /// # });
    /// ```
    pub async fn cached<T: DeserializeOwned>(
        &self,
        pattern: &str,
        key: impl fmt::Display,
    ) -> Result<Option<T>, StepError> {
        let found = self.cache_entry(&self.key(pattern, key)).await?;
        let entry = found.filter(|hit| !hit.depends_on_more).map(|hit| hit.entry);
        entry.map(|entry| entry.value.decode().map_err(StepError::caused_by)).transpose()
    }

    /// Reads the cache entry of an entity, with its age, e.g. to find out why a reader got an old value.
    ///
    /// Of a pattern that is read through the cache, it returns only an entry whose marks are all current, apart from those of the entities on
    /// which it [depends](Hit::depends_on_more).
    ///
    /// # Errors
    /// Fails if the cache fails. This method is cancel-safe.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let hit = orchestrator.cache_entry(&orchestrator.key("user", 42)).await?.unwrap();
    /// assert!(hit.age.as_secs() < 60 && !hit.depends_on_more);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    pub async fn cache_entry(&self, entity: &Key) -> Result<Option<Hit>, StepError> {
        let Some(cache) = self.cache() else { return Ok(None) };
        match self.held(entity.pattern()) {
            None => Ok(cache.get(entity).await?.map(|entry| {
                let age =
                    Duration::try_from(Timestamp::now().duration_since(entry.stored_at)).unwrap_or_default();
                Hit::new(entry, age, false)
            })),
            Some((held, protocol)) => {
                protocol.hit(&EntryName::new(entity.clone(), held.variant(), Vec::new())).await
            }
        }
    }

    /// The orchestrator of this task, or that of the process.
    ///
    /// ```
    /// use graceful::Orchestrator;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// assert!(Orchestrator::current().is_none());
    /// Orchestrator::in_memory().scope(async { assert!(Orchestrator::current().is_some()) }).await;
    /// # });
    /// ```
    pub fn current() -> Option<Self> {
        current::orchestrator()
    }

    /// The counters of a pattern that is read through the cache; `None` if it is not, so that its writes are not held.
    ///
    /// ```
    /// let orchestrator = graceful::Orchestrator::builder().in_memory().reads("user").build()?;
    /// assert_eq!(orchestrator.cache_stats("user").unwrap().hits, 0);
    /// assert_eq!(orchestrator.cache_stats("order"), None);
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn cache_stats(&self, pattern: &str) -> Option<CacheStats> {
        self.held(pattern).map(|(held, _)| held.counters.read())
    }

    /// The log to which events are emitted, if the emitter is one.
    ///
    /// ```
    /// # use graceful::{Orchestrator, backends::memory};
    /// let orchestrator = Orchestrator::builder().events(memory::EventLog::new()).build()?;
    /// assert!(orchestrator.event_log().is_some());
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn event_log(&self) -> Option<Arc<dyn EventLog>> {
        self.events().and_then(|events| events.log())
    }

    /// The state of subscribers: that of the builder, otherwise that of the flow store.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// assert!(Orchestrator::in_memory().subscriptions().is_some());
    /// assert!(Orchestrator::builder().build()?.subscriptions().is_none());
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    pub fn subscriptions(&self) -> Option<Arc<dyn Subscriptions>> {
        let of_flows = || self.flows().and_then(|flows| flows.subscriptions());
        self.backends().subscriptions.clone().or_else(of_flows)
    }

    /// Whether it has stores that it purges.
    pub(super) fn is_purged(&self) -> bool {
        self.idempotency().is_some() || self.event_log().is_some() || self.subscriptions().is_some()
    }

    backends! {
        /// The backend of `cache` and `fallback = last_good`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().cache().is_some());
        /// assert!(Orchestrator::builder().build()?.cache().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        cache: Cache
        /// The backend of `metadata`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().metadata().is_some());
        /// assert!(Orchestrator::builder().build()?.metadata().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        metadata: MetadataStore
        /// The backend of `graph`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().graph().is_some());
        /// assert!(Orchestrator::builder().build()?.graph().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        graph: KnowledgeGraph
        /// The backend of `schedule`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().scheduler().is_some());
        /// assert!(Orchestrator::builder().build()?.scheduler().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        scheduler: Scheduler
        /// The backend of `event`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().events().is_some());
        /// assert!(Orchestrator::builder().build()?.events().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        events: EventEmitter
        /// The backend of `nexus`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().nexus().is_some());
        /// assert!(Orchestrator::builder().build()?.nexus().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        nexus: Nexus
        /// The backend of `audit`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().audit().is_some());
        /// assert!(Orchestrator::builder().build()?.audit().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        audit: AuditLog
        /// The backend of `alert`.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().alerts().is_some());
        /// assert!(Orchestrator::builder().build()?.alerts().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        alerts: Alerter
        /// The store of durable flows: use it to query flows, and to resubmit, discard and postpone them.
        ///
        /// ```
        /// use graceful::{Orchestrator, backends::{FlowQuery, FlowState, memory}};
        ///
        /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
        /// let orchestrator = Orchestrator::builder().flows(memory::Flows::new()).build().unwrap();
        /// let flows = orchestrator.flows().unwrap();
        /// for dead in flows.flows(FlowQuery::new(FlowState::Dead, 100)).await?.items {
        ///     flows.resubmit(dead.id).await?;
        /// }
        /// # Ok::<(), graceful::StepError>(())
        /// # }).unwrap();
        /// ```
        flows: FlowStore
        /// The store of the calls of `idempotent` handlers.
        ///
        /// ```
        /// # use graceful::Orchestrator;
        /// assert!(Orchestrator::in_memory().idempotency().is_some());
        /// assert!(Orchestrator::builder().build()?.idempotency().is_none());
        /// # Ok::<(), graceful::error::BuildError>(())
        /// ```
        idempotency: Idempotency
    }
}
