//! A service emits its events through NATS, and a consumer reads them that has the AsyncAPI document alone. The official parser accepts the document.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

use std::{process::ExitCode, time::Duration};

use async_nats::jetstream;
use graceful::{Classify, Context, Orchestrator, catalogue::Catalogue, orchestrate};
use graceful_contract::AsyncApi;
use graceful_nats::{Events, channel_address};
use graceful_tests::{
    requirement,
    servers::{NATS, unique},
};
use graceful_tests_consumer::{Consumer, official::parsed};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

#[derive(Clone, Serialize, JsonSchema)]
struct Order {
    id: u64,
    lines: Vec<Line>,
    state: State,
    parent: Option<Box<Order>>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Line {
    sku: String,
    count: u32,
}

#[derive(Clone, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum State {
    Open,
    Paid { cents: u64 },
}

#[derive(Debug, Classify)]
#[classify(code = FailedPrecondition, message = "order {0} is closed")]
struct Closed(u64);

#[orchestrate(pattern = "order", id = 7, event = "order_paid")]
async fn pay(how: &'static str) -> Result<Order, Closed> {
    let order = |state| Order {
        id: u64::MAX,
        lines: vec![Line { sku: "a".to_owned(), count: 1 }],
        state,
        parent: None,
    };
    match how {
        "ok" => Ok(Order { parent: Some(Box::new(order(State::Open))), ..order(State::Paid { cents: 700 }) }),
        "err" => Err(Closed(7)),
        "panicked" => panic!("for the test"),
        _ => std::future::pending().await,
    }
}

fn document(stream: &str) -> Value {
    let stream = stream.to_owned();
    AsyncApi::new("orders", "1.0.0")
        .address("nats", move |pattern, event| channel_address(&stream, "orders", pattern, event))
        .document(&Catalogue::of_program())
}

#[test(requires(Nats))]
async fn events_of_every_outcome_and_tenant_are_read_by_the_document_alone() {
    let stream = unique("test");
    let events = Events::connect(&format!("nats://{NATS}?stream={stream}")).await.unwrap();
    let orchestrator = Orchestrator::builder().service("orders").events(events).build().unwrap();
    // All that the consumer has.
    let consumer = Consumer::new(&serde_json::from_str(&document(&stream).to_string()).unwrap());

    let client = async_nats::connect(NATS.to_string()).await.unwrap();
    let jetstream = jetstream::new(client);
    let mut expected = Vec::new();
    for (how, name, code) in [
        ("ok", "order_paid", "OK"),
        ("err", "order_paid.failed", "FAILED_PRECONDITION"),
        ("panicked", "order_paid.failed", "INTERNAL"),
        ("cancelled", "order_paid.failed", "CANCELLED"),
    ] {
        for tenant in ["%", "acme"] {
            let context = Context::new();
            let context = if tenant == "%" { context } else { context.tenant(tenant) };
            let call = orchestrator.scope(context.scope(pay(how)));
            let ended = tokio::spawn(tokio::time::timeout(
                Duration::from_secs(u64::from(how != "cancelled") * 60),
                call,
            ));
            assert_eq!(ended.await.is_err(), how == "panicked");
            expected.push((name.to_owned(), tenant.to_owned(), code.to_owned()));
        }
    }
    let stored = jetstream.get_stream(&stream).await.unwrap();
    graceful_tests::gate::until(async || stored.get_info().await.unwrap().state.messages == 8).await;
    let mut found = Vec::new();
    for sequence in 1..=8 {
        let message = stored.get_raw_message(sequence).await.unwrap();
        let received = consumer.receive(&message.subject, &message.payload).unwrap();
        let is_selected = |subject: &String| {
            subject.split('.').zip(message.subject.split('.')).all(|(own, other)| own == "*" || own == other)
        };
        assert_eq!(consumer.subjects().iter().filter(|subject| is_selected(subject)).count(), 1);
        let [(parameter, tenant)] = &received.parameters[..] else { panic!("{received:?}") };
        assert_eq!(parameter, "tenant");
        let code = received.event["data"]["code"].as_str().unwrap();
        found.push((received.name, tenant.clone(), code.to_owned()));
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    jetstream.delete_stream(&stream).await.unwrap();
}

#[test]
fn message_that_does_not_fit_the_document_is_refused() {
    let consumer = Consumer::new(&document("graceful"));
    let subject = channel_address("graceful", "orders", "order", "order_paid").replace("{tenant}", "%");
    assert!(consumer.receive(&subject, b"{}").unwrap_err().contains("specversion"));
    assert!(consumer.receive("graceful.orders", b"{}").unwrap_err().contains("no channel"));
}

#[test(requires(AsyncApi, "node"))]
fn official_parser_accepts_the_document() {
    let parsed = |document: &Value| parsed(&requirement::program("node"), &requirement::asyncapi(), document);
    let mut document = document("graceful");
    let found = parsed(&document);
    assert_eq!(found["problems"], serde_json::json!([]));
    assert_eq!(found["messages"], serde_json::json!(["order_paid", "order_paid.failed"]));
    // It looks: a reference without a target is one of its errors.
    document["channels"]["order.order_paid"]["messages"]["order_paid"]["$ref"] =
        "#/components/messages/lost".into();
    assert_ne!(parsed(&document)["problems"], serde_json::json!([]));
}
