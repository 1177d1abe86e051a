//! An orchestrator with the embedded backends, and a handle of each to look into.

use std::sync::{Arc, Mutex};

use graceful::{
    Event, FlowReport, Key, Metadata, Orchestrator, OrchestratorBuilder, Step,
    backends::{
        Alert, Alerter as _, AuditLog as _, AuditRecord, Cache as _, CacheEntry, Edge, IncidentFilter, Job,
        KeySpace, KnowledgeGraph as _, MetadataStore as _, Nexus as _, Node, PatternUse, Scheduler as _,
        memory,
    },
};
use serde_json::{Value, json};

use crate::{Reports, hooks};

#[derive(Debug)]
pub struct World {
    pub orchestrator: Orchestrator,
    pub reports: Reports,
    pub backends: Backends,
    inbox: Mutex<(memory::Subscription, Vec<Event>)>,
}

#[derive(Clone, Debug, Default)]
pub struct Backends {
    pub cache: memory::Cache,
    pub metadata: memory::MetadataStore,
    pub graph: memory::Graph,
    pub scheduler: memory::Scheduler,
    pub events: memory::Events,
    pub nexus: memory::Nexus,
    pub audit: memory::AuditLog,
    pub alerts: memory::Alerts,
}

impl Backends {
    pub fn builder(&self) -> OrchestratorBuilder {
        let Self { cache, metadata, graph, scheduler, events, nexus, audit, alerts } = self.clone();
        Orchestrator::builder()
            .service("users")
            .environment("test")
            .cache(cache)
            .metadata(metadata)
            .graph(graph)
            .scheduler(scheduler)
            .events(events)
            .nexus(nexus)
            .audit(audit)
            .alerts(alerts)
            .idempotency(memory::IdempotentCalls::new())
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With other settings, or backends, than usual.
    pub fn with(change: impl FnOnce(OrchestratorBuilder) -> OrchestratorBuilder) -> Self {
        // What an earlier test of this thread left.
        hooks::calls();
        let (backends, reports) = (Backends::default(), Reports::default());
        let inbox = Mutex::new((backends.events.subscribe(), Vec::new()));
        let orchestrator = change(reports.of(backends.builder())).build().unwrap();
        Self { orchestrator, reports, backends, inbox }
    }

    /// Runs a handler under the world's orchestrator.
    pub fn run<F: Future>(&self, handler: F) -> impl Future<Output = F::Output> + use<F> {
        self.orchestrator.scope(handler)
    }

    /// The report of the last flow, with what became of one of its steps.
    #[track_caller]
    pub fn last(&self, step: Step) -> (FlowReport, String) {
        let report = self.reports.last();
        let result = report.step(step).to_string();
        (report, result)
    }

    /// User 42.
    pub fn entity(&self) -> Key {
        self.orchestrator.key("user", 42)
    }

    pub async fn cached(&self, key: &Key) -> Option<CacheEntry> {
        self.backends.cache.get(key).await.unwrap()
    }

    pub async fn metadata(&self, entity: &Key) -> Option<Arc<Metadata>> {
        self.backends.metadata.latest(entity).await.unwrap()
    }

    pub async fn edges(&self, entity: &Key) -> Vec<Edge> {
        self.backends.graph.neighbours(&Node::Entity(entity.clone())).await.unwrap()
    }

    pub async fn jobs(&self) -> Vec<Job> {
        self.backends.scheduler.jobs(IncidentFilter::default(), None, usize::MAX).await.unwrap().items
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        let mut inbox = self.inbox.lock().unwrap();
        let (subscription, events) = &mut *inbox;
        while let Ok(event) = subscription.try_recv() {
            events.push(event);
        }
        events.clone()
    }

    pub async fn patterns(&self) -> Vec<PatternUse> {
        self.backends.nexus.patterns(None, usize::MAX).await.unwrap()
    }

    pub async fn records(&self) -> Vec<AuditRecord> {
        self.backends.audit.records(None, usize::MAX).await.unwrap()
    }

    pub async fn open_alerts(&self) -> Vec<Alert> {
        self.backends.alerts.open(IncidentFilter::default(), None, usize::MAX).await.unwrap().items
    }

    pub async fn resolved_alerts(&self) -> Vec<Alert> {
        self.backends.alerts.resolved(usize::MAX).await.unwrap()
    }

    /// All that a step's backend holds of an entity.
    pub async fn holds(&self, step: Step, entity: &Key) -> Value {
        match step {
            Step::Fallback => json!(self.cached(&entity.in_space(KeySpace::LastGood)).await),
            Step::Metadata => json!(self.metadata(entity).await),
            Step::Cache => json!(self.cached(entity).await),
            Step::Graph => json!(self.edges(entity).await),
            Step::Schedule => json!(self.jobs().await),
            Step::Event => json!(self.events()),
            Step::Nexus => {
                json!([self.patterns().await, self.backends.nexus.trace(entity).await.unwrap()])
            }
            Step::Audit => json!(self.records().await),
            Step::Alert => json!([self.open_alerts().await, self.resolved_alerts().await]),
        }
    }
}
