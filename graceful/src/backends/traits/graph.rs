//! Entities and what became of them.

use std::fmt::Debug;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{Code, Key, backends::Reply};

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
