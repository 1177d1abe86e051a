//! The traits, and the plain data that they speak in.

use std::{fmt::Debug, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use super::Reply;
use crate::{Code, Event, Flow, Key, Metadata, Payload, Severity};

/// A value in a [`Cache`].
///
/// ```
/// use graceful::{Payload, backends::CacheEntry};
/// use jiff::Timestamp;
///
/// let entry = CacheEntry { value: Payload::of("ada")?, stored_at: Timestamp::now(), version: Some(1) };
/// assert_eq!(entry.value.decode::<String>()?, "ada");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The value.
    pub value: Payload,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The version that it was stored with.
    pub version: Option<i64>,
}

/// What became of a write to a [`Cache`].
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Key,
///     backends::{Cache, CacheWrite, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (cache, key) = (memory::Cache::new(), Key::new("users", None, "user", "42"));
/// let ttl = Duration::from_secs(60);
/// assert_eq!(cache.invalidate(&key, Some(2), ttl).await?, CacheWrite::Done);
/// assert_eq!(cache.invalidate(&key, Some(1), ttl).await?, CacheWrite::Newer);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheWrite {
    /// It was done.
    Done,
    /// Something newer is there already, so nothing was done.
    Newer,
}

/// Values by key, each with a time to live.
///
/// With a version, neither a put nor an invalidation ever overwrites what is newer: the cache keeps the version of an
/// invalidated key for as long as a value would have lived.
///
/// ```
/// use std::time::Duration;
///
/// use graceful::{
///     Key,
///     backends::{Cache, CacheEntry, CacheWrite, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Keeps nothing.
/// #[derive(Debug)]
/// struct NoCache;
///
/// impl Cache for NoCache {
///     fn get(&self, _: &Key) -> Reply<Option<CacheEntry>> {
///         Reply::ready(None)
///     }
///
///     fn put(&self, _: &Key, _: CacheEntry, _: Option<Duration>) -> Reply<CacheWrite> {
///         Reply::ready(CacheWrite::Done)
///     }
///
///     fn invalidate(&self, _: &Key, _: Option<i64>, _: Duration) -> Reply<CacheWrite> {
///         Reply::ready(CacheWrite::Done)
///     }
/// }
///
/// assert_eq!(NoCache.get(&Key::new("users", None, "user", "42")).await?, None);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Cache: Debug + Send + Sync + 'static {
    /// The value, unless it is older than its time to live.
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>>;
    /// Stores a value; `ttl: None` keeps it until it is evicted for room.
    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite>;
    /// Forgets a value, and refuses older versions of it for `ttl`.
    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite>;
}

/// The state of each entity, and the chain of its flows.
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
/// /// Remembers the newest state of one entity.
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
    /// Makes the entity's next state with [`Metadata::after`] and stores it, atomically per entity; sets the `next` of the
    /// state before.
    fn record(&self, flow: &Arc<Flow>) -> Reply<Arc<Metadata>>;
    /// The entity's newest state.
    fn latest(&self, entity: &Key) -> Reply<Option<Arc<Metadata>>>;
    /// The state that a flow made.
    fn state(&self, flow: Uuid) -> Reply<Option<Arc<Metadata>>>;
}

/// An end of an [`Edge`].
///
/// ```
/// use graceful::{Key, backends::Node};
///
/// let user = Node::Entity(Key::new("users", None, "user", "42"));
/// assert_ne!(user, Node::Named("users::user:42".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// An entity.
    Entity(Key),
    /// A flow.
    Flow(Uuid),
    /// What the argument `graph(to = …)` names.
    Named(SmolStr),
}

/// One relation of a [`KnowledgeGraph`]: subject —relation→ object.
///
/// ```
/// use graceful::{
///     Code, Key,
///     backends::{Edge, Node},
/// };
/// use jiff::Timestamp;
///
/// let edge = Edge {
///     subject: Node::Entity(Key::new("users", None, "user", "42")),
///     relation: "joined".into(),
///     object: Node::Named("team/7".into()),
///     code: Code::Ok,
///     at: Timestamp::now(),
/// };
/// assert_eq!(edge.relation, "joined");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Where it starts.
    pub subject: Node,
    /// What it says: `succeeded`, `failed`, or the argument `graph(relation = …)`.
    pub relation: SmolStr,
    /// Where it ends.
    pub object: Node,
    /// What the flow meant.
    pub code: Code,
    /// When the flow was.
    pub at: Timestamp,
}

/// Entities and what became of them, as a graph.
///
/// ```
/// use std::sync::Mutex;
///
/// use graceful::backends::{Edge, KnowledgeGraph, Node, Reply};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// All edges in one list.
/// #[derive(Debug, Default)]
/// struct Edges(Mutex<Vec<Edge>>);
///
/// impl KnowledgeGraph for Edges {
///     fn relate(&self, edge: Edge) -> Reply<()> {
///         self.0.lock().unwrap().push(edge);
///         Reply::ready(())
///     }
///
///     fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
///         let mut edges = self.0.lock().unwrap().clone();
///         edges.retain(|edge| edge.subject == *node || edge.object == *node);
///         Reply::ready(edges)
///     }
/// }
///
/// assert_eq!(Edges::default().neighbours(&Node::Named("team/7".into())).await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait KnowledgeGraph: Debug + Send + Sync + 'static {
    /// Adds a relation.
    fn relate(&self, edge: Edge) -> Reply<()>;
    /// The relations that start or end at a node, oldest first.
    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>>;
}

