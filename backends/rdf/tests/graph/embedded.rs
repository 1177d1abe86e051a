//! The graph of `graceful_sqlite::embedded` is kept in its directory.

use std::path::Path;

use graceful::{
    Code, Orchestrator, Step,
    backends::{KnowledgeGraph, Node},
    orchestrate,
};
use graceful_rdf::oxigraph;
use graceful_tests::killed;

use crate::flows::{call, second, triples};

#[orchestrate(pattern = "user", id = id, graph(relation = "member_of", to = team, to_pattern = "team"))]
async fn join(id: u64, team: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(team), Err)
}

async fn embedded(directory: &Path) -> Orchestrator {
    graceful_sqlite::embedded(directory).await.unwrap().service("users").build().unwrap()
}

fn graph(orchestrator: &Orchestrator) -> &dyn KnowledgeGraph {
    &**orchestrator.graph().unwrap()
}

#[test]
async fn relation_survives_a_kill() {
    if let Some(directory) = killed::works_in() {
        let orchestrator = embedded(&directory).await;
        orchestrator.scope(join(1, 7, None)).await.unwrap();
        orchestrator.scope(join(1, 7, Some(Code::Internal))).await.unwrap_err();
        println!("{} triples", triples(graph(&orchestrator)).await);
        killed::done().await;
    }
    let directory = tempfile::tempdir().unwrap();
    killed::after("embedded::relation_survives_a_kill", directory.path());

    let orchestrator = embedded(directory.path()).await;
    let (user, team) = (orchestrator.key("user", 1), orchestrator.key("team", 7));
    let history = graph(&orchestrator).history(&user, 9).await.unwrap();
    let codes: Vec<_> = history.iter().map(|activity| activity.code).collect();
    assert_eq!(codes, [Code::Internal, Code::Ok]);
    let edges = graph(&orchestrator).neighbours(&Node::Entity(team)).await.unwrap();
    assert_eq!((edges.len(), edges[0].relation.as_str()), (1, "member_of"));

    // And what comes after it is kept beside it.
    orchestrator.scope(join(1, 8, None)).await.unwrap();
    assert_eq!(graph(&orchestrator).history(&user, 9).await.unwrap().len(), 3);
}

#[test]
async fn flow_forgotten_by_the_graph_is_removed_from_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(directory.path().join("graph.db")).await.unwrap();
    let bounded = || oxigraph::Graph::open_bounded(store.clone(), 5, graceful_rdf::Retention::new());
    let graph = bounded().await.unwrap();
    for n in 0..20 {
        let flow = call("user", &n.to_string()).related("member_of", "team", "7").flow_at(second(n)).await;
        graph.record(&flow).await.unwrap();
    }
    let before = triples(&graph).await;
    drop(graph);
    let all = oxigraph::Graph::open(store.clone()).await.unwrap();
    assert_eq!((all.len(), triples(&all).await), (5, before));
}

/// A closed store refuses the flow, and the step's result says so.
#[test]
fn flow_that_cannot_be_persisted_fails_the_step() {
    let directory = tempfile::tempdir().unwrap();
    let first = tokio::runtime::Runtime::new().unwrap();
    let store = first.block_on(graceful_sqlite::Store::open(directory.path().join("graph.db"))).unwrap();
    let graph = first.block_on(oxigraph::Graph::open(store)).unwrap();
    // The store works in the runtime that it was opened in.
    drop(first);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let reports = graceful_tests::Reports::default();
        let builder = Orchestrator::builder().service("users").graph(graph);
        let orchestrator = reports.of(builder).build().unwrap();
        orchestrator.scope(join(1, 7, None)).await.unwrap();
        let result = reports.last().step(Step::Graph).to_string();
        assert!(result.starts_with("FAILED") && result.contains("closed"), "{result}");
    });
}
