//! A graph forgets flows over its bound and over its age limit.

use std::{sync::Arc, time::Duration};

use graceful::backends::Uuid;
use graceful::{
    Code, Flow, Key,
    backends::{Activity, KnowledgeGraph, Node},
};
use graceful_rdf::{Retention, oxigraph, sparql};
use graceful_tests::{raw_http::ask, services::Service};

use crate::flows::{call, record_all, second, triples};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn embedded(retention: Retention) -> oxigraph::Graph {
    oxigraph::Graph::bounded(1000, retention)
}

fn on(server: &Service, retention: Retention) -> sparql::Graph {
    sparql::Graph::builder(server.url("/query"))
        .update_url(server.url("/update"))
        .timeout(Duration::from_secs(30))
        .retention(retention)
        .build()
        .unwrap()
}

async fn kept(graph: &dyn KnowledgeGraph, entity: &Key) -> Vec<Uuid> {
    graph.history(entity, 100).await.unwrap().iter().map(|activity| activity.flow).collect()
}

fn ids<'a>(flows: impl DoubleEndedIterator<Item = &'a Arc<Flow>>) -> Vec<Uuid> {
    flows.rev().map(|flow| flow.id()).collect()
}

/// The last flows of an entity stay, whatever comes of another, and in whatever order they come.
async fn last_flows_of_an_entity_are_retained(graph: &dyn KnowledgeGraph) {
    let mut flows = Vec::new();
    for n in 0..20 {
        flows.push(call("user", "1").flow_at(second(n)).await);
    }
    let other = call("user", "2").flow_at(second(0)).await;
    graph.record(&other).await.unwrap();
    record_all(graph, &flows).await;
    assert_eq!(kept(graph, &flows[0].entity()).await, ids(flows[15..].iter()));
    let before = triples(graph).await;
    // One that is too old comes again, as a relay would bring it.
    graph.record(&flows[3]).await.unwrap();
    assert_eq!(kept(graph, &flows[0].entity()).await, ids(flows[15..].iter()));
    assert_eq!(kept(graph, &other.entity()).await, [other.id()]);
    assert_eq!(triples(graph).await, before);
    assert_eq!(graph.neighbours(&Node::Flow(flows[3].id())).await.unwrap(), []);
}

/// What a forgotten flow related goes with it, unless one that is kept says the same.
async fn relation_is_retained_while_a_flow_states_it(graph: &dyn KnowledgeGraph) {
    let moved =
        async |team: &str, at| call("user", "1").related("member_of", "team", team).flow_at(second(at)).await;
    let flows = [moved("red", 1).await, moved("blue", 2).await, moved("red", 3).await];
    record_all(graph, &flows).await;
    let is_member = async |team: &str| {
        let ask = format!(
            "ASK {{ <urn:graceful:entity:users::user:1> <urn:graceful:relation:member_of>
                <urn:graceful:entity:users::team:{team}> }}"
        );
        graph.query(&ask).await.unwrap().get(0, "answer").unwrap().text() == "true"
    };
    assert!(is_member("red").await && is_member("blue").await);
    let mut others = Vec::new();
    for n in 4..8 {
        others.push(call("user", "1").failed(Code::Internal).flow_at(second(n)).await);
    }
    // Five are kept: the first two make room, and the third still says it.
    record_all(graph, &others).await;
    assert!(is_member("red").await && !is_member("blue").await);
    record_all(graph, &[call("user", "1").flow_at(second(8)).await]).await;
    assert!(!is_member("red").await);
}

mod embedded_graph {
    use super::{
        Activity, Duration, HOUR, KnowledgeGraph, Node, Retention, call, embedded, kept, oxigraph,
        record_all, said, second, triples,
    };

    #[test]
    async fn last_flows_of_an_entity_are_retained() {
        super::last_flows_of_an_entity_are_retained(&embedded(Retention::new().flows_per_entity(5))).await;
    }

    #[test]
    async fn relation_is_retained_while_a_flow_states_it() {
        super::relation_is_retained_while_a_flow_states_it(&embedded(Retention::new().flows_per_entity(5)))
            .await;
    }

