//! The trait of metadata stores.

use std::{fmt::Debug, sync::Arc};

use uuid::Uuid;

use crate::{
    backends::Reply,
    flow::{Flow, Metadata},
    key::Key,
};

/// Stores the state of each entity, and the chain of its flows.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use graceful::{
///     Code, Flow, Key, Metadata, OrchestrationConfig, Orchestrator, Success,
///     backends::{MetadataStore, Reply},
/// };
/// use uuid::Uuid;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Stores the newest state of one entity.
/// #[derive(Debug, Default)]
/// struct OneEntity(Mutex<Option<Arc<Metadata>>>);
///
/// impl MetadataStore for OneEntity {
///     fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
///         let mut latest = self.0.lock().unwrap();
///         let metadata = Arc::new(Metadata::after(latest.as_deref(), flow));
///         *latest = Some(Arc::clone(&metadata));
///         Reply::ready(metadata)
///     }
///
///     fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
///         Reply::ready(self.0.lock().unwrap().clone())
///     }
///
///     fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
///         let latest = self.0.lock().unwrap().clone();
///         Reply::ready(latest.filter(|metadata| metadata.state == flow))
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").metadata(OneEntity::default()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// assert_eq!(report.flow().metadata().unwrap().score, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait MetadataStore: Debug + Send + Sync + 'static {
    /// Computes the entity's next state with [`Metadata::after`] and stores it, atomically per entity. Also sets the `next` of the
    /// previous state. A flow that is delivered again changes nothing, and returns the same state, without
    /// a `next`.
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>>;
    /// Returns the newest state of an entity.
    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>>;
    /// Returns the state after a flow.
    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>>;
}
