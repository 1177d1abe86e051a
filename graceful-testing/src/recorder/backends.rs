//! Backends that record what a step asks of them, and ask another.

use std::{fmt, sync::Arc, time::Duration};

use graceful::{
    Event, Flow, Incident, Key, Metadata, Severity, Text,
    backends::{
        ActionResult, Activity, Alert, AlertChange, Alerter, AttemptOutcome, AuditCursor, AuditLog,
        AuditQuery, AuditRecord, Backends, BoxFuture, Cache, CacheEntry, CacheWrite, Claim, ClaimId, Count,
        Destination, Edge, EventEmitter, FailedAttempt, FailureGroups, FlowFilter, FlowQuery, FlowState,
        FlowStore, FlowSummary, IncidentCursor, IncidentFilter, Job, JobChange, KnowledgeGraph, Lag,
        LiveRelay, MetadataStore, Nexus, Node, Operations, Page, PatternTrace, PatternUse, QueuedFlow,
        ReadThrough, RecordCheck, RelayInfo, Reply, Room, Rows, Scheduler, StoredFlow,
    },
};
use jiff::Timestamp;
use uuid::Uuid;

use super::log::Log;

/// The same backends, each of which records.
pub(super) fn recorded(mut backends: Backends, log: &Arc<Log>) -> Backends {
    macro_rules! record {
        ($($backend:ident)*) => {$(
            backends.$backend = backends.$backend.map(|inner| Recording::around(inner, log) as _);
        )*};
    }
    record!(cache metadata graph scheduler events nexus audit alerts flows);
    backends
}

pub(super) struct Recording<B: ?Sized> {
    inner: Arc<B>,
    log: Arc<Log>,
}

impl<B: ?Sized> Recording<B> {
    fn around(inner: Arc<B>, log: &Arc<Log>) -> Arc<Self> {
        Arc::new(Self { inner, log: Arc::clone(log) })
    }

    pub(super) fn inner(&self) -> &B {
        &self.inner
    }

    pub(super) fn log(&self) -> Arc<Log> {
        Arc::clone(&self.log)
    }
}

impl<B: fmt::Debug + ?Sized> fmt::Debug for Recording<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Cache for Recording<dyn Cache> {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        self.log.record(|| format!("get {}", key.id()), || self.inner.get(key))
    }

    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite> {
        let call = format!("put {} {}", key.id(), entry.value.as_json());
        self.log.record(|| call, || self.inner.put(key, entry, ttl))
    }

    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite> {
        let what =
            if key.space() == graceful::backends::KeySpace::LastGood { "forget" } else { "invalidate" };
        let call = || format!("{what} {}", key.id());
        self.log.record(call, || self.inner.invalidate(key, version, ttl))
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        self.inner.read_through().map(|_| self as _)
    }
}

impl MetadataStore for Recording<dyn MetadataStore> {
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>> {
        self.log.record(|| "record".to_owned(), || self.inner.record(flow))
    }

    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>> {
        self.inner.latest(entity)
    }

    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>> {
        self.inner.state(flow)
    }
}

impl KnowledgeGraph for Recording<dyn KnowledgeGraph> {
    fn record(&self, flow: &Arc<Flow>) -> Reply<()> {
        let related = |edge: &Edge| match &edge.object {
            Node::Flow(_) => format!("{} flow", edge.relation),
            Node::Entity(key) => format!("{} {}", edge.relation, key.id()),
        };
        let edges: Vec<_> = Activity::of(flow).edges().iter().map(related).collect();
        let call = || format!("relate {}", edges.join(", "));
        self.log.record(call, || self.inner.record(flow))
    }

    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
        self.inner.neighbours(node)
    }

    fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>> {
        self.inner.history(entity, limit)
    }

    fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>> {
        self.inner.failures(pattern, since)
    }

    fn query(&self, sparql: &str) -> Reply<Rows> {
        self.inner.query(sparql)
    }
}

impl Scheduler for Recording<dyn Scheduler> {
    fn open(&self, flow: &Arc<Flow>, after: Duration) -> Reply<JobChange> {
        self.log.record(|| "open".to_owned(), || self.inner.open(flow, after))
    }