    #[test]
    async fn flow_over_the_age_limit_is_forgotten_with_its_triples() {
        let graph = embedded(Retention::new().age(HOUR));
        let old = call("user", "1").related("member_of", "team", "7").flow_at(second(0)).await;
        graph.record(&old).await.unwrap();
        assert_eq!((graph.len(), triples(&graph).await), (0, 0), "it came too late");

        // Aged between one flow and the next.
        let graph = embedded(Retention::new().age(Duration::from_secs(10_100)));
        graph.record(&old).await.unwrap();
        assert_eq!(graph.len(), 1);
        let ageing = embedded(Retention::new().age(Duration::from_millis(50)));
        let flow = call("user", "1").related("member_of", "team", "7").flow().await;
        ageing.record(&flow).await.unwrap();
        while flow.timestamp().duration_until(graceful::backends::Timestamp::now()).as_millis() <= 50 {
            tokio::task::yield_now().await;
        }
        let next = call("team", "8").flow().await;
        ageing.record(&next).await.unwrap();
        assert!(kept(&ageing, &flow.entity()).await.is_empty());
        assert_eq!(ageing.len(), 1);
    }

    /// Each flow has its own entity, so only the bound on all flows applies.
    #[test]
    async fn graph_at_its_bound_equals_a_new_graph_of_the_last_flows() {
        let graph = oxigraph::Graph::bounded(50, Retention::new());
        let mut flows = Vec::new();
        // Enough for the store beneath to be renewed more than once, and to be half renewed at the end.
        for n in 0..1000_i64 {
            let call = call("user", &n.to_string()).related("member_of", "team", &(n % 7).to_string());
            let flow = call.flow_at(second(n)).await;
            graph.record(&flow).await.unwrap();
            assert!(graph.len() <= 50);
            flows.push(flow);
        }
        let fresh = oxigraph::Graph::new();
        record_all(&fresh, &flows[950..]).await;
        assert_eq!((graph.len(), fresh.len()), (50, 50));
        assert_eq!(said(&graph).await, said(&fresh).await);
        assert_eq!(kept(&graph, &flows[999].entity()).await, [flows[999].id()]);
        assert!(kept(&graph, &flows[949].entity()).await.is_empty());
        let team = Node::Entity(Activity::of(&flows[999]).to.unwrap());
        assert_eq!(graph.neighbours(&team).await.unwrap(), fresh.neighbours(&team).await.unwrap());
    }
}

mod server_graph {
    use super::{
        Duration, HOUR, KnowledgeGraph, Retention, Service, ask, call, kept, on, oxigraph, second, triples,
    };

    #[test(requires("oxigraph"))]
    async fn last_flows_of_an_entity_are_retained() {
        let server = Service::sparql();
        super::last_flows_of_an_entity_are_retained(&on(&server, Retention::new().flows_per_entity(5))).await;
    }

    #[test(requires("oxigraph"))]
    async fn relation_is_retained_while_a_flow_states_it() {
        let server = Service::sparql();
        let retention = Retention::new().flows_per_entity(5);
        super::relation_is_retained_while_a_flow_states_it(&on(&server, retention)).await;
    }

    #[test(requires("oxigraph"))]
    async fn flow_over_the_age_limit_is_forgotten_and_triples_of_others_stay() {
        let server = Service::sparql();
        let ageless = on(&server, Retention::new().age(Duration::MAX));
        let old = call("user", "1").related("member_of", "team", "7").flow_at(second(0)).await;
        ageless.record(&old).await.unwrap();
        let others = "INSERT DATA {
            <urn:others:flow> <http://www.w3.org/ns/prov#endedAtTime>
                '1999-01-01T00:00:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
                <http://www.w3.org/ns/prov#used> <urn:others:entity> .
            <urn:graceful:entity:users::user:1> <urn:others:says> 'of ours' }";
        write(&server, others).await;

        // The first flow of a process sweeps.
        let graph = on(&server, Retention::new().age(HOUR));
        let new = call("user", "2").flow().await;
        graph.record(&new).await.unwrap();
        let only_new = oxigraph::Graph::new();
        only_new.record(&new).await.unwrap();
        let expected = triples(&only_new).await + 3;
        graceful_tests::gate::awaited(async {
            while triples(&graph).await != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(kept(&graph, &old.entity()).await.is_empty());
    }

    async fn write(server: &Service, update: &str) {
        let sent = ask(server.port(), "POST", "/update", "application/sparql-update", update).await;
        assert_eq!(sent, (204, String::new()));
    }
}

/// Every triple.
async fn said(graph: &oxigraph::Graph) -> Vec<String> {
    let rows = graph.query("SELECT ?s ?p ?o { ?s ?p ?o }").await.unwrap();
    let mut said: Vec<_> = rows.rows.iter().map(|row| format!("{row:?}")).collect();
    said.sort_unstable();
    said
}
