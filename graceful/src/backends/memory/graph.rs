//! The in-memory knowledge graph.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Bytes, DEFAULT_BYTES, DEFAULT_CAPACITY, KEPT_PER_ENTITY, table::Table};
use crate::{
    backends::{Activity, Edge, KnowledgeGraph, Node, Reply},
    flow::{Delivery, Flow},
    key::Key,
};

/// An in-memory knowledge graph with the last 32 flows of each node, without payloads and metadata.
///
/// Relations are found from both ends. When the graph is full, by number or by bytes, the least recently used nodes are evicted; flows and
/// entities are evicted separately, so that the more numerous flows do not displace entities. It does not support SPARQL.
///
/// ```
/// use graceful::{
///     Code, OrchestrationConfig, Orchestrator, Success,
///     backends::{KnowledgeGraph, Node, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let graph = memory::Graph::new();
/// let orchestrator = Orchestrator::builder().service("users").graph(graph.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id(42).graph("member_of", 7).to_pattern("team").on(&orchestrator);
/// Success::wrap(Code::Ok, "user joined", &"ada").orchestrate(&config).await;
///
/// let user = Node::Entity(orchestrator.key("user", 42));
/// let team = Node::Entity(orchestrator.key("team", 7));
/// assert_eq!(graph.neighbours(&team).await?[0].subject, user);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Graph(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entities: Table<Key, Flows>,
    flows: Table<Uuid, Option<Arc<Activity>>>,
}

#[derive(Default)]
struct Flows {
    newest_last: VecDeque<Arc<Activity>>,
    bytes: usize,
}

impl Bytes for Flows {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

impl Bytes for Option<Arc<Activity>> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.as_ref().map_or(0, |activity| activity.bytes())
    }
}

impl Graph {
    /// Creates a graph of 10 000 entities and as many flows, up to 32 MiB.
    ///
    /// ```
    /// let graph = graceful::backends::memory::Graph::new();
    /// ```
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }

    /// Creates a graph of this many entities and as many flows, up to 32 MiB.
    ///
    /// ```
    /// let graph = graceful::backends::memory::Graph::with_capacity(100);
    /// ```
    pub fn with_capacity(nodes: usize) -> Self {
        Self::with_limits(nodes, DEFAULT_BYTES)
    }

    /// Creates a graph of this many entities and as many flows, up to this many bytes.
    ///
    /// ```
    /// let graph = graceful::backends::memory::Graph::with_limits(100, 1 << 20);
    /// ```
    pub fn with_limits(nodes: usize, bytes: usize) -> Self {
        // A flow is found by its id and with each entity that it says something of.
        let by_id = bytes / 4;
        Self(Arc::new(Inner { entities: Table::new(nodes, bytes - by_id), flows: Table::new(nodes, by_id) }))
    }

    /// How many entities were evicted. Flows are not counted, because each is evicted in time.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::Graph::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        self.0.entities.dropped()
    }

    fn add(&self, entity: Key, activity: &Arc<Activity>, may_be_there: bool) {
        let _freed_after_unlocking = self.0.entities.upsert(entity, |Flows { newest_last, bytes }| {
            if may_be_there && newest_last.iter().any(|known| known.flow == activity.flow) {
                return None;
            }
            let oldest = if newest_last.len() >= KEPT_PER_ENTITY { newest_last.pop_front() } else { None };
            *bytes = *bytes + activity.bytes() - oldest.as_ref().map_or(0, |oldest| oldest.bytes());
            newest_last.push_back(Arc::clone(activity));
            oldest
        });
    }

    /// The flows that say something of an entity.
    fn flows(&self, entity: &Key) -> VecDeque<Arc<Activity>> {
        self.0.entities.with(entity, |flows| flows.newest_last.clone()).unwrap_or_default()
    }
}

