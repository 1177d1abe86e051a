use graceful::{CallOutcome, Code};
use serde_json::json;

use super::{ADA, ADA_1, World, databases::Kind, json, on, with_ada_on};

on_each_database! {
    create_read_update_delete
    refused_request_is_a_problem_with_its_code
    malformed_request_is_a_problem_without_a_flow
    read_is_answered_from_the_cache_until_the_user_changes
    page_is_answered_from_the_cache_until_any_user_changes
    hit_is_refused_to_anonymous_callers
    creation_is_repeated_without_a_second_user
}

async fn create_read_update_delete(kind: Kind) {
    with_ada_on(kind, async |world| {
        let ended = async || world.last().await.flow().ending();
        let read = world.send("bob", "GET", "/users/1", "").await;
        assert_eq!(
            (read.status().as_u16(), read.body().as_str(), ended().await),
            (200, ADA_1, CallOutcome::Ok)
        );
        let update =
            world.send("ada", "PUT", "/users/1", r#"{"name":"ada-l","email":"l@example.org"}"#).await;
        let updated = json!({ "id": 1, "name": "ada-l", "email": "l@example.org" });
        assert_eq!((json(&update), ended().await), (updated.clone(), CallOutcome::Ok));
        assert_eq!(json(&world.ask("bob", "GET", "/users/1", "").await), updated);
        let delete = world.send("root", "DELETE", "/users/1", "").await;
        assert_eq!(
            (delete.status().as_u16(), delete.body().as_str(), ended().await),
            (204, "", CallOutcome::Ok)
        );
        let gone = world.send("root", "GET", "/users/1", "").await;
        assert_eq!((gone.status().as_u16(), ended().await), (404, CallOutcome::Err));
    })
    .await;
}

async fn refused_request_is_a_problem_with_its_code(kind: Kind) {
    with_ada_on(kind, async |world| {
        let bob = world.send("root", "POST", "/users", r#"{"name":"bob","email":"bob@example.org"}"#).await;
        assert_eq!(json(&bob)["id"], 2);
        world.last().await;
        for (who, method, path, body, code, detail) in [
            ("nobody", "POST", "/users", ADA, Code::Unauthenticated, "say who you are"),
            ("ada", "POST", "/users", ADA, Code::PermissionDenied, "you may not do that"),
            ("bob", "PUT", "/users/1", ADA, Code::PermissionDenied, "you may not do that"),
            ("ada", "DELETE", "/users/1", "", Code::PermissionDenied, "you may not do that"),
            ("root", "POST", "/users", ADA, Code::AlreadyExists, "the name ada is taken"),
            ("bob", "PUT", "/users/2", ADA, Code::AlreadyExists, "the name ada is taken"),
            ("root", "POST", "/users", r#"{"name":"","email":"a@b.c"}"#, Code::InvalidArgument, NAME),
            ("root", "POST", "/users", r#"{"name":"a b","email":"a@b.c"}"#, Code::InvalidArgument, NAME),
            ("root", "POST", "/users", r#"{"name":"b","email":"b"}"#, Code::InvalidArgument, MAIL),
            ("root", "PUT", "/users/7", ADA, Code::NotFound, "no user 7"),
            ("root", "GET", "/users/7", "", Code::NotFound, "no user 7"),
            ("root", "DELETE", "/users/7", "", Code::NotFound, "no user 7"),
            (
                "root",
                "POST",
                "/users",
                r#"{"name":"b","email":"away@example.org"}"#,
                Code::Unavailable,
                "unavailable",
            ),
        ] {
            let answer = world.send(who, method, path, body).await;
            let told = (answer.status().as_u16(), json(&answer));
            assert_eq!(told.0, code.http_status(), "{who} {method} {path} {body}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            assert_eq!(
                [&told.1["code"], &told.1["detail"], &told.1["request_id"]],
                [&json!(code.as_str()), &json!(detail), &json!("r-1")],
                "{who} {method} {path} {body}"
            );
            assert_eq!(world.last().await.flow().code(), code);
        }
    })
    .await;
}

const NAME: &str = "a name is 1 to 40 letters, digits or `-`";
const MAIL: &str = "no mail gets through to this address";

/// A request that cannot be parsed does not reach a handler.
async fn malformed_request_is_a_problem_without_a_flow(kind: Kind) {
    on(kind, async |world| {
        for (method, path, body) in
            [("POST", "/users", "{"), ("POST", "/users", "{}"), ("PUT", "/users/x", ADA)]
        {
            let answer = world.send("root", method, path, body).await;
            assert_eq!(
                (answer.status().as_u16(), json(&answer)["code"].as_str()),
                (400, Some("INVALID_ARGUMENT"))
            );
        }
        assert!(world.recorder.flows().is_empty());
    })
    .await;
}

/// How many reads were answered from the cache.
fn hits(world: &World) -> usize {
    world.recorder.hits().len()
}

async fn read_is_answered_from_the_cache_until_the_user_changes(kind: Kind) {
    with_ada_on(kind, async |world| {
        assert_eq!((world.send("bob", "GET", "/users/1", "").await.body().as_str(), hits(world)), (ADA_1, 0));
        assert_eq!((world.ask("ada", "GET", "/users/1", "").await.body().as_str(), hits(world)), (ADA_1, 1));
        world.send("root", "DELETE", "/users/1", "").await;
        assert_eq!((world.send("bob", "GET", "/users/1", "").await.status().as_u16(), hits(world)), (404, 1));
    })
    .await;
}

async fn page_is_answered_from_the_cache_until_any_user_changes(kind: Kind) {
    with_ada_on(kind, async |world| {
        let names = |answer| {
            let users = json(&answer).as_array().unwrap().clone();
            users.iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(world.send("bob", "GET", "/users/pages/0", "").await), ["ada"]);
        assert_eq!(names(world.ask("ada", "GET", "/users/pages/0", "").await), ["ada"]);
        assert_eq!(hits(world), 1);
        world.send("root", "POST", "/users", r#"{"name":"aaron","email":"aaron@example.org"}"#).await;
        assert_eq!(names(world.send("bob", "GET", "/users/pages/0", "").await), ["aaron", "ada"]);
        let renamed = r#"{"name":"zoe","email":"aaron@example.org"}"#;
        world.send("root", "PUT", "/users/2", renamed).await;
        assert_eq!(names(world.send("bob", "GET", "/users/pages/0", "").await), ["ada", "zoe"]);
        world.send("root", "DELETE", "/users/2", "").await;
        assert_eq!(names(world.send("bob", "GET", "/users/pages/0", "").await), ["ada"]);
        assert_eq!(hits(world), 1);
    })
    .await;
}

async fn hit_is_refused_to_anonymous_callers(kind: Kind) {
    with_ada_on(kind, async |world| {
        for path in ["/users/1", "/users/pages/0"] {
            world.send("bob", "GET", path, "").await;
            let refused = world.ask("nobody", "GET", path, "").await;
            assert_eq!((refused.status().as_u16(), hits(world)), (401, 0));
        }
        assert_eq!(world.flows().await.len(), 3);
    })
    .await;
}

async fn creation_is_repeated_without_a_second_user(kind: Kind) {
    on(kind, async |world| {
        let create = async |who, key, body: &str| world.create(who, key, body).await;
        let first = create("root", "k-1", ADA).await;
        assert_eq!((first.status().as_u16(), first.body().as_str()), (201, ADA_1));
        let again = create("root", "k-1", ADA).await;
        assert_eq!((again.status(), again.body()), (first.status(), first.body()));
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        let bob = r#"{"name":"bob","email":"bob@example.org"}"#;
        let other = create("root", "k-1", bob).await;
        assert_eq!((other.status().as_u16(), &json(&other)["code"]), (422, &json!("INVALID_ARGUMENT")));
        assert_eq!(create("ada", "k-1", ADA).await.status(), 403, "the key is another caller's");
        assert_eq!(json(&create("root", "k-2", bob).await)["id"], 2);
    })
    .await;
}
