//! The embedded knowledge graph.

use std::{collections::VecDeque, sync::Arc};

use super::{DEFAULT_CAPACITY, KEPT_PER_ENTITY, table::Table};
use crate::backends::{Edge, KnowledgeGraph, Node, Reply};

/// A knowledge graph in memory: each node with its last 32 relations.
///
/// A relation is found from both its ends. When the graph is full, the nodes least recently used are forgotten, flows apart
/// from all others: there are more of them, and they should not push the entities out.
///
/// ```
/// use graceful::{
///     Code, Key,
///     backends::{Edge, KnowledgeGraph, Node, memory},
/// };
/// use jiff::Timestamp;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let graph = memory::Graph::new();
/// let user = Node::Entity(Key::new("users", None, "user", "42"));
/// let team = Node::Named("team/7".into());
/// let edge = Edge {
///     subject: user.clone(),
///     relation: "joined".into(),
///     object: team.clone(),
///     code: Code::Ok,
///     at: Timestamp::now(),
/// };
/// graph.relate(edge.clone()).await?;
/// assert_eq!(graph.neighbours(&user).await?, [edge.clone()]);
/// assert_eq!(graph.neighbours(&team).await?, [edge]);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Graph(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entities: Table<Node, Edges>,
    flows: Table<Node, Edges>,
}

/// The two ends of an edge share it.
/// Of a flow there is mostly one, which then needs no place but its own.
#[derive(Clone, Default)]
struct Edges {
    older: VecDeque<Arc<Edge>>,
    last: Option<Arc<Edge>>,
}

impl Edges {
    /// Gives the edge that made room.
    fn push(&mut self, edge: Arc<Edge>) -> Option<Arc<Edge>> {
        let before = self.last.replace(edge)?;
        let oldest = if self.older.len() + 1 >= KEPT_PER_ENTITY { self.older.pop_front() } else { None };
        self.older.push_back(before);
        oldest
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<Edge>> {
        self.older.iter().chain(&self.last)
    }
}

impl Graph {
    /// A graph of 10 000 entities and other named things, and as many flows.
    ///
    /// ```
    /// let graph = graceful::backends::memory::Graph::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// A graph of so many entities and other named things, and as many flows.
    ///
    /// ```
    /// let graph = graceful::backends::memory::Graph::with_capacity(100);
    /// ```
    pub fn with_capacity(nodes: usize) -> Self {
        Self(Arc::new(Inner { entities: Table::new(nodes), flows: Table::new(nodes) }))
    }

    /// How many entities and other named things were forgotten for room. Flows are not counted: they all are, in time.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::Graph::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        self.0.entities.dropped()
    }

    fn table(&self, node: &Node) -> &Table<Node, Edges> {
        match node {
            Node::Flow(_) => &self.0.flows,
            Node::Entity(_) | Node::Named(_) => &self.0.entities,
        }
    }

    fn add(&self, node: &Node, edge: Arc<Edge>) {
        let _freed_after_unlocking = self.table(node).upsert(node.clone(), |edges| edges.push(edge));
    }
}

impl KnowledgeGraph for Graph {
    fn relate(&self, edge: Edge) -> Reply<()> {
        let edge = Arc::new(edge);
        self.add(&edge.subject, Arc::clone(&edge));
        if edge.object != edge.subject {
            self.add(&edge.object, Arc::clone(&edge));
        }
        Reply::ready(())
    }

    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
        let edges = self.table(node).with(node, |edges| edges.clone()).unwrap_or_default();
        let mut edges: Vec<Edge> = edges.iter().map(|edge| (**edge).clone()).collect();
        // They came in about this order; flows that ended at once may have overtaken each other.
        edges.sort_by_key(|edge| edge.at);
        Reply::ready(edges)
    }
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;
    use uuid::Uuid;

    use super::{
        super::testing::{answer, at},
        *,
    };
    use crate::{Code, Key};

    fn entity(id: &str) -> Node {
        Node::Entity(Key::new("users", None, "user", id))
    }

    fn edge(subject: &Node, object: &Node, second: i64) -> Edge {
        let relation = SmolStr::new_static("succeeded");
        Edge { subject: subject.clone(), relation, object: object.clone(), code: Code::Ok, at: at(second) }
    }

    fn relate(graph: &Graph, edge: &Edge) {
        answer(graph.relate(edge.clone())).unwrap();
    }

    fn neighbours(graph: &Graph, node: &Node) -> Vec<Edge> {
        answer(graph.neighbours(node)).unwrap()
    }

    #[test]
    fn an_edge_is_found_from_both_ends_oldest_first() {
        let graph = Graph::new();
        let [one, two, flow] = [entity("1"), entity("2"), Node::Flow(Uuid::from_u128(7))];
        let [late, early] = [edge(&one, &flow, 2), edge(&two, &one, 1)];
        relate(&graph, &late);
        relate(&graph, &early);
        assert_eq!(neighbours(&graph, &one), [early.clone(), late.clone()]);
        assert_eq!(neighbours(&graph, &two), [early]);
        assert_eq!(neighbours(&graph, &flow), [late]);
        assert_eq!(neighbours(&graph, &entity("3")), []);
    }

    #[test]
    fn an_edge_to_itself_is_one_edge() {
        let (graph, node) = (Graph::new(), entity("1"));
        relate(&graph, &edge(&node, &node, 1));
        assert_eq!(neighbours(&graph, &node).len(), 1);
    }

    #[test]
    fn a_name_and_an_entity_are_different_nodes() {
        let graph = Graph::new();
        relate(&graph, &edge(&entity("1"), &Node::Named("x".into()), 1));
        assert_eq!(neighbours(&graph, &entity("x")), []);
        assert_eq!(neighbours(&graph, &Node::Named("x".into())).len(), 1);
    }

    #[test]
    fn a_node_keeps_its_last_relations() {
        let graph = Graph::new();
        for second in 0..100 {
            relate(&graph, &edge(&entity("1"), &entity("2"), second));
        }
        let kept = neighbours(&graph, &entity("1"));
        assert_eq!((kept.len(), kept[0].at), (KEPT_PER_ENTITY, at(100 - 32)));
    }

    #[test]
    fn flows_do_not_push_entities_out() {
        let graph = Graph::with_capacity(3);
        let [one, two] = [entity("1"), entity("2")];
        relate(&graph, &edge(&one, &Node::Flow(Uuid::from_u128(0)), 0));
        for n in 1..=100 {
            relate(&graph, &edge(&two, &Node::Flow(Uuid::from_u128(n)), 1));
        }
        assert_eq!(neighbours(&graph, &one).len(), 1);
        assert_eq!((graph.0.flows.len(), graph.dropped()), (3, 0));
        for id in ["3", "4"] {
            relate(&graph, &edge(&entity(id), &two, 2));
        }
        assert_eq!((graph.0.entities.len(), graph.dropped()), (3, 1));
    }
}