/// A review job of a [`Scheduler`]: somebody, or something, should look at an entity.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scheduler = memory::Scheduler::new();
/// let orchestrator = Orchestrator::builder().service("users").scheduler(scheduler.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let job = scheduler.jobs().await?.remove(0);
/// assert_eq!((job.id.as_str(), job.bumps, job.code), ("users::user:42", 1, Code::Internal));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Stable per entity and pattern: the entity's full name.
    pub id: String,
    /// The entity.
    pub entity: Key,
    /// When it is due. A bump does not put it off.
    pub due: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How many flows asked for it: 1 when it is new.
    pub bumps: u64,
    /// The last flow that asked for it.
    pub flow: Uuid,
    /// What that flow meant.
    pub code: Code,
    /// Until when a worker that polled it holds it.
    pub held_until: Option<Timestamp>,
}

/// What became of a job.
///
/// ```
/// use graceful::{
///     Key,
///     backends::{JobChange, Scheduler, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let user = Key::new("users", None, "user", "42");
/// assert_eq!(memory::Scheduler::new().complete(&user).await?, JobChange::NotOpen);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// There was none, and now there is.
    Opened,
    /// There was one, and it counts one more.
    Bumped,
    /// There was one, and it is gone.
    Completed,
    /// There was none.
    NotOpen,
}

/// Review jobs, at most one open per entity and pattern.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use graceful::{
///     Flow, Key,
///     backends::{Job, JobChange, Reply, Scheduler},
/// };
/// use jiff::Timestamp;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Opens nothing.
/// #[derive(Debug)]
/// struct NoReview;
///
/// impl Scheduler for NoReview {
///     fn open(&self, _: &Arc<Flow>, _: Timestamp) -> Reply<JobChange> {
///         Reply::ready(JobChange::NotOpen)
///     }
///
///     fn complete(&self, _: &Key) -> Reply<JobChange> {
///         Reply::ready(JobChange::NotOpen)
///     }
///
///     fn jobs(&self) -> Reply<Vec<Job>> {
///         Reply::ready(Vec::new())
///     }
///
///     fn poll(&self, _: Timestamp, _: usize, _: Duration) -> Reply<Vec<Job>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// assert_eq!(NoReview.jobs().await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Scheduler: Debug + Send + Sync + 'static {
    /// Opens the entity's job, or bumps the open one; of two due times the earlier one stays.
    fn open(&self, flow: &Arc<Flow>, due: Timestamp) -> Reply<JobChange>;
    /// Completes the entity's open job.
    fn complete(&self, entity: &Key) -> Reply<JobChange>;
    /// The open jobs, by due time.
    fn jobs(&self) -> Reply<Vec<Job>>;
    /// Takes up to `limit` jobs that are due at `now` and held by nobody, and holds them for `hold`: a worker that dies
    /// loses them to the next one when that time is over.
    fn poll(&self, now: Timestamp, limit: usize, hold: Duration) -> Reply<Vec<Job>>;
}

/// Where events go.
///
/// ```
/// use graceful::{
///     Code, Event, OrchestrationConfig, Orchestrator, Success,
///     backends::{EventEmitter, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes the names of events to the standard output.
/// #[derive(Debug)]
/// struct Print;
///
/// impl EventEmitter for Print {
///     fn emit(&self, event: Event) -> Reply<()> {
///         println!("{} {}", event.id(), event.name());
///         Reply::ready(())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").events(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait EventEmitter: Debug + Send + Sync + 'static {
    /// Emits an event; the same event may come again after a failure, with the same id.
    fn emit(&self, event: Event) -> Reply<()>;
}

/// How often a pattern was used; see [`Nexus`].
///
/// ```
/// use graceful::{
///     Code, OrchestrationConfig, Orchestrator, Success,
///     backends::{Nexus, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nexus = memory::Nexus::new();
/// let orchestrator = Orchestrator::builder().service("users").nexus(nexus.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let used = nexus.patterns().await?.remove(0);
/// assert_eq!((used.pattern.as_str(), used.count), ("user", 1));
/// assert_eq!(used.first_used, used.last_used);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternUse {
    /// `user` for the success flow, `user.error` for the error flow.
    pub pattern: SmolStr,
    /// How often.
    pub count: u64,
    /// When it was first used.
    pub first_used: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
}

