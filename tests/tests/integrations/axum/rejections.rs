//! A handler may take the `Result` of an extractor and return the rejection as a problem. Its flow then has the code of the
//! rejection.

use axum::{
    Json, Router,
    extract::{
        Path,
        rejection::{JsonRejection, PathRejection},
    },
    routing::post,
};
use graceful::{Code, axum::Problem, orchestrate};
use graceful_tests::{User, World};
use http::{Request, StatusCode};

use super::served;

#[orchestrate(pattern = "user", id = 42)]
async fn create(
    path: Result<Path<u64>, PathRejection>,
    user: Result<Json<User>, JsonRejection>,
) -> Result<(StatusCode, Json<User>), Problem> {
    path?;
    Ok((StatusCode::CREATED, user?))
}

#[tokio::test]
async fn rejection_is_a_client_fault() {
    let world = World::new();
    let server = served(&world, Router::new().route("/users/{id}", post(create))).await;
    let user = r#"{"id":42,"name":"Ada"}"#;
    for (path, kind, body, status, code) in [
        ("1", "application/json", user, StatusCode::CREATED, Code::Ok),
        ("1", "application/json", "{", StatusCode::BAD_REQUEST, Code::InvalidArgument),
        ("1", "application/json", "{}", StatusCode::BAD_REQUEST, Code::InvalidArgument),
        ("1", "text/plain", user, StatusCode::BAD_REQUEST, Code::InvalidArgument),
        ("x", "application/json", user, StatusCode::BAD_REQUEST, Code::InvalidArgument),
    ] {
        let request = Request::post(format!("/users/{path}")).header("content-type", kind);
        let answer = server.send(request.body(body.to_owned()).unwrap()).await;
        assert_eq!(
            (answer.status(), world.reports.last().flow().code()),
            (status, code),
            "{path} {kind} {body}"
        );
    }
}
