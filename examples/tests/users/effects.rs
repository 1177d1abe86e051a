//! The effects of each step, for each handler and each outcome.

use graceful::Step;

use super::{ADA, ADA_1, databases::Kind, json, with_ada_on};

on_each_database! {
    create_has_the_effects_of_each_outcome
    read_has_the_effects_of_each_outcome
    update_has_the_effects_of_each_outcome
    delete_has_the_effects_of_each_outcome
    broken_database_is_an_internal_error_and_opens_an_incident
}

async fn create_has_the_effects_of_each_outcome(kind: Kind) {
    with_ada_on(kind, async |world| {
        world.last().await.assert_steps([
            (Step::Metadata, "record"),
            // The id was not known before the body, so no value is put.
            (Step::Cache, "forget 1, invalidate (), user 1 -> invalidated"),
            (Step::Graph, "relate succeeded flow"),
            (Step::Schedule, "complete -> no open job"),
            (Step::Event, &format!("emit user_created {ADA_1}")),
            (Step::Nexus, "register user"),
            (Step::Audit, "append"),
            (Step::Alert, "resolve -> no open alert"),
        ]);
        let flow = world.last().await.flow().clone();
        assert_eq!(
            (flow.actor(), flow.context().unwrap().request_id.as_deref()),
            (Some("root"), Some("r-1"))
        );

        // A client's fault: recorded, and nobody is alarmed.
        world.send("root", "POST", "/users", ADA).await;
        world.last().await.assert_steps([
            (Step::Cache, "keep ()"),
            (Step::Graph, "relate failed flow"),
            (Step::Event, "emit user_created.failed null"),
            (Step::Nexus, "register user.error"),
            (Step::Audit, "append"),
        ]);

        // Ours: somebody has to look, until it works again.
        world.send("root", "POST", "/users", r#"{"name":"b","email":"away@example.org"}"#).await;
        world.last().await.assert_step(Step::Schedule, "open -> opened");
        world.last().await.assert_step(Step::Alert, "fire error -> opened");
        world.send("root", "POST", "/users", r#"{"name":"b","email":"b@example.org"}"#).await;
        world.last().await.assert_step(Step::Schedule, "complete -> completed");
        world.last().await.assert_step(Step::Alert, "resolve -> resolved");
    })
    .await;
}

async fn read_has_the_effects_of_each_outcome(kind: Kind) {
    with_ada_on(kind, async |world| {
        world.send("bob", "GET", "/users/1", "").await;
        world.last().await.assert_steps([
            (Step::Cache, &*format!("fill 1 {ADA_1}")),
            (Step::Schedule, "complete -> no open job"),
            (Step::Alert, "resolve -> no open alert"),
        ]);
        world.send("bob", "GET", "/users/7", "").await;
        world.last().await.assert_steps([]);
    })
    .await;
}

async fn update_has_the_effects_of_each_outcome(kind: Kind) {
    with_ada_on(kind, async |world| {
        world.send("ada", "PUT", "/users/1", r#"{"name":"ada","email":"l@example.org"}"#).await;
        let ada = r#"{"id":1,"name":"ada","email":"l@example.org"}"#;
        world.last().await.assert_step(Step::Cache, &format!("put 1, all_users () {ada}"));
        world.last().await.assert_step(Step::Event, &format!("emit user_updated {ada}"));

        world.send("bob", "PUT", "/users/1", ADA).await;
        world.last().await.assert_step(Step::Cache, "keep 1, all_users ()");
        world.last().await.assert_step(Step::Event, "emit user_updated.failed null");
        world.send("ada", "PUT", "/users/1", r#"{"name":"ada","email":"away@example.org"}"#).await;
        world.last().await.assert_step(Step::Cache, "invalidate 1, all_users () -> invalidated");
        world.last().await.assert_step(Step::Alert, "fire error -> opened");
    })
    .await;
}

async fn delete_has_the_effects_of_each_outcome(kind: Kind) {
    with_ada_on(kind, async |world| {
        world.send("ada", "DELETE", "/users/1", "").await;
        world.last().await.assert_step(Step::Cache, "keep 1, all_users ()");
        world.last().await.assert_step(Step::Event, "emit user_deleted.failed null");
        world.send("root", "DELETE", "/users/1", "").await;
        world.last().await.assert_step(Step::Cache, "forget 1, invalidate 1, all_users () -> invalidated");
        world.last().await.assert_step(Step::Event, "emit user_deleted null");
    })
    .await;
}

/// The table is dropped under the running service. That is a server fault, and a client learns nothing but that.
async fn broken_database_is_an_internal_error_and_opens_an_incident(kind: Kind) {
    with_ada_on(kind, async |world| {
        world.database.execute("DROP TABLE users").await;
        for (method, path, body, event) in [
            ("POST", "/users", ADA, "emit user_created.failed null"),
            ("PUT", "/users/1", ADA, "emit user_updated.failed null"),
            ("DELETE", "/users/1", "", "emit user_deleted.failed null"),
            ("GET", "/users/1", "", "off"),
        ] {
            let answer = world.send("root", method, path, body).await;
            assert_eq!((answer.status().as_u16(), &json(&answer)["detail"]), (500, &"internal error".into()));
            let last = world.last().await;
            last.assert_step(Step::Event, event);
            // An incident belongs to its handler: none of another's is repeated.
            last.assert_step(Step::Schedule, "open -> opened");
            last.assert_step(Step::Alert, "fire error -> opened");
        }
    })
    .await;
}
