//! What the stores know of one entity. Each part may be missing or fail alone.

use std::{future::Future, sync::Arc};

use graceful::{
    CacheStats, Key, Metadata, StepError,
    backends::{
        Activity, Alert, AuditFilter, AuditQuery, Edge, FlowFilter, FlowQuery, FlowSummary, Hit,
        IncidentFilter, Job, MetadataStore, Node, Operation, PatternTrace, Timestamp, Uuid,
    },
};

use crate::{
    page::PageError,
    pages::{alerts::RESOLVED, audit::Checked, graph::visible},
    request::View,
};

/// How many flows, records, jobs, alerts and edges of the entity are shown.
pub(super) const LIMIT: usize = 50;

/// How many states of the metadata are followed.
const STATES: usize = 20;

/// How many records of operators are looked through for the entity.
const DEEDS: usize = 200;

/// Of how many resubmitted flows the operations are looked up.
const RESUBMITTED: usize = 10;

/// A part of what is known.
#[derive(Debug)]
pub(super) enum Part<T> {
    /// The service has no such store.
    Off,
    /// The store fails, or does not answer in time.
    Failed,
    Known(T),
}

impl<T> Part<T> {
    pub(super) const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(known) => Some(known),
            Self::Off | Self::Failed => None,
        }
    }
}

impl<T> Part<Vec<T>> {
    /// The items; none if they are not known.
    pub(super) fn items(&self) -> &[T] {
        self.known().map_or(&[], Vec::as_slice)
    }
}

/// What is known of an entity.
#[derive(Debug)]
pub(super) struct Known {
    /// The full name.
    pub(super) name: String,
    /// The key; `None` if the name has only the hash of a part, and no store has a record with the key.
    pub(super) key: Option<Key>,
    pub(super) flows: Part<Vec<FlowSummary>>,
    /// The operations on flows that were resubmitted, each with its flow.
    pub(super) operations: Vec<(Uuid, Operation)>,
    pub(super) records: Part<Vec<Checked>>,
    /// What operators did to the entity, apart from operations on flows.
    pub(super) deeds: Vec<Checked>,
    /// Since when all that operators did is among these records; `None` if nobody knows.
    pub(super) deeds_since: Option<Timestamp>,
    pub(super) jobs: Part<Vec<Job>>,
    pub(super) open: Part<Vec<Alert>>,
    pub(super) resolved: Part<Vec<Alert>>,
    pub(super) metadata: Part<Vec<Arc<Metadata>>>,
    pub(super) cache: Part<Option<Hit>>,
    pub(super) stats: Option<CacheStats>,
    pub(super) edges: Part<Vec<Edge>>,
    pub(super) history: Part<Vec<Activity>>,
    pub(super) trace: Part<Vec<PatternTrace>>,
}

/// Asks one store, if there is one.
async fn part<T>(view: &View, ask: Option<impl Future<Output = Result<T, StepError>> + Send>) -> Part<T> {
    let Some(ask) = ask else { return Part::Off };
    view.shared.number(ask).await.map_or(Part::Failed, Part::Known)
}

impl Known {
    /// Reads all stores at the same time: first by the name, then by the key.
    pub(super) async fn load(view: &View, name: String) -> Result<Self, PageError> {
        view.check_entity(&name)?;
        let parsed = name.parse::<Key>();
        if let Err(error) = &parsed
            && !error.is_hashed()
        {
            return Err(PageError::invalid(error));
        }
        let mut known = Self::by_name(view, name).await;
        known.key = match parsed {
            Ok(key) => Some(key),
            Err(_) => known.key_of_a_record(view).await,
        };
        known.add_by_key(view).await;
        Ok(known)
    }