impl KnowledgeGraph for Graph {
    fn record(&self, flow: &Arc<Flow>) -> Reply<()> {
        let entity = flow.entity();
        let activity = Arc::new(Activity::of(flow));
        // Only what is durable comes again.
        let may_be_there = flow.delivery() == Delivery::Durable;
        if let Some(to) = flow.related().filter(|to| *to != entity) {
            self.add(to, &activity, may_be_there);
        }
        self.add(entity, &activity, may_be_there);
        let _freed_after_unlocking = self.0.flows.upsert(flow.id, |place| place.replace(activity));
        Reply::ready(())
    }

    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
        let flows = match node {
            Node::Entity(entity) => self.flows(entity),
            Node::Flow(id) => self.0.flows.with(id, |flow| flow.clone()).flatten().into_iter().collect(),
        };
        let mut edges: Vec<Edge> = flows.iter().flat_map(|activity| activity.edges()).collect();
        edges.retain(|edge| edge.subject == *node || edge.object == *node);
        // They came in about this order; flows that ended at once may have overtaken each other.
        edges.sort_by_key(|edge| edge.at);
        Reply::ready(edges)
    }

    fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>> {
        let flows = self.flows(entity);
        let mut history = newest_first(flows.iter().filter(|activity| activity.entity == *entity));
        history.truncate(limit);
        Reply::ready(history)
    }

    fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>> {
        let mut failed = HashMap::new();
        self.0.entities.for_each(|_, flows| {
            let asked_for = flows.newest_last.iter().filter(|activity| {
                !activity.succeeded && activity.entity.pattern() == pattern && activity.at >= since
            });
            failed.extend(asked_for.map(|activity| (activity.flow, Arc::clone(activity))));
        });
        Reply::ready(newest_first(failed.values()))
    }
}

