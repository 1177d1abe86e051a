//! Any text in any place is read back unchanged and is never parsed as syntax.

use graceful::{
    Code, Context,
    backends::{Activity, KnowledgeGraph, Node},
};
use graceful_rdf::oxigraph;
use graceful_tests::services::Service;
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::runtime::Runtime;

use crate::{
    flows::{Call, call, triples},
    promises::on,
};

/// Whatever a `String` can hold, and what would be syntax in SPARQL, in an IRI, or in a literal.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter),
        proptest::collection::vec(
            prop_oneof![
                Just("\""),
                Just("'"),
                Just("\\"),
                Just("\\u0041"),
                Just("\n"),
                Just("\r"),
                Just("\0"),
                Just("}"),
                Just("{"),
                Just("<"),
                Just(">"),
                Just("> . <urn:x> <urn:y> <urn:z> ."),
                Just("; DELETE WHERE {?s ?p ?o}"),
                Just("#"),
                Just("?x"),
                Just("%"),
                Just("%3A"),
                Just(":"),
                Just("/"),
                Just("@en"),
                Just("^^"),
                Just("\u{7f}"),
                Just("\u{fffe}"),
                Just("ü"),
                Just("☂"),
                Just("\u{1f980}"),
                Just(" ")
            ],
            1..8
        )
        .prop_map(|parts| parts.concat()),
    ]
}

fn named() -> impl Strategy<Value = String> {
    text().prop_filter("a name that is empty names nothing", |text| !text.is_empty())
}

fn calls() -> impl Strategy<Value = Call> {
    let tags = proptest::collection::vec(text(), 0..4);
    let related = proptest::option::of((named(), text(), named()));
    let names = (named(), named(), text(), text(), text());
    (names, tags, related, any::<bool>()).prop_map(
        |((pattern, id, tenant, actor, message), tags, related, fails)| {
            let mut call = call(&pattern, &id);
            call.config = call.config.handler(&message).tags(&tags);
            call.context = Context::new().tenant(&tenant).actor(&actor);
            call.message = message;
            call.error = fails.then_some(Code::Internal);
            match related {
                Some((relation, to_pattern, to)) => call.related(&relation, &to_pattern, &to),
                None => call,
            }
        },
    )
}

fn read_back_as_it_was(
    runtime: &Runtime,
    graph: &dyn KnowledgeGraph,
    call: Call,
) -> Result<(), TestCaseError> {
    runtime.block_on(async {
        let flow = call.flow().await;
        let expected = Activity::of(&flow);
        let empty = oxigraph::Graph::new();
        empty.record(&flow).await.unwrap();
        let (own, before) = (triples(&empty).await, triples(graph).await);

        graph.record(&flow).await.unwrap();
        prop_assert_eq!(graph.history(&flow.entity(), 1).await.unwrap(), [expected.clone()]);
        let edges = graph.neighbours(&Node::Flow(flow.id())).await.unwrap();
        prop_assert_eq!(&edges[0], &expected.edges()[0]);
        if !expected.succeeded {
            let failures = graph.failures(flow.pattern(), flow.timestamp()).await.unwrap();
            prop_assert!(failures.contains(&expected));
        }
        if let Some(to) = &expected.to {
            let around = graph.neighbours(&Node::Entity(to.clone())).await.unwrap();
            prop_assert!(around.contains(&expected.edges()[1]));
        }
        // No more than it says, and no less but what was said already.
        let after = triples(graph).await;
        prop_assert!(after > before && after <= before + own, "{before}, {own}, {after}");
        Ok(())
    })
}

fn check(usual: u32, graph: &dyn KnowledgeGraph, runtime: &Runtime) {
    let cases = graceful_tests::soak::cases(usual);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&calls(), |call| read_back_as_it_was(runtime, graph, call))
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_text_in_the_embedded_graph_is_read_back_unchanged() {
    check(512, &oxigraph::Graph::new(), &Runtime::new().unwrap());
}

#[test(requires("oxigraph"))]
fn any_text_on_a_server_is_read_back_unchanged() {
    let server = Service::sparql();
    check(128, &on(&server), &Runtime::new().unwrap());
}
