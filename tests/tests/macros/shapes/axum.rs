//! Handlers of axum in real routes.
#![allow(clippy::diverging_sub_expression, reason = "`#[debug_handler]` raises it")]

use std::{collections::HashMap, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::Body,
    debug_handler,
    extract::{FromRef, Path, Query, State},
    http::{HeaderMap, Request, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use graceful::{CallOutcome, Classify, orchestrate};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

use super::{even, flows};

#[derive(Clone)]
struct App {
    step: u64,
    name: Arc<str>,
}

#[derive(Clone)]
struct Db(u64);

impl FromRef<App> for Db {
    fn from_ref(app: &App) -> Self {
        Self(app.step)
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: u64,
}

#[derive(Debug, Classify)]
enum ApiError {
    #[classify(code = InvalidArgument, message = "odd")]
    Odd,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        StatusCode::BAD_REQUEST.into_response()
    }
}

fn checked(n: u64) -> Result<u64, ApiError> {
    even(n).map_err(|_| ApiError::Odd)
}

#[orchestrate(pattern = "n", id = id)]
async fn by_path(State(app): State<App>, Path(id): Path<u64>) -> Result<Json<User>, ApiError> {
    tokio::task::yield_now().await;
    Ok(Json(User { id: checked(id * app.step)? }))
}

#[debug_handler(state = App)]
#[orchestrate(pattern = "n", id = user.id)]
async fn debug_outside(State(Db(step)): State<Db>, Json(user): Json<User>) -> Result<Json<User>, ApiError> {
    checked(user.id * step)?;
    Ok(Json(user))
}

#[orchestrate(pattern = "n", id = user.id)]
#[debug_handler(state = App)]
async fn debug_inside(State(Db(step)): State<Db>, Json(user): Json<User>) -> Result<Json<User>, ApiError> {
    checked(user.id * step)?;
    Ok(Json(user))
}

#[debug_handler(state = App)]
#[orchestrate(pattern = "n", id = query["id"])]
async fn opaque(
    State(App { name, .. }): State<App>,
    Query(query): Query<HashMap<String, u64>>,
    headers: HeaderMap,
    Extension(Db(step)): Extension<Db>,
    body: String,
) -> Result<impl IntoResponse + use<>, ApiError> {
    assert!(headers.is_empty() && body.is_empty());
    let id = checked(query["id"] * step)?;
    Ok((StatusCode::CREATED, [("x-name", name.to_string())], Json(User { id })))
}

#[orchestrate(pattern = "n", id = result.1.0.id, metadata = serde_json::json!({ "asked": id }))]
async fn tuples(
    Path((id, _)): Path<(u64, String)>,
) -> Result<(StatusCode, Json<User>), (StatusCode, String)> {
    checked(id)
        .map(|id| (StatusCode::OK, Json(User { id })))
        .map_err(|_| (StatusCode::BAD_REQUEST, "odd".to_owned()))
}

#[orchestrate(pattern = "n", id = id)]
async fn responses(Path(id): Path<u64>, request: Request<Body>) -> Result<Response, Response> {
    drop(request);
    match checked(id) {
        Ok(id) => Ok(Json(User { id }).into_response()),
        Err(error) => Err(error.into_response()),
    }
}

#[orchestrate(pattern = "n", id = id)]
async fn the_alias_of_axum(Path(id): Path<u64>) -> axum::response::Result<Json<User>> {
    Ok(Json(User { id: checked(id)? }))
}

#[orchestrate(pattern = "n", id = id.as_ref().map_or(0, |Path(id)| *id))]
async fn fallible_extractor(
    id: Result<Path<u64>, axum::extract::rejection::PathRejection>,
) -> Result<Json<User>, StatusCode> {
    let Path(id) = id.map_err(|_| StatusCode::NOT_FOUND)?;
    checked(id).map(|id| Json(User { id })).map_err(|_| StatusCode::BAD_REQUEST)
}

/// What routes are made of, where the state is generic.
#[orchestrate(pattern = "n", id = id)]
async fn generic<S: Store>(State(store): State<S>, Path(id): Path<u64>) -> Result<Json<User>, ApiError> {
    Ok(Json(User { id: checked(id * store.step())? }))
}

trait Store: Clone + Send + Sync + 'static {
    fn step(&self) -> u64;
}

impl Store for App {
    fn step(&self) -> u64 {
        self.step
    }
}

struct Controller;

#[orchestrate(pattern = "n")]
impl Controller {
    #[orchestrate(id = id)]
    async fn method(Path(id): Path<u64>) -> Result<Json<User>, ApiError> {
        checked(id).map(|id| Json(User { id }))
    }
}

fn app() -> Router {
    Router::new()
        .route("/path/{id}", get(by_path))
        .route("/outside", post(debug_outside))
        .route("/inside", post(debug_inside))
        .route("/opaque", get(opaque))
        .route("/responses/{id}", get(responses))
        .route("/alias/{id}", get(the_alias_of_axum))
        .route("/generic/{id}", get(generic::<App>))
        .route("/fallible/{id}", get(fallible_extractor))
        .route("/method/{id}", get(Controller::method))
        .route("/tuples/{id}/{text}", get(tuples))
        .layer(Extension(Db(1)))
        .with_state(App { step: 1, name: "app".into() })
}

async fn answer(request: Request<Body>) -> (StatusCode, Option<u64>) {
    let response = app().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice::<User>(&body).ok().map(|user| user.id))
}

/// A route that is asked for user 4, and for user 3.
#[track_caller]
fn route(ok: StatusCode, request: impl Fn(u64) -> Request<Body>) {
    let seen = flows(async || {
        assert_eq!(answer(request(4)).await, (ok, Some(4)));
        assert_eq!(answer(request(3)).await, (StatusCode::BAD_REQUEST, None));
    });
    assert_eq!(seen, [(CallOutcome::Ok, "4".to_owned()), (CallOutcome::Err, "3".to_owned())]);
}

fn got(uri: String) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

fn posted(uri: &str, id: u64) -> Request<Body> {
    let body = serde_json::to_vec(&User { id }).unwrap();
    Request::post(uri).header("content-type", "application/json").body(body.into()).unwrap()
}

#[test]
fn routes() {
    route(StatusCode::OK, |n| got(format!("/path/{n}")));
    route(StatusCode::OK, |n| posted("/outside", n));
    route(StatusCode::OK, |n| posted("/inside", n));
    route(StatusCode::CREATED, |n| got(format!("/opaque?id={n}")));
    route(StatusCode::OK, |n| got(format!("/responses/{n}")));
    route(StatusCode::OK, |n| got(format!("/alias/{n}")));
    route(StatusCode::OK, |n| got(format!("/generic/{n}")));
    route(StatusCode::OK, |n| got(format!("/fallible/{n}")));
    route(StatusCode::OK, |n| got(format!("/method/{n}")));
}

#[test]
fn key_from_the_result_is_used_in_a_route() {
    let seen = flows(async || {
        assert_eq!(answer(got("/tuples/4/x".to_owned())).await, (StatusCode::OK, Some(4)));
        assert_eq!(answer(got("/tuples/3/x".to_owned())).await, (StatusCode::BAD_REQUEST, None));
    });
    assert_eq!((seen[0].0, seen[0].1.as_str()), (CallOutcome::Ok, "4"));
    assert_eq!((seen.len(), seen[1].0), (2, CallOutcome::Err));
}