fn newest_first<'a>(activities: impl Iterator<Item = &'a Arc<Activity>>) -> Vec<Activity> {
    let mut activities: Vec<Activity> = activities.map(|activity| Activity::clone(activity)).collect();
    activities.sort_by_key(|activity| Reverse((activity.at, activity.flow)));
    activities
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::{
        super::testing::{answer, at, flow, flow_at, related},
        *,
    };
    use crate::code::Code;

    fn entity(pattern: &str, id: &str) -> Node {
        Node::Entity(Key::new("users", None, pattern, id))
    }

    fn record(graph: &Graph, flow: &Arc<Flow>) {
        answer(graph.record(flow)).unwrap();
    }

    fn neighbours(graph: &Graph, node: &Node) -> Vec<Edge> {
        answer(graph.neighbours(node)).unwrap()
    }

    fn flows(activities: Reply<Vec<Activity>>) -> Vec<Uuid> {
        answer(activities).unwrap().iter().map(|activity| activity.flow).collect()
    }

    #[test]
    fn edge_is_found_from_both_ends_oldest_first() {
        let graph = Graph::new();
        let joined = related(flow_at(2, "1", Code::Ok), "member_of", "team", "7");
        let failed = flow_at(1, "1", Code::Internal);
        record(&graph, &joined);
        record(&graph, &failed);
        let [succeeded, member_of] = &Activity::of(&joined).edges()[..] else { panic!("two edges") };
        let [failed_edge] = &Activity::of(&failed).edges()[..] else { panic!("one edge") };
        assert_eq!(
            neighbours(&graph, &entity("user", "1")),
            [failed_edge.clone(), succeeded.clone(), member_of.clone()]
        );
        assert_eq!(neighbours(&graph, &entity("team", "7")), from_ref(member_of));
        assert_eq!(neighbours(&graph, &Node::Flow(joined.id())), from_ref(succeeded));
        assert_eq!(neighbours(&graph, &entity("user", "3")), []);
    }

    #[test]
    fn edge_to_itself_is_one_edge() {
        let graph = Graph::new();
        record(&graph, &related(flow("1", Code::Ok), "knows", "user", "1"));
        let relations: Vec<_> =
            neighbours(&graph, &entity("user", "1")).into_iter().map(|edge| edge.relation).collect();
        assert_eq!(relations, ["succeeded", "knows"]);
    }

    #[test]
    fn repeated_flow_adds_nothing() {
        let graph = Graph::new();
        let mut flow = related(flow("1", Code::Ok), "member_of", "team", "7");
        Arc::get_mut(&mut flow).unwrap().declaration.to_mut().options.delivery = Delivery::Durable;
        record(&graph, &flow);
        record(&graph, &Arc::new(Flow::clone(&flow)));
        assert_eq!(neighbours(&graph, &entity("user", "1")).len(), 2);
        assert_eq!(neighbours(&graph, &entity("team", "7")).len(), 1);
    }

    #[test]
    fn history_is_the_entitys_own_newest_first_up_to_the_limit() {
        let graph = Graph::new();
        let recorded = [
            flow_at(3, "1", Code::Ok),
            flow_at(1, "1", Code::Internal),
            flow_at(2, "1", Code::Ok),
            related(flow_at(4, "2", Code::Ok), "knows", "user", "1"),
        ];
        for flow in &recorded {
            record(&graph, flow);
        }
        let user = recorded[0].entity();
        assert_eq!(flows(graph.history(&user, 2)), [recorded[0].id(), recorded[2].id()]);
        assert_eq!(flows(graph.history(&user, 9)).len(), 3);
    }

    #[test]
    fn failures_are_those_of_the_pattern_since_then() {
        let graph = Graph::new();
        let recorded = [(1, "1", Code::Internal), (2, "1", Code::NotFound), (3, "2", Code::DataLoss)]
            .map(|(second, id, code)| flow_at(second, id, code));
        for flow in &recorded {
            record(&graph, flow);
        }
        record(&graph, &flow_at(4, "1", Code::Ok));
        assert_eq!(flows(graph.failures("user", at(2))), [recorded[2].id(), recorded[1].id()]);
        assert!(flows(graph.failures("team", at(0))).is_empty());
    }

    #[test]
    fn node_retains_its_last_flows() {
        let graph = Graph::new();
        for second in 0..100 {
            record(&graph, &flow_at(second, "1", Code::Ok));
        }
        let kept = neighbours(&graph, &entity("user", "1"));
        assert_eq!((kept.len(), kept[0].at), (KEPT_PER_ENTITY, at(100 - 32)));
    }

    #[test]
    fn flows_do_not_push_entities_out() {
        let graph = Graph::with_capacity(3);
        record(&graph, &flow("1", Code::Ok));
        for _ in 0..100 {
            record(&graph, &flow("2", Code::Ok));
        }
        assert_eq!(neighbours(&graph, &entity("user", "1")).len(), 1);
        assert_eq!((graph.0.flows.len(), graph.dropped()), (3, 0));
        for id in ["3", "4"] {
            record(&graph, &flow(id, Code::Ok));
        }
        assert_eq!((graph.0.entities.len(), graph.dropped()), (3, 1));
    }

    #[test]
    fn query_of_the_embedded_graph_is_refused() {
        let error = answer(Graph::new().query("ASK {}")).unwrap_err();
        assert_eq!(error.message(), "this knowledge graph does not support SPARQL");
    }

    #[test]
    fn graph_holds_no_payload_and_no_more_than_its_bytes() {
        let graph = Graph::with_limits(10_000, 1 << 20);
        let payload = crate::flow::Payload::of(&"x".repeat(16 << 10)).unwrap();
        for n in 0..20_000 {
            let mut flow = flow(&(n % 500).to_string(), Code::Ok);
            let unshared = Arc::get_mut(&mut flow).unwrap();
            unshared.values.payload = payload.clone();
            record(&graph, &flow);
        }
        assert_eq!(Arc::strong_count(payload.shared().unwrap()), 1, "no flow is kept");
        let bytes = graph.0.entities.bytes() + graph.0.flows.bytes();
        assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes}");
    }
}
