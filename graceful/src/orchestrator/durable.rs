//! What must survive a restart, in one store.

#[cfg(feature = "sqlite")]
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "sqlite")]
use super::Orchestrator;
use super::OrchestratorBuilder;
#[cfg(feature = "sqlite")]
use crate::backends::sqlite::{OpenError, Store};
use crate::backends::{Alerter, AuditLog, FlowStore, MetadataStore, Nexus, Scheduler};

impl OrchestratorBuilder {
    /// Everything that must survive a restart in one store, such as `sqlite::Store` or `postgres::Store`: the flows of
    /// durable delivery, metadata, review jobs, patterns, the audit log, and alerts unless [`alerts`](Self::alerts) was given.
    ///
    /// Call it before `in_memory`, which gives what is still missing (cache, events, graph) a backend in memory: after it, the alerts
    /// are in memory already.
    ///
    /// ```
    /// # use graceful::{Orchestrator, backends::sqlite};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-builder-{}.db", std::process::id()));
    /// let store = sqlite::Store::open(&path).await?;
    /// let orchestrator = Orchestrator::builder().store(store).build()?;
    /// assert!(orchestrator.flows().is_some() && orchestrator.audit().is_some() && orchestrator.alerts().is_some());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn store<S>(self, store: S) -> Self
    where
        S: FlowStore + MetadataStore + Scheduler + Nexus + AuditLog + Alerter + Clone,
    {
        let mut builder = self.flows(store.clone()).metadata(store.clone()).scheduler(store.clone());
        builder.backends.alerts.get_or_insert_with(|| Arc::new(store.clone()));
        builder.nexus(store.clone()).audit(store)
    }
}

#[cfg(feature = "sqlite")]
impl OrchestratorBuilder {
    /// Gives every step that has no backend yet one that needs no server: what must survive a restart is kept in `graceful.db`
    /// in this directory, which is made if it is missing, for this user alone; the cache and the events of this process are in memory. So is the graph,
    /// but with the feature `graph`, where it speaks SPARQL and is kept.
    ///
    /// # Errors
    /// The directory cannot be made, or the [store](crate::backends::sqlite::Store::open) cannot be opened.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let dir = std::env::temp_dir().join(format!("graceful-embedded-builder-{}", std::process::id()));
    /// let orchestrator = Orchestrator::builder().service("users").embedded(&dir).await?.build()?;
    /// assert!(dir.join("graceful.db").exists());
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn embedded(mut self, dir: impl AsRef<Path>) -> Result<Self, OpenError> {
        let store = Arc::new(Store::open_in(dir.as_ref()).await?);
        let backends = &mut self.backends;
        backends.flows.get_or_insert_with(|| Arc::clone(&store) as _);
        backends.metadata.get_or_insert_with(|| Arc::clone(&store) as _);
        backends.scheduler.get_or_insert_with(|| Arc::clone(&store) as _);
        backends.nexus.get_or_insert_with(|| Arc::clone(&store) as _);
        backends.alerts.get_or_insert_with(|| Arc::clone(&store) as _);
        #[cfg(feature = "graph")]
        if backends.graph.is_none() {
            backends.graph = Some(Arc::new(store.open_graph().await?));
        }
        backends.audit.get_or_insert(store);
        Ok(self.in_memory())
    }
}

#[cfg(feature = "sqlite")]
impl Orchestrator {
    /// Gives every step a backend that needs no server; what must survive a restart is kept in this directory. See
    /// [`OrchestratorBuilder::embedded`].
    ///
    /// # Errors
    /// The directory cannot be made, or the store in it cannot be opened.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let dir = std::env::temp_dir().join(format!("graceful-embedded-{}", std::process::id()));
    /// let orchestrator = graceful::Orchestrator::embedded(&dir).await?;
    /// assert!(orchestrator.flows().is_some());
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn embedded(dir: impl AsRef<Path>) -> Result<Self, OpenError> {
        let builder = Self::builder().embedded(dir).await?;
        Ok(builder
            .build()
            .expect("embedded backends ask for nothing but the runtime that they were opened in"))
    }
}
