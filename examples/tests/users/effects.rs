//! What each step did, for each handler and each outcome.

use graceful::Step;

use super::{ADA, ADA_1, World};

#[tokio::test]
async fn of_create() {
    let world = World::with_ada().await;
    world.last().assert_steps([
        (Step::Metadata, "record"),
        (Step::Cache, &format!("put 1 {ADA_1}")),
        (Step::Graph, "relate succeeded flow"),
        (Step::Schedule, "complete -> nothing open"),
        (Step::Event, &format!("emit user_created {ADA_1}")),
        (Step::Nexus, "register user"),
        (Step::Audit, "append"),
        (Step::Alert, "resolve -> nothing open"),
    ]);
    let flow = world.last().flow().clone();
    assert_eq!((flow.actor(), flow.context().unwrap().request_id.as_deref()), (Some("root"), Some("r-1")));

    // A client's fault: recorded, and nobody is alarmed.
    world.send("root", "POST", "/users", ADA).await;
    world.last().assert_steps([
        (Step::Metadata, "record"),
        (Step::Graph, "relate failed flow"),
        (Step::Event, "emit user_created.failed null"),
        (Step::Nexus, "register user.error"),
        (Step::Audit, "append"),
    ]);

    // Ours: somebody has to look, until it works again.
    world.send("root", "POST", "/users", r#"{"name":"b","email":"away@example.org"}"#).await;
    world.last().assert_step(Step::Schedule, "open -> opened");
    world.last().assert_step(Step::Alert, "fire error -> opened");
    world.send("root", "POST", "/users", r#"{"name":"b","email":"b@example.org"}"#).await;
    world.last().assert_step(Step::Schedule, "complete -> completed");
    world.last().assert_step(Step::Alert, "resolve -> resolved");
}

#[tokio::test]
async fn of_read() {
    let world = World::with_ada().await;
    world.send("bob", "GET", "/users/1", "").await;
    world.last().assert_step(Step::Cache, &format!("put 1 {ADA_1}"));
    world.last().assert_step(Step::Event, "skipped: no event");
    world.send("nobody", "GET", "/users/1", "").await;
    world.last().assert_step(Step::Cache, "kept");
    world.last().assert_step(Step::Audit, "append");
}

#[tokio::test]
async fn of_update() {
    let world = World::with_ada().await;
    world.send("ada", "PUT", "/users/1", r#"{"name":"ada","email":"l@example.org"}"#).await;
    let ada = r#"{"id":1,"name":"ada","email":"l@example.org"}"#;
    world.last().assert_step(Step::Cache, &format!("put 1 {ada}"));
    world.last().assert_step(Step::Event, &format!("emit user_updated {ada}"));

    world.send("bob", "PUT", "/users/1", ADA).await;
    world.last().assert_step(Step::Cache, "kept: the state is untouched");
    world.last().assert_step(Step::Event, "emit user_updated.failed null");
    world.send("ada", "PUT", "/users/1", r#"{"name":"ada","email":"away@example.org"}"#).await;
    world.last().assert_step(Step::Cache, "invalidate 1");
    world.last().assert_step(Step::Alert, "fire error -> opened");
}

#[tokio::test]
async fn of_delete() {
    let world = World::with_ada().await;
    world.send("ada", "DELETE", "/users/1", "").await;
    world.last().assert_step(Step::Cache, "kept: the state is untouched");
    world.last().assert_step(Step::Event, "emit user_deleted.failed null");
    world.send("root", "DELETE", "/users/1", "").await;
    world.last().assert_step(Step::Cache, "forget 1, invalidate 1");
    world.last().assert_step(Step::Event, "emit user_deleted null");
}