/// One flow of an entity; see [`Nexus::trace`].
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{Nexus, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nexus = memory::Nexus::new();
/// let orchestrator = Orchestrator::builder().service("users").nexus(nexus.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Failure::wrap(Code::NotFound, "no such user", &"cause").orchestrate(&config).await;
///
/// let traced = nexus.trace(&report.flow().entity()).await?.remove(0);
/// assert_eq!((traced.pattern.as_str(), traced.flow), ("user.error", report.flow().id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternTrace {
    /// `user` for the success flow, `user.error` for the error flow.
    pub pattern: SmolStr,
    /// The flow.
    pub flow: Uuid,
    /// When it was.
    pub at: Timestamp,
}

/// The registry of patterns: which are in use, how much, and by which entities.
///
/// ```
/// use std::sync::{
///     Arc,
///     atomic::{AtomicU64, Ordering},
/// };
///
/// use graceful::{
///     Flow, Key,
///     backends::{Nexus, PatternTrace, PatternUse, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Counts all patterns as one.
/// #[derive(Debug, Default)]
/// struct Uses(AtomicU64);
///
/// impl Nexus for Uses {
///     fn register(&self, _: &Arc<Flow>) -> Reply<()> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         Reply::ready(())
///     }
///
///     fn patterns(&self) -> Reply<Vec<PatternUse>> {
///         Reply::ready(Vec::new())
///     }
///
///     fn trace(&self, _: &Key) -> Reply<Vec<PatternTrace>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// assert_eq!(Uses::default().patterns().await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Nexus: Debug + Send + Sync + 'static {
    /// Counts one use of the flow's [pattern](Flow::registered_pattern).
    fn register(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// Every pattern that was used, by name.
    fn patterns(&self) -> Reply<Vec<PatternUse>>;
    /// What an entity went through, oldest first.
    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>>;
}

/// What was done, by whom, to what, and how it ended.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Flow, Key, OrchestrationConfig, Orchestrator, Success,
///     backends::{AuditLog, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes records to the standard output, and reads none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl AuditLog for Print {
///     fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
///         println!("{} {} {}", flow.timestamp(), flow.entity(), flow.code());
///         Reply::ready(())
///     }
///
///     fn records(&self, _: Option<&Key>, _: usize) -> Reply<Vec<Arc<Flow>>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").audit(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends a record: the flow itself.
    fn append(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// The newest records of an entity, or of all, at most `limit`, newest first.
    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<Arc<Flow>>>;
}

/// An alert of an [`Alerter`].
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Severity,
///     backends::{Alerter, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let alerts = memory::Alerts::new();
/// let orchestrator = Orchestrator::builder().service("users").alerts(alerts.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let alert = alerts.open().await?.remove(0);
/// assert_eq!((alert.entity.id(), alert.severity, alert.count), ("42", Severity::Error, 1));
/// assert_eq!(alert.resolved_at, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The entity that it is about; at most one alert is open per entity.
    pub entity: Key,
    /// How urgent it is: the highest of all that fired.
    pub severity: Severity,
    /// What the last error meant.
    pub code: Code,
    /// The last error's text.
    pub message: SmolStr,
    /// How often it fired.
    pub count: u64,
    /// When it first fired.
    pub fired_at: Timestamp,
    /// When it last fired.
    pub last_fired_at: Timestamp,
    /// When it was resolved; `None` while it is open.
    pub resolved_at: Option<Timestamp>,
    /// The last flow that fired it.
    pub flow: Uuid,
}

/// What became of an alert.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Severity,
///     backends::{AlertChange, Alerter, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let alerts = memory::Alerts::new();
/// assert_eq!(alerts.fire(report.flow(), Severity::Error).await?, AlertChange::Opened);
/// assert_eq!(alerts.fire(report.flow(), Severity::Error).await?, AlertChange::Repeated);
/// assert_eq!(alerts.resolve(report.flow()).await?, AlertChange::Resolved);
/// assert_eq!(alerts.resolve(report.flow()).await?, AlertChange::NotOpen);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertChange {
    /// There was none open, and now there is.
    Opened,
    /// There was one open, and it fired again.
    Repeated,
    /// There was one open, and it is resolved.
    Resolved,
    /// There was none open.
    NotOpen,
}

/// Who is told when something is wrong, and when it is right again.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Failure, Flow, OrchestrationConfig, Orchestrator, Severity,
///     backends::{Alert, AlertChange, Alerter, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes alerts to the standard error, and remembers none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl Alerter for Print {
///     fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
///         eprintln!("{}: {}: {}", severity.name(), flow.entity(), flow.message());
///         Reply::ready(AlertChange::Opened)
///     }
///
///     fn resolve(&self, _: &Arc<Flow>) -> Reply<AlertChange> {
///         Reply::ready(AlertChange::NotOpen)
///     }
///
///     fn open(&self) -> Reply<Vec<Alert>> {
///         Reply::ready(Vec::new())
///     }
///
///     fn resolved(&self, _: usize) -> Reply<Vec<Alert>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").alerts(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait Alerter: Debug + Send + Sync + 'static {
    /// Fires the entity's alert.
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange>;
    /// Resolves the entity's open alert.
    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange>;
    /// The open alerts, by the time they first fired.
    fn open(&self) -> Reply<Vec<Alert>>;
    /// The newest alerts that were resolved, at most `limit`, newest first.
    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>>;
}
