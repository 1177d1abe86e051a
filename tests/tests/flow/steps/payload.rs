//! The payload of a flow: the value that is cached and emitted.

use graceful::{Code, Step, orchestrate};
use graceful_tests::{User, UserError, World, ada};
use serde_json::Value;

struct Opaque(User);

#[orchestrate(pattern = "user", cache = user.id, event = "seen", payload = user.name)]
async fn of_a_parameter(user: User, error: Option<Code>) -> Result<Opaque, Code> {
    error.map_or(Ok(Opaque(user)), Err)
}

#[orchestrate(pattern = "user", cache = user.id, event = "seen", payload = result.0)]
async fn of_the_result(user: User, error: Option<Code>) -> Result<Opaque, Code> {
    error.map_or(Ok(Opaque(user)), Err)
}

#[orchestrate(pattern = "user", cache = user.id, event = "seen")]
async fn json(user: User, error: Option<Code>) -> Result<axum::Json<User>, Code> {
    error.map_or(Ok(axum::Json(user)), Err)
}

#[orchestrate(pattern = "user", cache = user.id, event = "seen")]
async fn response(user: User, error: Option<Code>) -> Result<tonic::Response<User>, Code> {
    error.map_or(Ok(tonic::Response::new(user)), Err)
}

#[orchestrate(pattern = "user", cache = user.id, event = "seen")]
async fn opaque(user: User, error: Option<Code>) -> Result<Opaque, Code> {
    error.map_or(Ok(Opaque(user)), Err)
}

macro_rules! payloads {
    ($($test:ident: $handler:ident => $expected:expr;)*) => {$(
        #[tokio::test]
        async fn $test() {
            let world = World::new();
            let expected: Value = $expected;

            assert!(world.run($handler(ada(), None)).await.is_ok());
            let flow = world.reports.last().flow().clone();
            assert_eq!(flow.payload().decode::<Value>().unwrap(), expected);
            assert_eq!(world.events()[0].data().result.decode::<Value>().unwrap(), expected);
            let cached = world.orchestrator.cached::<Value>("user", 42).await.unwrap();
            assert_eq!(cached.unwrap_or_default(), expected);

            assert!(world.run($handler(ada(), Some(Code::Internal))).await.is_err());
            assert!(world.reports.last().flow().payload().is_null(), "an error has no value");
            assert!(world.events()[1].data().result.is_null());
        }
    )*};
}

payloads! {
    payload_can_be_a_part_of_a_parameter: of_a_parameter => "Ada".into();
    payload_can_be_a_part_of_the_result: of_the_result => serde_json::json!(ada());
    axum_json_is_unwrapped: json => serde_json::json!(ada());
    tonic_response_is_unwrapped: response => serde_json::json!(ada());
    result_without_serialize_has_no_payload: opaque => Value::Null;
}

#[derive(Debug)]
struct Broken;

impl serde::Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("half a value"))
    }
}

#[orchestrate(pattern = "user", cache = user.id, event = "seen")]
async fn fails_to_serialise(user: User) -> Result<Broken, UserError> {
    drop(user);
    Ok(Broken)
}

#[tokio::test]
async fn payload_that_fails_to_serialise_fails_cache_and_event_and_invalidates_the_key() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    assert!(world.run(fails_to_serialise(ada())).await.is_ok());
    let report = world.reports.last();
    for step in [Step::Cache, Step::Event] {
        let said = report.step(step).to_string();
        assert_eq!(said, "FAILED: the payload cannot be serialised: half a value", "{step}");
    }
    assert_eq!(world.cached(&world.entity()).await, None);
    assert_eq!(world.events().len(), 1, "an event without its value would be believed");
}
