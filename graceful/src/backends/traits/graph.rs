//! The trait of knowledge graphs, with activities, edges and query results.

use std::{fmt::Debug, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{backends::Reply, code::Code, flow::Flow, key::Key, step::StepError, text::Text};

/// An end of an [`Edge`].
///
/// ```
/// use graceful::{Key, backends::Node};
///
/// let (user, team) = (Key::new("users", None, "user", "7"), Key::new("users", None, "team", "7"));
/// assert_ne!(Node::Entity(user), Node::Entity(team));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// An entity. The entity of `graph(to = …)` without `to_pattern` has no pattern.
    Entity(Key),
    /// A flow.
    Flow(Uuid),
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
/// let user = Node::Entity(Key::new("users", None, "user", "42"));
/// let team = Node::Entity(Key::new("users", None, "team", "7"));
/// let edge = Edge::new(user, "member_of", team, Code::Ok, Timestamp::now());
/// assert_eq!(edge.relation, "member_of");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Edge {
    /// The start of the edge.
    pub subject: Node,
    /// The relation: `succeeded`, `failed`, or the argument `graph(relation = …)`.
    pub relation: Text,
    /// The end of the edge.
    pub object: Node,
    /// The code of the flow that recorded the edge.
    pub code: Code,
    /// When that flow ended.
    pub at: Timestamp,
}

impl Edge {
    /// Creates an edge.
    pub fn new(subject: Node, relation: impl Into<Text>, object: Node, code: Code, at: Timestamp) -> Self {
        Self { subject, relation: relation.into(), object, code, at }
    }
}

/// A flow as a [`KnowledgeGraph`] stores it.
///
/// ```
/// use graceful::{Code, Failure, OrchestrationConfig, Orchestrator};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let user = orchestrator.key("user", 42);
/// let last = orchestrator.graph().unwrap().history(&user, 1).await?.remove(0);
/// assert_eq!((last.succeeded, last.code, last.message.as_str()), (false, Code::Internal, "disk full"));
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Activity {
    /// The flow's id.
    pub flow: Uuid,
    /// The entity of the flow.
    pub entity: Key,
    /// Whether it is a success flow.
    pub succeeded: bool,
    /// The code of the outcome.
    pub code: Code,
    /// When the flow ended.
    pub at: Timestamp,
    /// The readable message.
    pub message: Text,
    /// The environment of the service; empty if none is configured.
    pub environment: Text,
    /// The handler's name; empty if it has none.
    pub handler: Text,
    /// Who made the call.
    pub actor: Option<Text>,
    /// The flow whose hook called the handler.
    pub parent: Option<Uuid>,
    /// The tags, without duplicates, by name.
    pub tags: Vec<Text>,
    /// The additional relation of a success: the argument `graph(relation = …)`.
    pub relation: Option<Text>,
    /// The entity of the additional relation: the argument `graph(to = …)`. Without it the relation leads to the flow.
    pub to: Option<Key>,
}

impl Activity {
    /// Creates an activity whose other fields are empty.
    pub fn new(flow: Uuid, entity: Key, succeeded: bool, code: Code, at: Timestamp) -> Self {
        Self {
            flow,
            entity,
            succeeded,
            code,
            at,
            message: Text::default(),
            environment: Text::default(),
            handler: Text::default(),
            actor: None,
            parent: None,
            tags: Vec::new(),
            relation: None,
            to: None,
        }
    }

    /// Creates the activity of a flow.
    ///
    /// ```
    /// use graceful::{Code, Success, backends::Activity};
    ///
    /// let success = Success::wrap(Code::Ok, "user updated", "ada");
    /// let activity = Activity::of(success.flow());
    /// assert_eq!((activity.flow, activity.succeeded), (success.flow().id(), true));
    /// ```
    pub fn of(flow: &Flow) -> Self {
        let mut tags: Vec<Text> = flow.tags().map(Text::from).collect();
        tags.sort_unstable();
        tags.dedup();
        let relation = flow.relation();
        Self {
            message: flow.message.clone(),
            environment: flow.origin.environment.clone(),
            handler: flow.declaration.handler.clone(),
            actor: flow.actor().map(Text::from),
            parent: flow.parent,
            tags,
            relation: relation.cloned(),
            to: relation.and_then(|_| flow.related()),
            ..Self::new(flow.id, flow.entity(), flow.is_success(), flow.code, flow.at)
        }
    }

    /// The edges of the activity: from the entity to the flow, and the additional [`relation`](Self::relation).
    ///
    /// ```
    /// use graceful::{Code, Failure, backends::Activity};
    ///
    /// let failure = Failure::wrap(Code::NotFound, "no such user", "cause");
    /// let edges = Activity::of(failure.flow()).edges();
    /// assert_eq!((edges.len(), edges[0].relation.as_str(), edges[0].code), (1, "failed", Code::NotFound));
    /// ```
    pub fn edges(&self) -> Vec<Edge> {
        let edge = |relation, object| {
            Edge::new(Node::Entity(self.entity.clone()), relation, object, self.code, self.at)
        };
        let outcome = Text::new_static(if self.succeeded { "succeeded" } else { "failed" });
        let mut edges = vec![edge(outcome, Node::Flow(self.flow))];
        if let Some(relation) = &self.relation {
            edges.push(edge(relation.clone(), self.to.clone().map_or(Node::Flow(self.flow), Node::Entity)));
        }
        edges
    }
}

