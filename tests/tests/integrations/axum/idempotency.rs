//! The header `Idempotency-Key`: missing, invalid, replayed, in use, and used for another request.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Json, Router, extract::State, routing::post};
use graceful::{
    axum::Problem,
    idempotency::{IdempotencyKey, Refusal},
    orchestrate,
    tower::{ContextLayer, ReplayLayer},
};
use graceful_tests::{
    Gate, World,
    http::{Server, serve},
};
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    number: u64,
}

#[derive(Clone)]
struct Shop {
    orders: Arc<AtomicU64>,
    gate: Arc<Gate>,
}

impl Shop {
    async fn order(&self, order: &Order) -> Receipt {
        let number = self.orders.fetch_add(1, Ordering::SeqCst) + 1;
        if order.item == "slow" {
            self.gate.pass().await;
        }
        Receipt { number }
    }
}

type Created = (StatusCode, Json<Receipt>);

#[orchestrate(pattern = "order", id = result.1.number, event = "ordered", idempotent(key = key, request = order))]
async fn create(
    State(shop): State<Shop>,
    key: IdempotencyKey,
    Json(order): Json<Order>,
) -> Result<Created, Problem> {
    Ok((StatusCode::CREATED, Json(shop.order(&order).await)))
}

#[orchestrate(pattern = "order", id = result.1.number, idempotent(key = key, request = order))]
async fn create_maybe(
    State(shop): State<Shop>,
    key: Option<IdempotencyKey>,
    Json(order): Json<Order>,
) -> Result<Created, Problem> {
    Ok((StatusCode::CREATED, Json(shop.order(&order).await)))
}

async fn served() -> (World, Server, Shop) {
    let world = World::new();
    let shop = Shop { orders: Arc::default(), gate: Arc::new(Gate::closed()) };
    let routes = Router::new()
        .route("/orders", post(create))
        .route("/maybe", post(create_maybe))
        .with_state(shop.clone())
        .layer(ReplayLayer::new())
        .layer(ContextLayer::new().on(&world.orchestrator));
    (world, serve(routes).await, shop)
}

fn order(path: &str, keys: &[&str], item: &str) -> Request<String> {
    let mut request = Request::post(path).header("content-type", "application/json");
    for key in keys {
        request = request.header("Idempotency-Key", *key);
    }
    request.body(serde_json::to_string(&Order { item: item.to_owned() }).unwrap()).unwrap()
}

#[track_caller]
fn assert_refused(answer: &Response<String>, refusal: Refusal) {
    let problem: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(answer.status(), refusal.http_status(), "{problem}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(problem["type"], refusal.problem_type());
    assert_eq!(
        (&problem["title"], &problem["code"]),
        (&refusal.title().into(), &refusal.code().as_str().into())
    );
    assert_eq!(problem["status"], refusal.http_status());
    let retried = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
    assert_eq!(retried, refusal.retry_after().map(|after| after.as_secs().to_string()));
}

#[tokio::test]
async fn repetition_gets_the_first_response_with_a_header() {
    let (world, server, shop) = served().await;
    let first = server.send(order("/orders", &["\"k\""], "tea")).await;
    assert_eq!((first.status(), first.body().as_str()), (StatusCode::CREATED, r#"{"number":1}"#));
    assert!(!first.headers().contains_key("idempotency-replayed"));
    // With or without quotes, it is the same key.
    let again = server.send(order("/orders", &["k"], "tea")).await;
    assert_eq!((again.status(), again.body()), (first.status(), first.body()));
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(shop.orders.load(Ordering::SeqCst), 1);
    assert_eq!(world.reports.count(), 1);
}

#[tokio::test]
async fn missing_or_invalid_key_is_a_problem_of_its_own() {
    let (_world, server, shop) = served().await;
    assert_refused(&server.send(order("/orders", &[], "tea")).await, Refusal::KeyMissing);
    let long = "x".repeat(256);
    for keys in [&[""] as &[&str], &["\"\""], &["\"k"], &["k", "k"], &[&long]] {
        assert_refused(&server.send(order("/orders", keys, "tea")).await, Refusal::KeyInvalid);
        assert_refused(&server.send(order("/maybe", keys, "tea")).await, Refusal::KeyInvalid);
    }
    assert_eq!(shop.orders.load(Ordering::SeqCst), 0);
    for number in 1..=2 {
        let answer = server.send(order("/maybe", &[], "tea")).await;
        assert_eq!(answer.body(), &format!("{{\"number\":{number}}}"), "without a key it is a plain call");
    }
}

#[tokio::test]
async fn other_request_and_running_call_are_problems_of_their_own() {
    let (world, server, shop) = served().await;
    let first = tokio::spawn({
        let server = server.clone();
        async move { server.send(order("/orders", &["k"], "slow")).await }
    });
    shop.gate.reached().await;
    assert_refused(&server.send(order("/orders", &["k"], "slow")).await, Refusal::Running);
    assert_refused(&server.send(order("/orders", &["k"], "tea")).await, Refusal::DifferentRequest);
    shop.gate.open_for(9);
    assert_eq!(first.await.unwrap().status(), StatusCode::CREATED);
    assert_refused(&server.send(order("/orders", &["k"], "tea")).await, Refusal::DifferentRequest);
    assert_eq!(world.reports.count(), 1, "a refusal runs no flow");
}
