//! The backends of one orchestrator.

use std::sync::Arc;

use super::{
    Alerter, AuditLog, Cache, EventEmitter, FlowStore, KnowledgeGraph, MetadataStore, Nexus, Scheduler,
};

/// The backends of one orchestrator; a step without one is skipped.
///
/// [`map_backends`](crate::OrchestratorBuilder::map_backends) hands them out, to wrap or replace some.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Backends {
    /// Drives `cache` and `fallback = last_good`.
    pub cache: Option<Arc<dyn Cache>>,
    /// Drives `metadata`.
    pub metadata: Option<Arc<dyn MetadataStore>>,
    /// Drives `graph`.
    pub graph: Option<Arc<dyn KnowledgeGraph>>,
    /// Drives `schedule`.
    pub scheduler: Option<Arc<dyn Scheduler>>,
    /// Drives `event`.
    pub events: Option<Arc<dyn EventEmitter>>,
    /// Drives `nexus`.
    pub nexus: Option<Arc<dyn Nexus>>,
    /// Drives `audit`.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// Drives `alert`.
    pub alerts: Option<Arc<dyn Alerter>>,
    /// Stores the flows of durable delivery.
    pub flows: Option<Arc<dyn FlowStore>>,
}