/// A value in the result of a [query](KnowledgeGraph::query).
///
/// ```
/// use graceful::backends::Term;
///
/// let code = Term::Literal { text: "OK".into(), datatype: "http://www.w3.org/2001/XMLSchema#string".into() };
/// assert_eq!(code.text(), "OK");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// An IRI.
    Iri(Text),
    /// A blank node; its name is valid within this result only.
    Blank(Text),
    /// A literal.
    Literal {
        /// The lexical form.
        text: Text,
        /// The IRI of the datatype.
        datatype: Text,
    },
}

impl Term {
    /// The IRI, the name of the blank node, or the lexical form.
    ///
    /// ```
    /// assert_eq!(graceful::backends::Term::Iri("urn:x".into()).text(), "urn:x");
    /// ```
    pub fn text(&self) -> &str {
        match self {
            Self::Iri(text) | Self::Blank(text) | Self::Literal { text, .. } => text,
        }
    }
}

/// The result of a [query](KnowledgeGraph::query): a table whose cells may be empty.
///
/// ```
/// use graceful::backends::{Rows, Term};
///
/// let ada = Term::Iri("urn:ada".into());
/// let rows = Rows::new(vec!["who".into()], vec![vec![Some(ada.clone())]]);
/// assert_eq!(rows.get(0, "who"), Some(&ada));
/// assert_eq!(rows.get(0, "what"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rows {
    /// The names of the columns.
    pub variables: Vec<Text>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<Option<Term>>>,
}

impl Rows {
    /// Creates a result from the names of its columns and its rows, each with one cell per column.
    pub const fn new(variables: Vec<Text>, rows: Vec<Vec<Option<Term>>>) -> Self {
        Self { variables, rows }
    }

    /// Returns the cell of a row and a column; `None` if it is empty or missing.
    ///
    /// ```
    /// assert_eq!(graceful::backends::Rows::default().get(0, "who"), None);
    /// ```
    pub fn get(&self, row: usize, variable: &str) -> Option<&Term> {
        let column = self.variables.iter().position(|name| name == variable)?;
        self.rows.get(row)?.get(column)?.as_ref()
    }
}

/// Stores activities and their relations as a graph.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use graceful::{
///     Flow, Key,
///     backends::{Activity, Edge, KnowledgeGraph, Node, Reply, Timestamp},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// All flows in one list.
/// #[derive(Debug, Default)]
/// struct Activities(Mutex<Vec<Activity>>);
///
/// impl Activities {
///     fn newest(&self, filter: impl Fn(&Activity) -> bool) -> Vec<Activity> {
///         self.0.lock().unwrap().iter().rev().filter(|it| filter(it)).cloned().collect()
///     }
/// }
///
/// impl KnowledgeGraph for Activities {
///     fn record(&self, flow: &Arc<Flow>) -> Reply<()> {
///         let mut all = self.0.lock().unwrap();
///         if !all.iter().any(|activity| activity.flow == flow.id()) {
///             all.push(Activity::of(flow));
///         }
///         Reply::ready(())
///     }
///
///     fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
///         let mut edges: Vec<Edge> = self.0.lock().unwrap().iter().flat_map(Activity::edges).collect();
///         edges.retain(|edge| edge.subject == *node || edge.object == *node);
///         Reply::ready(edges)
///     }
///
///     fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>> {
///         let mut history = self.newest(|it| it.entity == *entity);
///         history.truncate(limit);
///         Reply::ready(history)
///     }
///
///     fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>> {
///         Reply::ready(self.newest(|it| !it.succeeded && it.entity.pattern() == pattern && it.at >= since))
///     }
/// }
///
/// let user = Key::new("users", None, "user", "42");
/// assert_eq!(Activities::default().neighbours(&Node::Entity(user)).await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait KnowledgeGraph: Debug + Send + Sync + 'static {
    /// Adds a flow and its [edges](Activity::edges). A known flow adds nothing.
    fn record(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// Lists the edges that start or end at a node, oldest first.
    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>>;
    /// Lists up to `limit` flows of an entity, newest first.
    fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>>;
    /// Lists the failed flows of a pattern since a time, of all services and tenants in the graph, newest first.
    fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>>;
    /// Runs a SPARQL 1.1 query, a `SELECT` or an `ASK`. The result of an `ASK` is a single cell `answer`.
    ///
    /// Fails if the graph does not support SPARQL.
    fn query(&self, sparql: &str) -> Reply<Rows> {
        let _ = sparql;
        Reply::failed(StepError::new("this knowledge graph does not support SPARQL"))
    }
}
