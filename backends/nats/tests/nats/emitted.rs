//! The stream holds the event when its handler has answered.

use graceful::{Code, Context, OrchestrationConfig, Step, Success, backends::EventEmitter as _, orchestrate};
use graceful_tests::{User, World, ada, gate::awaited, servers::Server};
use serde_json::json;

use super::Nats;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated")]
async fn update(user: User, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

#[test(requires(Nats))]
async fn emitted_event_of_each_arm_is_a_cloud_event_under_its_subject_with_the_flow_id() {
    let nats = Nats::connect().await;
    let events = nats.events().await;
    let world = World::with(|builder| builder.service("us.ers").events(events));
    let call = async |error| Context::new().tenant("ac me").scope(world.run(update(ada(), error))).await;
    call(None).await.unwrap();
    call(Some(Code::Internal)).await.unwrap_err();

    let (messages, reports) = (nats.messages().await, world.reports.all());
    assert_eq!((messages.len(), reports.len()), (2, 2));
    for (message, report) in messages.iter().zip(&reports) {
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
        let id = report.flow().id().to_string();
        assert_eq!((message.id.as_deref(), message.event["id"].as_str()), (Some(&*id), Some(&*id)));
        assert_eq!(message.content_type.as_deref(), Some("application/cloudevents+json"));
        assert_eq!(
            (&message.event["specversion"], &message.event["subject"]),
            (&json!("1.0"), &json!("user/42"))
        );
    }
    let prefix = format!("{}.us%2Eers.ac%20me.user.", nats.stream);
    assert_eq!(messages[0].subject, format!("{prefix}user_updated"));
    assert_eq!(messages[0].event["type"], "user_updated");
    assert_eq!(messages[0].event["data"]["result"], json!(ada()));
    assert_eq!(messages[1].subject, format!("{prefix}user_updated%2Efailed"));
    assert_eq!(messages[1].event["type"], "user_updated.failed");
    assert_eq!(messages[1].event["data"]["code"], "INTERNAL");
    nats.clean().await;
}

#[test(requires(Nats))]
async fn event_emitted_twice_is_stored_once() {
    let nats = Nats::connect().await;
    let (events, world) = (nats.events().await, World::new());
    world.run(update(ada(), None)).await.unwrap();
    let event = world.events().remove(0);
    for _ in 0..3 {
        events.emit(event.clone()).await.unwrap();
    }
    assert_eq!(nats.messages().await.len(), 1);
    nats.clean().await;
}

#[test(requires("nats-server"))]
async fn event_over_a_limit_of_the_server_fails_at_once_and_keeps_the_connection() {
    let server = Server::nats("max_payload: 4096\n").await;
    let nats = Nats::at(server.address()).await;
    let events = nats.events().await;
    let world = World::with(|builder| builder.events(events));
    let emit = async |config: OrchestrationConfig, text: &str| {
        let config = config.event("said").on(&world.orchestrator);
        let report = Success::wrap(Code::Ok, "said", text).orchestrate(&config).await;
        report.step(Step::Event).error().map(|error| error.message().to_owned())
    };
    // More than a breaker would bear.
    for _ in 0..5 {
        let error = emit(OrchestrationConfig::new("user").id(1), &"a".repeat(5000)).await.unwrap();
        assert!(error.starts_with("the event is larger than NATS at 127.0.0.1:"), "{error}");
        assert!(error.contains("4096"), "{error}");
        let error = emit(OrchestrationConfig::new("u".repeat(1024)).id(1), "a").await.unwrap();
        assert!(error.contains("1024 are allowed"), "{error}");
        assert_eq!(emit(OrchestrationConfig::new("user").id(1), "a").await, None);
    }
    assert_eq!(nats.messages().await.len(), 5);
}

#[test(requires(Nats))]
async fn emit_to_a_deleted_stream_is_a_failure() {
    let nats = Nats::connect().await;
    let events = nats.events().await;
    let world = World::with(|builder| builder.events(events));
    let name = nats.stream.clone();
    nats.clean().await;
    world.run(update(ada(), None)).await.unwrap();
    let error = world.last(Step::Event).1;
    assert!(error.starts_with(&format!("FAILED: the stream `{name}` of NATS at ")), "{error}");
}

/// A sync handler outside of any runtime cannot wait: its flow continues in the runtime of the orchestrator.
#[test(requires(Nats))]
fn sync_handler_needs_no_runtime() {
    #[orchestrate(pattern = "user", id = user.id, event = "user_stored")]
    fn store(user: &User) -> Result<User, Code> {
        Ok(user.clone())
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let nats = runtime.block_on(Nats::connect());
    let world = runtime.block_on(async {
        let events = nats.events().await;
        World::with(|builder| builder.events(events))
    });
    world.orchestrator.sync_scope(|| store(&ada())).unwrap();
    runtime.block_on(async {
        awaited(world.reports.until(1)).await;
        assert_eq!(world.last(Step::Event).1, "emitted");
        assert_eq!(nats.messages().await.len(), 1);
        nats.clean().await;
    });
}
