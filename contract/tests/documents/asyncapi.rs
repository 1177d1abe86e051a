//! The AsyncAPI document by rules that the official parser does not check.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex},
};

use graceful::{
    Context, Orchestrator,
    backends::{EventEmitter, Reply},
    catalogue::Catalogue,
    orchestrate,
};
use graceful_contract::AsyncApi;
use jsonschema::{Draft, JSONSchema};
use serde_json::{Value, json};

use super::{State, Tree, User, UserError, a, program};

fn document() -> Value {
    AsyncApi::new("users", "1.2.0")
        .address("nats", |pattern, event| graceful_nats::channel_address("graceful", "users", pattern, event))
        .document(&program())
}

/// Each object of the document.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Object(fields) => {
            found.push(fields);
            fields.values().for_each(|value| objects(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| objects(value, found)),
        _ => {}
    }
}

#[test]
fn document_has_both_arms_of_each_event() {
    let document = document();
    for event in ["user_updated", "user_updated.failed", "tree_grown", "tree_grown.failed"] {
        let message = &document["components"]["messages"][event];
        assert_eq!((&message["name"], &message["title"]), (&json!(event), &json!(event)));
    }
    assert_eq!(document["components"]["messages"].as_object().unwrap().len(), 4);
    let failed = &document["components"]["messages"]["user_updated.failed"];
    assert_eq!(failed["x-codes"], json!({ "NOT_FOUND": ["user {0} not found"] }));
    let codes = |event: &str| {
        let message = &document["components"]["messages"][event];
        message["payload"]["properties"]["data"]["properties"]["code"]["enum"].clone()
    };
    assert_eq!(codes("user_updated"), json!(["OK"]));
    assert_eq!(codes("user_updated.failed").as_array().unwrap().len(), 17);
    assert_eq!(failed["payload"]["properties"]["data"]["properties"]["yin_yang"]["enum"], json!(["yin"]));
}

#[test]
fn schemas_are_of_draft_07_and_every_reference_has_a_target() {
    let document = document();
    let mut found = Vec::new();
    objects(&document, &mut found);
    for object in found {
        for newer in ["$defs", "prefixItems", "$schema", "definitions", "unevaluatedProperties"] {
            assert!(!object.contains_key(newer), "{newer}: {object:?}");
        }
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(!pointer.is_empty() && document.pointer(pointer).is_some(), "{reference}");
        }
    }
}

#[test]
fn keys_have_only_characters_that_asyncapi_allows() {
    let is_allowed = |key: &&String| key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let document = document();
    for keys in ["/channels", "/operations", "/components/schemas", "/components/messages"] {
        let keys = document.pointer(keys).unwrap().as_object().unwrap();
        assert!(!keys.is_empty() && keys.keys().all(|key| is_allowed(&key)), "{keys:?}");
    }
}

#[test]
fn parameters_are_those_of_the_address() {
    let document = document();
    for channel in document["channels"].as_object().unwrap().values() {
        let address = channel["address"].as_str().unwrap();
        let braces: BTreeSet<_> =
            address.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        let parameters = channel["parameters"].as_object().unwrap();
        assert_eq!(braces, parameters.keys().cloned().collect(), "{address}");
    }
    let address = &document["channels"]["user.user_updated.failed"]["address"];
    assert_eq!(address, "graceful.users.{tenant}.user.user_updated%2Efailed");
}

