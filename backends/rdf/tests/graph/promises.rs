//! The tests that every graph must pass.

use graceful::backends::Uuid;
use std::slice::from_ref;

use graceful::{
    Code, Context,
    backends::{Activity, KnowledgeGraph, Node, Rows},
};
use graceful_rdf::{oxigraph, sparql};
use graceful_tests::services::Service;

use crate::flows::{call, record_all, replayed, second, triples};

/// Each promise as a test of the embedded graph, and as one of a server's.
macro_rules! promises {
    ($($promise:ident)*) => {
        mod embedded {
            $(#[test]
            async fn $promise() {
                super::$promise(&super::oxigraph::Graph::new()).await;
            })*
        }

        mod on_a_server {
            $(#[test(requires("oxigraph"))]
            async fn $promise() {
                let server = super::Service::sparql();
                super::$promise(&super::on(&server)).await;
            })*
        }
    };
}

promises! {
    a_flow_is_read_back_as_it_was
    edge_is_found_from_both_ends_oldest_first
    history_is_the_entitys_own_newest_first_up_to_the_limit
    failures_are_those_of_the_pattern_since_then
    repeated_flow_adds_nothing
    a_tenant_has_entities_of_its_own
    graph_uses_the_standard_vocabulary
    a_query_finds_typed_rows
    a_query_only_asks
}

pub fn on(server: &Service) -> sparql::Graph {
    sparql::Graph::builder(server.url("/query"))
        .update_url(server.url("/update"))
        // For machines with more to do than this.
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .unwrap()
}

async fn a_flow_is_read_back_as_it_was(graph: &dyn KnowledgeGraph) {
    let mut joined = call("user", "42").related("member_of", "team", "7");
    joined.config = joined.config.handler("join").tags(["nightly", "import", "nightly"]);
    joined.context = Context::new().tenant("acme").user("ada");
    let failed = call("user", "42").failed(Code::NotFound);
    for call in [joined, failed] {
        let flow = call.flow().await;
        graph.record(&flow).await.unwrap();
        let expected = Activity::of(&flow);
        assert_eq!(graph.history(&flow.entity(), 9).await.unwrap(), from_ref(&expected));
        assert_eq!(
            (expected.flow, expected.at, expected.environment.as_str()),
            (flow.id(), flow.timestamp(), "test")
        );
    }
}

async fn edge_is_found_from_both_ends_oldest_first(graph: &dyn KnowledgeGraph) {
    let joined = call("user", "1").related("member_of", "team", "7").flow_at(second(2)).await;
    let failed = call("user", "1").failed(Code::Internal).flow_at(second(1)).await;
    record_all(graph, &[joined.clone(), failed.clone()]).await;
    let [succeeded, member_of] = &Activity::of(&joined).edges()[..] else { panic!("two edges") };
    let [failed] = &Activity::of(&failed).edges()[..] else { panic!("one edge") };
    let neighbours = async |node: &Node| graph.neighbours(node).await.unwrap();
    assert_eq!(neighbours(&succeeded.subject).await, [failed.clone(), succeeded.clone(), member_of.clone()]);
    assert_eq!(neighbours(&member_of.object).await, from_ref(member_of));
    assert_eq!(neighbours(&succeeded.object).await, from_ref(succeeded));
    assert_eq!(neighbours(&Node::Flow(Uuid::nil())).await, []);
}

async fn history_is_the_entitys_own_newest_first_up_to_the_limit(graph: &dyn KnowledgeGraph) {
    let flows = [
        call("user", "1").flow_at(second(3)).await,
        call("user", "1").failed(Code::Internal).flow_at(second(1)).await,
        call("user", "1").flow_at(second(2)).await,
        call("user", "2").related("knows", "user", "1").flow_at(second(4)).await,
    ];
    record_all(graph, &flows).await;
    let history = async |limit| graph.history(&flows[0].entity(), limit).await.unwrap();
    let ids: Vec<_> = history(2).await.iter().map(|activity| activity.flow).collect();
    assert_eq!(ids, [flows[0].id(), flows[2].id()]);
    assert_eq!(history(usize::MAX).await.len(), 3);
    assert_eq!(history(0).await, []);
}

async fn failures_are_those_of_the_pattern_since_then(graph: &dyn KnowledgeGraph) {
    let mut flows = Vec::new();
    for (at, pattern, error) in [
        (1, "user", Some(Code::Internal)),
        (2, "user", Some(Code::NotFound)),
        (3, "user", None),
        (4, "user", Some(Code::DataLoss)),
        (5, "team", Some(Code::Internal)),
    ] {
        let mut call = call(pattern, "1");
        call.error = error;
        flows.push(call.flow_at(second(at)).await);
    }
    record_all(graph, &flows).await;
    let failures = graph.failures("user", second(2)).await.unwrap();
    let expected = [&flows[3], &flows[1]].map(|flow| Activity::of(flow));
    assert_eq!(failures, expected);
    assert_eq!(graph.failures("user", second(9)).await.unwrap(), []);
}

