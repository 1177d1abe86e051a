//! The event on the wire is `CloudEvents` 1.0 in structured JSON. The SDK of the specification's own project reads it back.
#![allow(missing_docs, reason = "tests")]

use cloudevents::{AttributesReader as _, Data, Event, event::SpecVersion};
use graceful::{Code, Context, orchestrate};
use graceful_tests::{User, UserError, World, ada};
use serde_json::{Value, json};

#[orchestrate(
    pattern = "user",
    cache = user.id,
    event = "user_updated",
    actor = "{user.name}",
    metadata = json!({ "plan": "free" }),
    message = "user {user.name} updated",
    tags = ["billing", "eu"]
)]
async fn update(user: User, error: Option<UserError>) -> Result<User, UserError> {
    error.map_or(Ok(user), Err)
}

#[orchestrate(pattern = "any/kind", id = id, event = "touched")]
async fn touch(id: &str, error: Option<Code>) -> Result<(), Code> {
    error.map_or(Ok(()), Err)
}

/// The last event as a consumer reads it, and as it is on the wire.
fn parsed(world: &World) -> (Event, Value) {
    let json = world.events().pop().unwrap().to_json().unwrap();
    (serde_json::from_str(&json).unwrap(), serde_json::from_str(&json).unwrap())
}

fn data(event: &Event) -> Value {
    let Some(Data::Json(data)) = event.data() else { panic!("its data is JSON: {event:?}") };
    data.clone()
}

fn context() -> Context {
    Context::new().user("grace").correlation_id("order-9").request_id("r-1")
}

#[tokio::test]
async fn envelope_of_ok_has_the_value() {
    let world = World::new();
    context().scope(world.run(update(ada(), None))).await.unwrap();

    let (event, wire) = parsed(&world);
    attributes(&world, &event, "user_updated");
    let mut expected = common(&world);
    expected["code"] = json!("OK");
    expected["message"] = json!("user Ada updated");
    expected["result"] = json!({ "id": 42, "name": "Ada" });
    expected["yin_yang"] = json!("yang");
    assert_eq!(data(&event), expected);
    assert_eq!(expected["metadata"]["score"], 1);
    no_other_attributes(&wire);
}

#[tokio::test]
async fn envelope_of_err_has_code_and_message_and_no_value() {
    let world = World::new();
    context().scope(world.run(update(ada(), Some(UserError::Missing)))).await.unwrap_err();

    let (event, wire) = parsed(&world);
    attributes(&world, &event, "user_updated.failed");
    let mut expected = common(&world);
    expected["code"] = json!("NOT_FOUND");
    expected["message"] = json!("no such user");
    expected["result"] = Value::Null;
    expected["yin_yang"] = json!("yin");
    assert_eq!(data(&event), expected);
    assert_eq!(expected["metadata"]["error_count"], 1);
    no_other_attributes(&wire);
}

#[track_caller]
fn attributes(world: &World, event: &Event, name: &str) {
    let flow = world.reports.last().flow().clone();
    assert_eq!(event.specversion(), SpecVersion::V10);
    assert_eq!((event.id(), event.ty()), (flow.id().to_string().as_str(), name));
    assert_eq!((event.source().as_str(), event.subject()), ("users", Some("user/42")));
    assert_eq!((event.datacontenttype(), event.dataschema()), (Some("application/json"), None));
    let time = event.time().expect("it has a time");
    let nanoseconds = i128::from(time.timestamp_nanos_opt().unwrap());
    assert_eq!(nanoseconds, flow.timestamp().as_nanosecond(), "to the nanosecond");
    assert_eq!(event.iter_extensions().count(), 0);
}

/// What both arms carry alike: together with the four that differ, the 13 fields of the canonical payload.
fn common(world: &World) -> Value {
    let flow = world.reports.last().flow().clone();
    json!({
        "metadata": flow.metadata(),
        "correlation_id": "order-9",
        "service": "users",
        "entity_id": "42",
        "timestamp": flow.timestamp(),
        "environment": "test",
        "actor_id": "Ada",
        "request_id": "r-1",
        "tags": ["billing", "eu"],
    })
}