    async fn by_name(view: &View, name: String) -> Self {
        let orchestrator = view.orchestrator();
        let operators = view.shared.operators();
        let mut filter = FlowFilter::default();
        filter.entity = Some(name.clone());
        let flows = orchestrator.flows().map(|store| store.flows(FlowQuery::new(filter, LIMIT)));
        let records = |entity: &str, limit| {
            let mut filter = AuditFilter::default();
            filter.entity = Some(entity.to_owned());
            orchestrator.audit().map(|log| log.verified(AuditQuery::new(filter, limit)))
        };
        let mut filter = IncidentFilter::default();
        filter.entity = Some(name.clone());
        let jobs = orchestrator.scheduler().map(|scheduler| scheduler.jobs(filter.clone(), None, LIMIT));
        let open = orchestrator.alerts().map(|alerts| alerts.open(filter.clone(), None, LIMIT));
        let resolved = orchestrator.alerts().map(|alerts| alerts.resolved(RESOLVED));
        let flows = part(view, flows.map(|reply| reply.map(|page| page.items)));
        let deeds = part(view, records(&operators, DEEDS).map(|reply| reply.map(|page| page.items)));
        let records = part(view, records(&name, LIMIT).map(|reply| reply.map(|page| page.items)));
        let jobs = part(view, jobs.map(|reply| reply.map(|page| page.items)));
        let open = part(view, open.map(|reply| reply.map(|page| page.items)));
        let resolved = part(view, resolved);
        let (flows, records, deeds, jobs, open, resolved) =
            tokio::join!(flows, records, deeds, jobs, open, resolved);
        let resolved = match resolved {
            Part::Known(mut last) => {
                last.retain(|alert| filter.selects(&alert.incident()));
                Part::Known(last)
            }
            unknown => unknown,
        };
        let deeds_since = deeds.known().map(|deeds| match deeds.last() {
            Some((oldest, _)) if deeds.len() >= DEEDS => oldest.at,
            _ => Timestamp::MIN,
        });
        let mut deeds = match deeds {
            Part::Known(deeds) if name != operators => deeds,
            _ => Vec::new(),
        };
        deeds.retain(|(record, _)| {
            let deed = record.payload.as_ref().and_then(|payload| payload.decode::<serde_json::Value>().ok());
            deed.is_some_and(|deed| deed["entity"] == *name)
        });
        Self {
            name,
            key: None,
            flows,
            operations: Vec::new(),
            records,
            deeds,
            deeds_since,
            jobs,
            open,
            resolved,
            metadata: Part::Off,
            cache: Part::Off,
            stats: None,
            edges: Part::Off,
            history: Part::Off,
            trace: Part::Off,
        }
    }

    /// The key as a record has it: its parts are whole there.
    async fn key_of_a_record(&self, view: &View) -> Option<Key> {
        let records = self.records.items().iter().map(|(record, _)| &record.entity);
        let jobs = self.jobs.items().iter().map(|job| &job.entity);
        let alerts = self.open.items().iter().chain(self.resolved.items()).map(|alert| &alert.entity);
        if let Some(key) = records.chain(jobs).chain(alerts).find(|key| key.to_string() == self.name) {
            return Some(key.clone());
        }
        let (id, store) = (self.flows.items().first()?.id, view.orchestrator().flows()?);
        let stored = view.shared.number(store.get(id)).await??;
        Some(stored.flow().ok()?.entity()).filter(|key| key.to_string() == self.name)
    }

    async fn add_by_key(&mut self, view: &View) {
        let orchestrator = view.orchestrator();
        let operations = self.operations_on_flows(view);
        let Some(key) = &self.key else {
            let operations = operations.await;
            self.operations = operations;
            return;
        };
        let metadata = orchestrator.metadata().map(|store| states(&**store, key));
        let cache = orchestrator.cache().map(|_| orchestrator.cache_entry(key));
        let edges = orchestrator.graph().map(|graph| graph.neighbours(&Node::Entity(key.clone())));
        let history = orchestrator.graph().map(|graph| graph.history(key, LIMIT));
        let trace = orchestrator.nexus().map(|nexus| nexus.trace(key));
        let (metadata, cache) = (part(view, metadata), part(view, cache));
        let (edges, history) = (part(view, edges), part(view, history));
        let trace = part(view, trace.map(|reply| reply.map(newest)));
        let (operations, metadata, cache, edges, history, trace) =
            tokio::join!(operations, metadata, cache, edges, history, trace);
        self.stats = orchestrator.cache_stats(key.pattern());
        self.operations = operations;
        (self.metadata, self.cache) = (metadata, cache);
        (self.history, self.trace) = (history, trace);
        self.edges = match edges {
            Part::Known(edges) => Part::Known(visible(view, edges)),
            unknown => unknown,
        };
    }

    /// Who resubmitted.
    async fn operations_on_flows(&self, view: &View) -> Vec<(Uuid, Operation)> {
        let store = view.orchestrator().flows().and_then(|store| store.operations());
        let Some(store) = store else { return Vec::new() };
        let mut found = Vec::new();
        let resubmitted = self.flows.items().iter().filter(|flow| flow.resubmitted > 0).take(RESUBMITTED);
        let all = async {
            for flow in resubmitted {
                let operations = store.operations_on(flow.id).await?;
                found.extend(operations.into_iter().map(|operation| (flow.id, operation)));
            }
            Ok(())
        };
        view.shared.number(all).await;
        found.retain(|(_, operation)| view.may_see_operation(operation));
        found
    }
}

/// The newest states of the metadata, each the one before the other.
async fn states(store: &dyn MetadataStore, key: &Key) -> Result<Vec<Arc<Metadata>>, StepError> {
    let mut states = Vec::new();
    let mut state = store.latest(key).await?;
    while let Some(found) = state {
        let previous = found.previous.filter(|_| states.len() + 1 < STATES);
        states.push(found);
        state = match previous {
            Some(previous) => store.state(previous).await?,
            None => None,
        };
    }
    Ok(states)
}

/// The newest flows, the newest first.
fn newest(mut trace: Vec<PatternTrace>) -> Vec<PatternTrace> {
    trace.drain(..trace.len().saturating_sub(LIMIT));
    trace.reverse();
    trace
}
