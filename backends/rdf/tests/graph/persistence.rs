//! A graph with a `GraphPersistence` survives a restart.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use graceful::backends::Uuid;
use graceful::{
    StepError,
    backends::{Activity, KnowledgeGraph as _, Reply},
};
use graceful_rdf::{Retention, oxigraph};

use crate::flows::{call, record_all, second, triples};

/// Outlives the graph; refuses what it is told to refuse.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    activities: HashMap<Uuid, Activity>,
    refuses: bool,
}

impl oxigraph::GraphPersistence for Shared {
    fn load(&self) -> Reply<Vec<Activity>> {
        let activities = self.0.lock().unwrap().activities.values().cloned().collect();
        Reply::pending(async { Ok(activities) })
    }

    fn change(&self, added: &[Arc<Activity>], forgotten: &[Uuid]) -> Reply<()> {
        let mut kept = self.0.lock().unwrap();
        if kept.refuses {
            return Reply::failed(StepError::new("the disk is full"));
        }
        kept.activities.extend(added.iter().map(|activity| (activity.flow, Activity::clone(activity))));
        kept.activities.retain(|flow, _| !forgotten.contains(flow));
        Reply::ready(())
    }
}

impl Shared {
    fn len(&self) -> usize {
        self.0.lock().unwrap().activities.len()
    }
}

#[test]
async fn reopened_graph_has_the_same_contents() {
    let keep = Shared::default();
    let graph = oxigraph::Graph::open(keep.clone()).await.unwrap();
    let flows = [
        call("user", "1").related("member_of", "team", "7").flow_at(second(1)).await,
        call("user", "1").failed(graceful::Code::Internal).flow_at(second(2)).await,
    ];
    record_all(&graph, &flows).await;
    let (history, before) = (graph.history(&flows[0].entity(), 9).await.unwrap(), triples(&graph).await);
    drop(graph);
    let graph = oxigraph::Graph::open(keep).await.unwrap();
    assert_eq!(graph.history(&flows[0].entity(), 9).await.unwrap(), history);
    assert_eq!(triples(&graph).await, before);
}

#[test]
async fn forgotten_flow_is_removed_from_the_persistence() {
    let keep = Shared::default();
    let retention = Retention::new().flows_per_entity(3);
    let graph = oxigraph::Graph::open_bounded(keep.clone(), 5, retention).await.unwrap();
    for n in 0..20 {
        let flow = call("user", if n % 2 == 0 { "1" } else { "2" }).flow_at(second(n)).await;
        graph.record(&flow).await.unwrap();
        assert_eq!(keep.len(), graph.len());
    }
    assert_eq!(keep.len(), 5);
}

#[test]
async fn flows_over_the_bound_are_forgotten_when_the_graph_is_opened() {
    let keep = Shared::default();
    let graph = oxigraph::Graph::open(keep.clone()).await.unwrap();
    let mut flows = Vec::new();
    for n in 0..20 {
        flows.push(call("user", &n.to_string()).flow_at(second(n)).await);
    }
    record_all(&graph, &flows).await;
    drop(graph);
    let graph = oxigraph::Graph::open_bounded(keep.clone(), 5, Retention::new()).await.unwrap();
    assert_eq!((graph.len(), keep.len()), (5, 5));
    assert_eq!(graph.history(&flows[19].entity(), 1).await.unwrap().len(), 1, "the newest");
}

#[test]
async fn flow_that_was_not_persisted_is_a_failure_and_is_persisted_when_repeated() {
    let keep = Shared::default();
    let graph = oxigraph::Graph::open(keep.clone()).await.unwrap();
    let flow = call("user", "1").flow().await;
    keep.0.lock().unwrap().refuses = true;
    assert_eq!(graph.record(&flow).await.unwrap_err().message(), "the disk is full");
    keep.0.lock().unwrap().refuses = false;
    graph.record(&flow).await.unwrap();
    assert_eq!((keep.len(), graph.len()), (1, 1));
}