#[track_caller]
fn no_other_attributes(wire: &Value) {
    let mut names: Vec<_> = wire.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = ["data", "datacontenttype", "id", "source", "specversion", "subject", "time", "type"];
    assert_eq!(names, expected);
    assert_eq!(wire["data"].as_object().unwrap().len(), 13);
}

/// The attribute is that of the extension "Distributed Tracing".
#[tokio::test]
async fn envelope_of_a_flow_with_a_trace_has_its_attribute() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let world = World::new();
    for error in [None, Some(Code::Internal)] {
        let in_trace = context().trace(trace.parse().unwrap());
        assert_eq!(in_trace.clone().scope(world.run(touch("a", error))).await.err(), error);
        let (event, wire) = parsed(&world);
        assert_eq!(event.extension("traceparent").unwrap().to_string(), trace);
        assert_eq!((&wire["traceparent"], wire.get("tracestate")), (&trace.into(), None));

        let state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
        let with_state = in_trace.trace_state(state.parse().unwrap());
        assert_eq!(with_state.scope(world.run(touch("a", error))).await.err(), error);
        let (event, wire) = parsed(&world);
        assert_eq!(event.extension("tracestate").unwrap().to_string(), state);
        assert_eq!((&wire["traceparent"], &wire["tracestate"]), (&trace.into(), &state.into()));

        // Without its trace it says nothing.
        let without_trace = context().trace_state(state.parse().unwrap());
        assert_eq!(without_trace.scope(world.run(touch("a", error))).await.err(), error);
        no_other_attributes(&parsed(&world).1);
    }
}

/// The tenant is encoded in characters that every attribute may contain.
#[tokio::test]
async fn envelope_of_a_flow_with_a_tenant_has_its_attribute() {
    let world = World::new();
    for (tenant, attribute) in [("acme", Some("acme")), ("a/c \u{0}", Some("a%2Fc%20%00")), ("", None)] {
        for error in [None, Some(Code::Internal)] {
            let of_tenant = context().tenant(tenant);
            assert_eq!(of_tenant.scope(world.run(touch("a", error))).await.err(), error);
            let (event, _) = parsed(&world);
            assert_eq!(event.extension("tenant").map(ToString::to_string).as_deref(), attribute);
        }
    }
}

/// No text of a user becomes a separator of the subject.
#[tokio::test]
async fn subject_is_injective_and_safe() {
    let world = World::new();
    for (id, subject) in [
        ("a/b", "any%2Fkind/a%2Fb"),
        ("a%2Fb", "any%2Fkind/a%252Fb"),
        ("*", "any%2Fkind/%2A"),
        ("\u{e9} \u{0}", "any%2Fkind/%C3%A9%20%00"),
    ] {
        for error in [None, Some(Code::Internal)] {
            assert_eq!(world.run(touch(id, error)).await.err(), error);
            let (event, _) = parsed(&world);
            assert_eq!(event.subject(), Some(subject));
            assert_eq!(data(&event)["entity_id"], id, "the data has the id as it is");
        }
    }
}

#[tokio::test]
async fn envelope_without_a_context_has_no_actor_and_the_flow_id_as_correlation() {
    let world = World::new();
    for error in [None, Some(Code::Internal)] {
        assert_eq!(world.run(touch("a", error)).await.err(), error);
        let (event, _) = parsed(&world);
        let data = data(&event);
        assert_eq!((&data["actor_id"], &data["request_id"]), (&Value::Null, &Value::Null));
        assert_eq!((data["correlation_id"].as_str(), &data["tags"]), (Some(event.id()), &json!([])));
        assert_eq!(data["result"], Value::Null);
    }
}
