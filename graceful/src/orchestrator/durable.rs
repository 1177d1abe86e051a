//! What must survive a restart, in one store.

use std::sync::Arc;

use super::OrchestratorBuilder;
use crate::backends::{Alerter, AuditLog, FlowStore, MetadataStore, Nexus, Scheduler};

impl OrchestratorBuilder {
    /// Keeps everything that must survive a restart in one store, such as `graceful_sqlite::Store` or `graceful_postgres::Store`: the
    /// flows of durable delivery, metadata, review jobs, patterns, the audit log, and alerts unless [`alerts`](Self::alerts) was given.
    ///
    /// Call it before [`in_memory`](Self::in_memory), which gives what is still missing (cache, events, graph) a backend in memory: after
    /// it, the alerts are in memory already.
    pub fn store<S>(self, store: S) -> Self
    where
        S: FlowStore + MetadataStore + Scheduler + Nexus + AuditLog + Alerter + Clone,
    {
        let mut builder = self.flows(store.clone()).metadata(store.clone()).scheduler(store.clone());
        builder.backends.alerts.get_or_insert_with(|| Arc::new(store.clone()));
        builder.nexus(store.clone()).audit(store)
    }
}
