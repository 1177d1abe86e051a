//! The embedded knowledge graph with SPARQL 1.1, on `oxigraph` in the memory of this process.
//!
//! Feature `oxigraph`.

mod persistence;
mod retained;
mod triples;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::runtime::Handle;
use uuid::Uuid;

pub use self::persistence::GraphPersistence;
use self::{
    retained::{Change, Retained},
    triples::Triples,
};
use graceful::{
    Flow, Key, StepError,
    backends::{Activity, Edge, KnowledgeGraph, Node, Reply, Rows},
};

use crate::{Retention, activities, neighbours, select};

/// The default limit of flows in a graph.
const FLOWS: usize = 10_000;

/// A knowledge graph in memory that supports SPARQL 1.1.
///
/// Cloning it shares the graph. It deletes flows by its [`Retention`], and evicts the oldest flow when it has reached its limit, by default
/// 10 000 flows. A flow takes some kilobytes. With a [`GraphPersistence`] the graph survives a restart.
///
/// # Contents
///
/// Each flow is a `prov:Activity`, `<urn:uuid:…>`, which `prov:used` its entity; the entity is
/// `<urn:graceful:entity:SERVICE:TENANT:PATTERN:ID>`, each part percent-encoded. Our own terms begin with
/// `urn:graceful:term:`, abbreviated `g:` here.
///
/// | subject | properties |
/// |---|---|
/// | entity | `a prov:Entity`; `g:service`, `g:tenant`, `g:pattern`, `g:id`; `g:succeeded` or `g:failed` a flow |
/// | entity | `<urn:graceful:relation:NAME>` an entity: the arguments `graph(relation = …, to = …)` |
/// | flow | `g:code`, `g:message`, `g:tag`, `g:handler`, `g:environment`, `g:actor`; `g:relation`, `g:to` |
/// | flow | `prov:endedAtTime`, `prov:wasAssociatedWith` the actor, `prov:wasInformedBy` the flow whose hook called it |
///
/// ```
/// use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, backends::KnowledgeGraph};
/// use graceful_rdf::oxigraph;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let graph = oxigraph::Graph::new();
/// let orchestrator = Orchestrator::builder().service("users").graph(graph.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let rows = graph
///     .query(
///         "PREFIX g: <urn:graceful:term:>
///          SELECT ?id ?message { ?entity g:id ?id ; g:failed ?flow . ?flow g:message ?message }",
///     )
///     .await?;
/// assert_eq!(rows.get(0, "id").unwrap().text(), "42");
/// assert_eq!(rows.get(0, "message").unwrap().text(), "disk full");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Graph(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    keep: Option<Box<dyn GraphPersistence>>,
}

#[derive(Debug)]
struct State {
    retained: Retained,
    triples: Triples,
}

impl Graph {
    /// Creates a graph of up to 10 000 flows with the default [`Retention`], which is lost with the process.
    ///
    /// ```
    /// let graph = graceful_rdf::oxigraph::Graph::new();
    /// ```
    pub fn new() -> Self {
        Self::bounded(FLOWS, Retention::new())
    }

    /// Creates a graph of up to this many flows, which is lost with the process; 0 counts as 1.
    ///
    /// ```
    /// use graceful_rdf::{Retention, oxigraph::Graph};
    ///
    /// let graph = Graph::bounded(1000, Retention::new().flows_per_entity(10));
    /// ```
    pub fn bounded(flows: usize, retention: Retention) -> Self {
        let state = State { retained: Retained::new(flows, retention), triples: Triples::new() };
        Self(Arc::new(Inner { state: Mutex::new(state), keep: None }))
    }

    /// Opens a persistent graph of up to 10 000 flows with the default [`Retention`], and loads its stored flows.
    ///
    /// # Errors
    /// Fails if the stored flows cannot be read.
    ///
    /// An example is at [`GraphPersistence`].
    pub async fn open(keep: impl GraphPersistence) -> Result<Self, StepError> {
        Self::open_bounded(keep, FLOWS, Retention::new()).await
    }

    /// Opens a persistent graph of up to this many flows. Stored flows beyond the limit or the retention are deleted.
    ///
    /// # Errors
    /// Fails if the stored flows cannot be read or deleted.
    ///
    /// An example is at [`GraphPersistence`].
    pub async fn open_bounded(
        keep: impl GraphPersistence,
        flows: usize,
        retention: Retention,
    ) -> Result<Self, StepError> {
        let kept = keep.load().await?;
        let mut state = State { retained: Retained::new(flows, retention), triples: Triples::new() };
        let mut forgotten: Vec<Uuid> = Vec::new();
        for activity in kept {
            let activity = Arc::new(activity);
            let change = state.add(&activity)?;
            forgotten.extend(change.forgotten.iter().map(|activity| activity.flow));
            forgotten.extend((!change.is_kept).then_some(activity.flow));
        }
        if !forgotten.is_empty() {
            keep.change(&[], &forgotten).await?;
        }
        Ok(Self(Arc::new(Inner { state: Mutex::new(state), keep: Some(Box::new(keep)) })))
    }

    /// The number of flows in the graph.
    ///
    /// ```
    /// assert!(graceful_rdf::oxigraph::Graph::new().is_empty());
    /// ```
    pub fn len(&self) -> usize {
        self.state().retained.len()
    }

    /// Whether the graph contains no flows.
    ///
    /// ```
    /// assert_eq!(graceful_rdf::oxigraph::Graph::new().len(), 0);
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a query on a blocking thread, because it may take long. The query is cancelled when its reply is dropped.
    fn select(&self, sparql: String) -> Reply<Rows> {
        let query = self.state().triples.query();
        let Ok(runtime) = Handle::try_current() else { return query.run(&sparql).into() };
        let ends_it = query.ended_with();
        let running = runtime.spawn_blocking(move || query.run(&sparql));
        Reply::pending(async move {
            let _ends_it = ends_it;
            running.await.map_err(StepError::caused_by)?
        })
    }
}

impl State {
    fn add(&mut self, activity: &Arc<Activity>) -> Result<Change, StepError> {
        let change = self.retained.add(activity, Timestamp::now());
        let added = (change.is_new && change.is_kept).then_some(&**activity);
        self.triples.change(added, &change.forgotten, &self.retained)?;
        Ok(change)
    }
}

impl KnowledgeGraph for Graph {
    fn record(&self, flow: &Arc<Flow>) -> Reply<()> {
        let activity = Arc::new(Activity::of(flow));
        let change = match self.state().add(&activity) {
            Ok(change) => change,
            Err(error) => return Reply::failed(error),
        };
        let Some(keep) = &self.0.keep else { return Reply::ready(()) };
        let forgotten: Vec<Uuid> = change.forgotten.iter().map(|activity| activity.flow).collect();
        // A known flow may not have reached the store the last time.
        let added: Vec<_> = change.is_kept.then_some(activity).into_iter().collect();
        keep.change(&added, &forgotten)
    }

    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
        let node = node.clone();
        let found = self.select(select::around(&node));
        found.and_then(move |rows| Ok(neighbours(&activities(&rows)?, &node)))
    }

    fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>> {
        self.select(select::history(entity, limit)).and_then(|rows| activities(&rows))
    }

    fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>> {
        self.select(select::failures(pattern, since)).and_then(|rows| activities(&rows))
    }

    fn query(&self, sparql: &str) -> Reply<Rows> {
        self.select(sparql.to_owned())
    }
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("flows", &self.len()).field("keep", &self.0.keep).finish()
    }
}
