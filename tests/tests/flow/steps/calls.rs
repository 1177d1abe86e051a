//! Calls that name no entity: a correlation id that a client sends is never used as an entity.

use graceful::{
    Code, Context, Flow, Key, Step,
    backends::{AuditLog as _, KeySpace},
    orchestrate,
};
use graceful_tests::{World, ada};

#[orchestrate(pattern = "user", event = "users_listed")]
async fn list(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

/// A client that calls itself user 42.
async fn call(world: &World, error: Option<Code>) -> std::sync::Arc<Flow> {
    let context = Context::new().correlation_id("42");
    let _ = context.scope(world.run(list(error))).await;
    world.reports.last().flow().clone()
}

#[tokio::test]
async fn correlation_id_writes_to_no_entity() {
    for error in [None, Some(Code::Internal)] {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        let mut before = Vec::new();
        for step in [Step::Metadata, Step::Cache, Step::Graph] {
            before.push(world.holds(step, &world.entity()).await);
        }
        let flow = call(&world, error).await;
        for (step, before) in [Step::Metadata, Step::Cache, Step::Graph].into_iter().zip(before) {
            assert_eq!(world.holds(step, &world.entity()).await, before, "{step}");
        }
        let records = world.backends.audit.records(Some(&world.entity()), 9).await.unwrap();
        assert_eq!(records.len(), 1, "the update's own");
        let own = world.backends.audit.records(Some(&flow.entity()), 9).await.unwrap();
        assert_eq!(own.iter().map(|record| record.flow).collect::<Vec<_>>(), [flow.id()]);
        assert_eq!(flow.entity(), Key::new("users", None, "user", "42").in_space(KeySpace::Call));
        assert_eq!(
            graceful::backends::Nexus::trace(&world.backends.nexus, &world.entity()).await.unwrap().len(),
            1
        );
    }
}

#[tokio::test]
async fn heading_of_a_report_does_not_show_a_correlation_id_as_an_id() {
    let world = World::new();
    call(&world, None).await;
    let heading = world.reports.last().heading();
    assert_eq!(heading, "user (no id, correlation id 42): list -> ok OK");
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    assert_eq!(world.reports.last().heading(), "user 42: update -> ok OK");
}

#[tokio::test]
async fn event_of_a_call_has_no_subject() {
    for error in [None, Some(Code::Internal)] {
        let world = World::new();
        let flow = call(&world, error).await;
        let event = world.events().remove(0);
        assert_eq!((event.subject(), event.data().entity_id), (None, None));
        let envelope: serde_json::Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        assert_eq!(envelope.get("subject"), None);
        assert_eq!(envelope["data"]["entity_id"], serde_json::Value::Null);
        assert_eq!(envelope["data"]["correlation_id"], "42");
        assert!(!flow.has_entity());
    }
}

#[tokio::test]
async fn call_leaves_no_metadata_and_is_counted() {
    for (error, pattern) in [(None, "user"), (Some(Code::Internal), "user.error")] {
        let world = World::new();
        for _ in 0..3 {
            call(&world, error).await;
            assert_eq!(world.last(Step::Metadata).1, "skipped: no entity");
        }
        let used = world.patterns().await;
        assert_eq!(used.iter().map(|used| (&*used.pattern, used.count)).collect::<Vec<_>>(), [(pattern, 3)]);
        let flow = world.reports.last().flow().clone();
        assert_eq!(world.metadata(&flow.entity()).await, None);
        assert_eq!(world.metadata(&world.entity()).await, None);
    }
}