#[test]
fn two_types_of_one_name_have_two_schemas() {
    let document = document();
    let user = &document["components"]["schemas"]["User"]["properties"];
    let of = |reference: &Value| {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        document.pointer(pointer).unwrap()["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&user["address"]["$ref"]), ["street"]);
    assert_eq!(of(&user["billing"]["anyOf"][0]["$ref"]), ["zip"]);
}

#[test]
fn integer_has_its_width() {
    let document = document();
    assert_eq!(document["components"]["schemas"]["User"]["properties"]["id"]["format"], "uint64");
    let mut schema = document["components"]["schemas"]["User"].clone();
    schema["components"] = document["components"].clone();
    let schema = JSONSchema::options().with_draft(Draft::Draft7).compile(&schema).unwrap();
    let user = User { id: u64::MAX, address: a::Address { street: String::new() }, billing: None };
    let mut user = serde_json::to_value(user).unwrap();
    assert_eq!(user["id"].as_u64(), Some(u64::MAX));
    assert!(schema.is_valid(&user));
    for wrong in [json!(-1), json!(0.5), json!("7")] {
        user["id"] = wrong;
        assert!(!schema.is_valid(&user), "{user}");
    }
}

/// That the linker's order changes nothing is a test of `tests/matrix`.
#[test]
fn handlers_are_in_the_order_of_their_identities_and_not_of_the_source() {
    let program = program();
    let lines: Vec<_> = program.handlers().iter().map(|handler| handler.line).collect();
    assert!(!lines.is_sorted() && !lines.iter().rev().is_sorted(), "{lines:?}");
    assert!(program.handlers().is_sorted_by(|a, b| a.identity < b.identity));
}

#[test]
fn two_channels_never_have_one_key() {
    let pairs = Catalogue::of_program().filtered(|handler| handler.module.ends_with("::dotted"));
    let document = AsyncApi::new("users", "1.2.0").document(&pairs);
    for keys in ["/channels", "/operations"] {
        // Each of the two handlers has a channel for success and one for failure.
        assert_eq!(document.pointer(keys).unwrap().as_object().unwrap().len(), 4, "{document:#}");
    }
    assert_eq!(document["components"]["messages"].as_object().unwrap().len(), 4);
}

mod dotted {
    use super::super::*;

    #[orchestrate(pattern = "user.address", id = 1, event = "changed")]
    async fn first() -> Result<(), Code> {
        pending().await
    }

    #[orchestrate(pattern = "user", id = 1, event = "address.changed")]
    async fn second() -> Result<(), Code> {
        pending().await
    }
}

/// What the service emits, as bytes.
#[derive(Clone, Debug, Default)]
struct Captured(Arc<Mutex<Vec<Value>>>);

impl EventEmitter for Captured {
    fn emit(&self, event: graceful::Event) -> Reply<()> {
        self.0.lock().unwrap().push(serde_json::to_value(&event).unwrap());
        Reply::ready(())
    }
}

#[orchestrate(pattern = "outcome", id = 7, event = "ended")]
async fn end(how: &'static str) -> Result<Tree, UserError> {
    let leaf = |state| Tree { pair: (1, "one".to_owned()), state, children: Vec::new() };
    match how {
        "ok" => Ok(Tree {
            children: vec![leaf(None), leaf(Some(State::Locked { since: u64::MAX }))],
            ..leaf(Some(State::Active))
        }),
        "err" => Err(UserError::Missing(7)),
        "panicked" => panic!("for the test"),
        _ => pending().await,
    }
}

#[tokio::test]
async fn event_of_each_outcome_is_valid_for_its_message() {
    let events = Captured::default();
    let orchestrator =
        Orchestrator::builder().service("users").in_memory().events(events.clone()).build().unwrap();
    for how in ["ok", "err", "panicked", "cancelled"] {
        for tenant in [None, Some("acme")] {
            let mut context = Context::default();
            context.tenant = tenant.map(Into::into);
            let call = orchestrator.scope(context.scope(end(how)));
            let ended = tokio::spawn(tokio::time::timeout(std::time::Duration::ZERO, call));
            assert_eq!(ended.await.is_err(), how == "panicked");
        }
    }
    let ends = Catalogue::of_program().filtered(|handler| handler.name == "end");
    let document = AsyncApi::new("users", "1.2.0").document(&ends);
    let count = || events.0.lock().unwrap().len();
    while count() < 8 {
        tokio::task::yield_now().await;
    }
    let mut seen = BTreeSet::new();
    for event in events.0.lock().unwrap().iter() {
        let name = event["type"].as_str().unwrap();
        let validator = validator(&document, name);
        if let Err(errors) = validator.validate(event) {
            panic!("{:?}: {event}", errors.map(|error| error.to_string()).collect::<Vec<_>>());
        }
        seen.insert((name.to_owned(), event["data"]["code"].as_str().unwrap().to_owned()));
        // It can fail: another code, and a field of another type.
        let mut wrong = event.clone();
        wrong["data"]["code"] = json!("LOST");
        assert!(!validator.is_valid(&wrong));
        wrong = event.clone();
        wrong["data"]["result"] = json!({ "pair": ["1", 1] });
        assert!(!validator.is_valid(&wrong));
    }
    let expected = [
        ("ended", "OK"),
        ("ended.failed", "CANCELLED"),
        ("ended.failed", "INTERNAL"),
        ("ended.failed", "NOT_FOUND"),
    ];
    assert_eq!(seen, expected.map(|(name, code)| (name.to_owned(), code.to_owned())).into());
}

/// Validates by the payload of one message, with the components that it refers to.
fn validator(document: &Value, message: &str) -> JSONSchema {
    let mut schema = document["components"]["messages"][message]["payload"].clone();
    schema["components"] = document["components"].clone();
    JSONSchema::options().with_draft(Draft::Draft7).compile(&schema).unwrap()
}

#[test]
fn unknown_type_of_a_payload_is_told_with_its_reason() {
    let shapes = Catalogue::of_program().filtered(|handler| handler.name == "expression");
    let document = AsyncApi::new("users", "1.2.0").document(&shapes);
    let description = document["components"]["messages"]["row.expression"]["description"].as_str().unwrap();
    assert!(description.contains("`payload` is an expression"), "{description}");
}