async fn repeated_flow_adds_nothing(graph: &dyn KnowledgeGraph) {
    let flow = call("user", "1").related("member_of", "team", "7").flow().await;
    graph.record(&flow).await.unwrap();
    let (before, edges) =
        (triples(graph).await, graph.neighbours(&Node::Entity(flow.entity())).await.unwrap());
    graph.record(&replayed(&flow)).await.unwrap();
    assert_eq!(triples(graph).await, before);
    assert_eq!(graph.neighbours(&Node::Entity(flow.entity())).await.unwrap(), edges);
}

async fn a_tenant_has_entities_of_its_own(graph: &dyn KnowledgeGraph) {
    let mut of_acme = call("user", "1").related("member_of", "team", "7");
    of_acme.context = Context::new().tenant("acme");
    let of_nobody = call("user", "1").related("member_of", "team", "7");
    let flows = [of_acme.flow().await, of_nobody.flow().await];
    record_all(graph, &flows).await;
    for flow in &flows {
        assert_eq!(graph.history(&flow.entity(), 9).await.unwrap(), [Activity::of(flow)]);
        let team = Node::Entity(Activity::of(flow).to.unwrap());
        assert_eq!(graph.neighbours(&team).await.unwrap().len(), 1);
    }
}

/// In the terms that are documented, of others and of our own.
async fn graph_uses_the_standard_vocabulary(graph: &dyn KnowledgeGraph) {
    let mut joined = call("user", "42").related("member_of", "team", "7");
    joined.context = Context::new().tenant("acme").actor("ada");
    joined.config = joined.config.handler("join").tags(["nightly"]);
    let flow = joined.flow().await;
    graph.record(&flow).await.unwrap();
    let (id, at) = (flow.id(), flow.timestamp());
    let ask = format!(
        "PREFIX prov: <http://www.w3.org/ns/prov#>
         PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
         PREFIX g: <urn:graceful:term:>
         ASK {{
             <urn:graceful:entity:users:acme:user:42> a prov:Entity ;
                 g:service 'users' ; g:tenant 'acme' ; g:pattern 'user' ; g:id '42' ;
                 g:succeeded <urn:uuid:{id}> ;
                 <urn:graceful:relation:member_of> <urn:graceful:entity:users:acme:team:7> .
             <urn:graceful:entity:users:acme:team:7> a prov:Entity ; g:pattern 'team' ; g:id '7' .
             <urn:uuid:{id}> a prov:Activity ;
                 prov:used <urn:graceful:entity:users:acme:user:42> ;
                 prov:endedAtTime '{at}'^^xsd:dateTime ;
                 prov:wasAssociatedWith <urn:graceful:agent:acme:ada> ;
                 g:code 'OK' ; g:message 'done' ; g:handler 'join' ; g:environment 'test' ;
                 g:tag 'nightly' ; g:actor 'ada' ;
                 g:relation <urn:graceful:relation:member_of> ; g:to <urn:graceful:entity:users:acme:team:7> .
         }}"
    );
    assert_eq!(answer(&graph.query(&ask).await.unwrap()), "true");
    assert_eq!(answer(&graph.query(&ask.replace("'nightly'", "'daily'")).await.unwrap()), "false");
    // And nothing besides: what both entities are, what the user is to the others, what the flow is.
    assert_eq!(triples(graph).await, 5 + 5 + 2 + 12);
}

async fn a_query_finds_typed_rows(graph: &dyn KnowledgeGraph) {
    let flow = call("user", "42").failed(Code::Internal).flow().await;
    graph.record(&flow).await.unwrap();
    let rows = graph
        .query(
            "PREFIX g: <urn:graceful:term:>
             SELECT ?entity ?code ?nothing (COUNT(?flow) AS ?flows) {
                 ?entity g:failed ?flow . ?flow g:code ?code . OPTIONAL { ?flow g:tag ?nothing }
             } GROUP BY ?entity ?code ?nothing",
        )
        .await
        .unwrap();
    assert_eq!(rows.variables, ["entity", "code", "nothing", "flows"]);
    assert_eq!(rows.rows.len(), 1);
    assert_eq!(rows.get(0, "entity").unwrap().text(), "urn:graceful:entity:users::user:42");
    assert_eq!((rows.get(0, "code").unwrap().text(), rows.get(0, "nothing")), ("INTERNAL", None));
    let integer = graceful::backends::Term::Literal {
        text: "1".into(),
        datatype: "http://www.w3.org/2001/XMLSchema#integer".into(),
    };
    assert_eq!(rows.get(0, "flows"), Some(&integer));
}

async fn a_query_only_asks(graph: &dyn KnowledgeGraph) {
    graph.record(&call("user", "42").flow().await).await.unwrap();
    let before = triples(graph).await;
    for refused in [
        "DELETE WHERE { ?s ?p ?o }",
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "CONSTRUCT WHERE { ?s ?p ?o }",
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT",
        "",
    ] {
        graph.query(refused).await.unwrap_err();
    }
    assert_eq!(triples(graph).await, before);
}

fn answer(rows: &Rows) -> &str {
    rows.get(0, "answer").unwrap().text()
}
