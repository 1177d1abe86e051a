//! The AsyncAPI document of the service.

use graceful::catalogue::Catalogue;
use graceful_contract::AsyncApi;
use graceful_tests::requirement;
use graceful_tests_consumer::official::parsed;
use serde_json::{Value, json};

fn document() -> Value {
    let users = Catalogue::of_program().filtered(|handler| handler.package == "graceful-examples");
    AsyncApi::new("users", "1.0.0")
        .address("nats", |pattern, event| graceful_nats::channel_address("graceful", "users", pattern, event))
        .document(&users)
}

#[test(requires(AsyncApi, "node"))]
fn official_parser_accepts_the_document() {
    let parsed = |document: &Value| parsed(&requirement::program("node"), &requirement::asyncapi(), document);
    let mut document = document();
    let found = parsed(&document);
    assert_eq!(found["problems"], json!([]));
    let events = ["user_created", "user_deleted", "user_updated"];
    let messages: Vec<_> =
        events.iter().flat_map(|event| [(*event).to_owned(), format!("{event}.failed")]).collect();
    assert_eq!(found["messages"], json!(messages));
    // The value of a user is described, and not any value.
    let result = &document["components"]["messages"]["user_created"]["payload"]["properties"]["data"]["properties"]
        ["result"];
    assert_eq!(result, &json!({ "$ref": "#/components/schemas/User" }));
    // It looks: a reference without a target is one of its errors.
    document["channels"]["user.user_created"]["messages"]["user_created"]["$ref"] =
        "#/components/messages/lost".into();
    assert_ne!(parsed(&document)["problems"], json!([]));
}
