//! The payload is unwrapped from the response types of axum, without an argument.

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{AppendHeaders, IntoResponse},
    routing::get,
};
use graceful::{CallOutcome, Code, axum::Problem, orchestrate};
use graceful_tests::{User, World, ada};
use serde_json::{Value, json};

use super::served;

fn found(id: u64) -> Result<User, Problem> {
    if id == 42 { Ok(ada()) } else { Err(Code::NotFound.into()) }
}

/// A route for each answer around `Json<User>`.
macro_rules! answers {
    ($($route:ident: $answer:ty = |$user:ident| $with:expr;)*) => {
        $(
            #[orchestrate(pattern = "user", cache = id, event = "user_read")]
            async fn $route(Path(id): Path<u64>) -> Result<$answer, Problem> {
                let $user = found(id)?;
                Ok($with)
            }
        )*

        const ROUTES: &[&str] = &[$(stringify!($route)),*];

        fn routes() -> Router {
            Router::new()$(.route(concat!("/", stringify!($route), "/{id}"), get($route)))*
        }
    };
}

type Name = [(&'static str, String); 1];

answers! {
    json: Json<User> = |user| Json(user);
    with_status: (StatusCode, Json<User>) = |user| (StatusCode::CREATED, Json(user));
    with_headers: (HeaderMap, Json<User>) = |user| (HeaderMap::new(), Json(user));
    with_both: (StatusCode, Name, Json<User>) =
        |user| (StatusCode::CREATED, [("x-name", user.name.clone())], Json(user));
    with_more: (StatusCode, Name, AppendHeaders<Name>, HeaderMap, Json<User>) = |user| (
        StatusCode::CREATED,
        [("x-name", user.name.clone())],
        AppendHeaders([("x-name", user.name.clone())]),
        HeaderMap::new(),
        Json(user),
    );
    nested: (StatusCode, (HeaderMap, Json<User>)) = |user| (StatusCode::CREATED, (HeaderMap::new(), Json(user)));
    opaque: impl IntoResponse + use<> = |user| (StatusCode::CREATED, Json(user));
}

#[tokio::test]
async fn payload_is_unwrapped_from_each_response_type() {
    for route in ROUTES {
        let world = World::new();
        let server = served(&world, routes()).await;

        let answer = server.get(&format!("/{route}/42")).await;
        assert!(answer.status().is_success(), "{route}");
        let user = json!({ "id": 42, "name": "Ada" });
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap(), user, "{route}");
        let cached = world.orchestrator.cached::<User>("user", 42).await.unwrap();
        assert_eq!(cached, Some(ada()), "{route}");
        assert_eq!(world.events()[0].data().result.as_json(), user.to_string(), "{route}");

        let answer = server.get(&format!("/{route}/7")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{route}");
        assert_eq!(world.reports.last().flow().ending(), CallOutcome::Err, "{route}");
        assert!(world.events()[1].data().result.is_null(), "{route}");
    }
}

#[orchestrate(pattern = "user", id = id, event = "user_read")]
async fn text(Path(id): Path<u64>) -> Result<(StatusCode, String), Problem> {
    found(id).map(|user| (StatusCode::OK, user.name))
}

#[orchestrate(pattern = "user", id = id, event = "user_read")]
async fn not_serialisable(Path(id): Path<u64>) -> Result<(StatusCode, HeaderMap), Problem> {
    found(id).map(|_| (StatusCode::OK, HeaderMap::new()))
}

/// A response of an unknown type, or without data, has no payload and is still returned.
#[tokio::test]
async fn response_without_a_value_has_no_payload() {
    let routes =
        Router::new().route("/text/{id}", get(text)).route("/not_serialisable/{id}", get(not_serialisable));
    let world = World::new();
    let server = served(&world, routes).await;
    for (count, route) in ["text", "not_serialisable"].into_iter().enumerate() {
        assert!(server.get(&format!("/{route}/42")).await.status().is_success(), "{route}");
        let events = world.events();
        assert_eq!((events.len(), events[count].data().result.is_null()), (count + 1, true), "{route}");
    }
}
