//! The page of the graph, and SPARQL.

use std::sync::Arc;

use graceful::{
    Flow, Key, Orchestrator,
    backends::{Activity, Edge, KnowledgeGraph, Node, Reply, Rows, Timestamp},
};
use graceful_console::access::{Access, Permission};
use graceful_rdf::oxigraph::Graph;
use graceful_tests::faulty::Fault;
use http::StatusCode;

use crate::{
    site::Site,
    users::{HOSTILE, ada, builder, faulty, orchestrator, recorded, update, without},
};

fn with_sparql() -> Orchestrator {
    builder().graph(Graph::new()).build().unwrap()
}

#[test]
async fn neighbours_are_drawn_with_links_and_hostile_texts() {
    let orchestrator = orchestrator();
    let long = "k".repeat(1024);
    for id in HOSTILE.into_iter().chain([&*long]) {
        update(&orchestrator, "", id, None).await;
        let site = Site::new(&orchestrator, Access::read("ada"));
        let name = orchestrator.key("user", id).to_string();
        let path = format!("graph?entity={}", name.replace('%', "%25"));
        let page = site.page(&path).await;
        assert!(
            page.contains("<svg")
                && page.contains("role=\"group\"")
                && page.contains("<title id=\"graph-title\">"),
            "{page}"
        );
        assert!(page.contains("entity?entity=users%3A%3Ateam%3A7") && page.contains("member_of"), "{page}");
        assert!(
            !page.contains(" style=") && !page.contains("<script>a") && !page.contains('\u{202e}'),
            "{page}"
        );
        assert_eq!(site.json(&path).await["edges"].as_array().unwrap().len(), 2);
    }
}

#[test]
async fn neighbours_of_another_tenant_are_hidden() {
    let orchestrator = orchestrator();
    update(&orchestrator, "acme", "42", None).await;
    let site = Site::new(&orchestrator, Access::read("ada").tenants(["other"]));
    assert_eq!(site.get("graph?entity=users:acme:user:42").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("entity?entity=users:acme:user:42").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("graph?entity=nothing").await.status, StatusCode::NOT_FOUND);
    let site = Site::new(&orchestrator, Access::read("ada").tenants(["acme"]));
    assert_eq!(site.json("graph?entity=users:acme:user:42").await["number"], 2);
    assert!(!site.page("graph").await.contains("SPARQL"));
}

#[test(flavor = "multi_thread")]
async fn query_is_answered_and_recorded() {
    let orchestrator = with_sparql();
    update(&orchestrator, "", "42", Some("<b>disk</b> full")).await;
    let site = Site::new(&orchestrator, ada());
    let token = site.token("graph").await;
    let query = "SELECT ?message { ?flow <urn:graceful:term:message> ?message }";
    let answer = site.post("act/sparql", &[("token", &token), ("query", query)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(
        answer.body.contains("1 rows") && answer.body.contains("data-column=\"message\""),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains("<b>"), "{}", answer.body);
    let records = recorded(&orchestrator).await;
    assert_eq!((&*records[0].0, &*records[0].1, &*records[0].2), ("sparql", "ada", "OK"));
}

#[test(flavor = "multi_thread")]
async fn query_that_is_not_only_a_short_reading_is_refused() {
    let orchestrator = with_sparql();
    let site = Site::new(&orchestrator, ada());
    let token = site.token("graph").await;
    for query in [
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o } LIMIT 5000",
        "SELECT nonsense",
    ] {
        let answer = site.post("act/sparql", &[("token", &token), ("query", query)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.body);
    }
    for id in 0..10 {
        update(&orchestrator, "", &id.to_string(), None).await;
    }
    let answer =
        site.post("act/sparql", &[("token", &token), ("query", "SELECT * { ?s ?p ?o . ?a ?b ?c }")]).await;
    assert!(answer.body.contains("There are more than 1,000 rows"), "{}", answer.status);
}

#[test]
async fn query_needs_its_permission_and_all_tenants() {
    let orchestrator = orchestrator();
    let token = Site::new(&orchestrator, ada()).token("graph").await;
    for access in [Access::read("ada"), without(Permission::Sparql), ada().tenants(["acme"])] {
        let site = Site::new(&orchestrator, access);
        assert!(!site.page("graph").await.contains("act/sparql"));
        let answer = site.post("act/sparql", &[("token", &token), ("query", "ASK {}")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[test(start_paused = true)]
async fn graph_that_never_answers_is_a_dash() {
    for fault in [Fault::FailsLater, Fault::Hangs] {
        let page = Site::new(&faulty(fault), ada()).page("graph?entity=users::user:42").await;
        assert!(page.contains("–, the graph does not answer"), "{page}");
    }
}

/// A graph whose queries never end.
#[derive(Debug)]
struct Endless;

impl KnowledgeGraph for Endless {
    fn record(&self, _: &Arc<Flow>) -> Reply<()> {
        Reply::ready(())
    }

    fn neighbours(&self, _: &Node) -> Reply<Vec<Edge>> {
        Reply::ready(Vec::new())
    }

    fn history(&self, _: &Key, _: usize) -> Reply<Vec<Activity>> {
        Reply::ready(Vec::new())
    }

    fn failures(&self, _: &str, _: Timestamp) -> Reply<Vec<Activity>> {
        Reply::ready(Vec::new())
    }

    fn query(&self, _: &str) -> Reply<Rows> {
        Reply::pending(std::future::pending())
    }
}

#[test(start_paused = true)]
async fn query_that_does_not_end_keeps_others_out() {
    let site = Site::new(&builder().graph(Endless).build().unwrap(), ada());
    let token = site.token("graph").await;
    let fields = [("token", &*token), ("query", "ASK { ?s ?p ?o }")];
    let first = site.post("act/sparql", &fields).await.is(503);
    assert!(first.body.contains("longer than 5 s"), "{}", first.body);
    let second = site.post("act/sparql", &fields).await.is(503);
    assert!(second.body.contains("another query"), "{}", second.body);
}