    fn complete(&self, incident: &Incident) -> Reply<JobChange> {
        self.log.record(|| "complete".to_owned(), || self.inner.complete(incident))
    }

    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>> {
        self.inner.jobs(filter, after, limit)
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        self.inner.poll(limit, hold)
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        self.inner.finish(job)
    }

    fn postpone(&self, job: &Job, after: Option<Duration>, error: &str) -> Reply<bool> {
        self.inner.postpone(job, after, error)
    }

    fn reschedule(&self, incident: &Incident, after: Duration) -> Reply<bool> {
        self.inner.reschedule(incident, after)
    }
}

impl EventEmitter for Recording<dyn EventEmitter> {
    fn emit(&self, event: Event) -> Reply<()> {
        let call = format!("emit {} {}", event.name(), event.data().result.as_json());
        let received = serde_json::to_vec(&event).and_then(|json| serde_json::from_slice(&json));
        let received = received.expect("an event can be received as it is emitted");
        let emit = || {
            self.log.emitted(received);
            self.inner.emit(event)
        };
        self.log.record(|| call, emit)
    }

    fn destination(&self) -> Option<Destination> {
        self.inner.destination()
    }

    fn degradation(&self) -> Option<Text> {
        self.inner.degradation()
    }
}

impl Nexus for Recording<dyn Nexus> {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let call = || format!("register {}", flow.registered_pattern());
        self.log.record(call, || self.inner.register(flow))
    }

    fn patterns(&self, after: Option<&str>, limit: usize) -> Reply<Vec<PatternUse>> {
        self.inner.patterns(after, limit)
    }

    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>> {
        self.inner.trace(entity)
    }
}

impl AuditLog for Recording<dyn AuditLog> {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        self.log.record(|| "append".to_owned(), || self.inner.append(flow))
    }

    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
        self.inner.query(query)
    }

    fn verified(&self, query: AuditQuery) -> Reply<Page<(AuditRecord, RecordCheck), AuditCursor>> {
        self.inner.verified(query)
    }

    fn verify_chain(&self, known: Option<&str>) -> Reply<String> {
        self.inner.verify_chain(known)
    }
}

impl Alerter for Recording<dyn Alerter> {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        let call = || format!("fire {}", severity.as_str());
        self.log.record(call, || self.inner.fire(flow, severity))
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        self.log.record(|| "resolve".to_owned(), || self.inner.resolve(flow))
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.inner.close(incident)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.inner.open(filter, after, limit)
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.inner.resolved(limit)
    }
}

/// What a store does is no step's, and is not recorded: the recorder knows which flows are on their way.
impl FlowStore for Recording<dyn FlowStore> {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        self.log.stored(flow.id);
        self.inner.enqueue(flow)
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        self.inner.claim(room, lease)
    }

    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        self.inner.extend(held, lease)
    }

    fn record_outcome(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        self.inner.record_outcome(held, outcome)
    }

    fn complete(&self, held: Vec<ClaimId>) -> Reply<bool> {
        self.inner.complete(held)
    }

    fn hand_back(&self, held: Vec<ClaimId>, after: Duration) -> Reply<()> {
        self.inner.hand_back(held, after)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.inner.get(id)
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        self.inner.flows(query)
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        self.inner.count(filter, cap)
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        self.inner.groups(filter, cap)
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        self.inner.attempts(id)
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        self.inner.lag(cap)
    }

    fn resubmit(&self, id: Uuid) -> Reply<ActionResult> {
        self.inner.resubmit(id)
    }

    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult> {
        self.inner.discard(id, from)
    }

    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult> {
        self.inner.postpone(id, time)
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        self.inner.purge(state, age)
    }

    fn announce(&self, relay: RelayInfo) -> Reply<()> {
        self.inner.announce(relay)
    }

    fn withdraw(&self, relay: Uuid) -> Reply<()> {
        self.inner.withdraw(relay)
    }

    fn relays(&self) -> Reply<Vec<LiveRelay>> {
        self.inner.relays()
    }

    fn operations(&self) -> Option<&dyn Operations> {
        self.inner.operations()
    }

    fn probe(&self) -> Reply<()> {
        self.inner.probe()
    }

    fn is_read_only(&self) -> Reply<bool> {
        self.inner.is_read_only()
    }

    fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) -> BoxFuture<()> {
        self.inner.listen(wake)
    }
}
