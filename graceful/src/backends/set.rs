//! The backends of one orchestrator.

use std::sync::Arc;

use super::{
    Alerter, AuditLog, Cache, EventEmitter, FlowStore, Idempotency, KnowledgeGraph, MetadataStore, Nexus,
    Scheduler, Subscriptions,
};

/// The backends of one orchestrator; a step without one is skipped.
///
/// [`map_backends`](crate::OrchestratorBuilder::map_backends) passes them to a function that wraps or replaces some.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Backends {
    /// The backend of `cache` and `fallback = last_good`.
    pub cache: Option<Arc<dyn Cache>>,
    /// The backend of `metadata`.
    pub metadata: Option<Arc<dyn MetadataStore>>,
    /// The backend of `graph`.
    pub graph: Option<Arc<dyn KnowledgeGraph>>,
    /// The backend of `schedule`.
    pub scheduler: Option<Arc<dyn Scheduler>>,
    /// The backend of `event`.
    pub events: Option<Arc<dyn EventEmitter>>,
    /// The backend of `nexus`.
    pub nexus: Option<Arc<dyn Nexus>>,
    /// The backend of `audit`.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// The backend of `alert`.
    pub alerts: Option<Arc<dyn Alerter>>,
    /// The store of durable flows.
    pub flows: Option<Arc<dyn FlowStore>>,
    /// The store of idempotent calls, if it is not the flow store.
    pub idempotency: Option<Arc<dyn Idempotency>>,
    /// The state of subscribers, if it is not in the flow store.
    pub subscriptions: Option<Arc<dyn Subscriptions>>,
}
