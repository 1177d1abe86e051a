//! Errors become problem details of RFC 9457, for every code.

use axum::{Router, extract::Path, response::IntoResponse, routing::get};
use graceful::{CallOutcome, Classify, Code, Step, StepError, axum::Problem, orchestrate};
use graceful_tests::{World, hooks};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::served;

#[derive(Debug, Classify)]
enum OrderError {
    #[classify(code = FailedPrecondition, message = "order {id} is closed")]
    Closed { id: u64 },
    #[classify(transparent)]
    Storage(std::io::Error),
    #[classify(code = Unavailable, message = "come back later")]
    #[expect(dead_code, reason = "what it knows must not be told")]
    Password(&'static str),
}

fn order(id: u64) -> Result<u64, OrderError> {
    match id {
        1 => Err(OrderError::Closed { id }),
        2 => Err(OrderError::Storage(std::io::Error::other("disk /dev/sda1 is broken"))),
        3 => Err(OrderError::Password("hunter2")),
        _ => Ok(id),
    }
}

#[orchestrate(pattern = "order", id = id, event = "order_closed")]
async fn with_question_mark(Path(id): Path<u64>) -> Result<String, Problem> {
    Ok(order(id)?.to_string())
}

impl IntoResponse for OrderError {
    fn into_response(self) -> axum::response::Response {
        Problem::of(&self).into_response()
    }
}

#[orchestrate(pattern = "order", id = id, event = "order_closed")]
async fn as_its_own_response(Path(id): Path<u64>) -> Result<String, OrderError> {
    order(id).map(|id| id.to_string())
}

#[orchestrate(pattern = "order", id = id, audit(with = hooks::fails, required))]
async fn required(Path(id): Path<u64>) -> Result<String, Problem> {
    Ok(order(id)?.to_string())
}

#[orchestrate(pattern = "code", id = number)]
async fn code(Path(number): Path<usize>) -> Result<String, Problem> {
    Err(Code::ALL[number].into())
}

fn routes() -> Router {
    Router::new()
        .route("/with_question_mark/{id}", get(with_question_mark))
        .route("/as_its_own_response/{id}", get(as_its_own_response))
        .route("/required/{id}", get(required))
        .route("/code/{number}", get(code))
}

#[track_caller]
fn problem(answer: &http::Response<String>) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    serde_json::from_str(answer.body()).unwrap()
}

#[tokio::test]
async fn error_is_a_problem_with_its_classification_and_nothing_else() {
    for route in ["with_question_mark", "as_its_own_response"] {
        let world = World::new();
        let server = served(&world, routes()).await;
        for (id, status, title, detail, code) in [
            (1, 400, "Bad Request", "order 1 is closed", Code::FailedPrecondition),
            (2, 500, "Internal Server Error", "internal error", Code::Internal),
            (3, 503, "Service Unavailable", "come back later", Code::Unavailable),
        ] {
            let request = Request::get(format!("/{route}/{id}")).header("x-request-id", "r-1");
            let answer = server.send(request.body(String::new()).unwrap()).await;
            assert_eq!(answer.status(), status, "{route}");
            assert_eq!(answer.headers()["x-request-id"], "r-1");
            assert_eq!(
                problem(&answer),
                json!({ "status": status, "title": title, "detail": detail, "code": code.as_str(), "request_id": "r-1" })
            );
            let flow = world.reports.last().flow().clone();
            assert_eq!(
                (flow.ending(), flow.code(), flow.message()),
                (CallOutcome::Err, code, detail),
                "{route}"
            );
            let data = world.events().pop().unwrap();
            assert_eq!((data.name(), data.data().message), ("order_closed.failed", detail));
        }
        let answer = server.get(&format!("/{route}/4")).await;
        assert_eq!((answer.status(), answer.body().as_str()), (StatusCode::OK, "4"));
        assert_eq!(world.reports.last().flow().ending(), CallOutcome::Ok);
    }
}

/// A user who reports the error can quote the id, whether the client sent it or the layer generated it.
#[tokio::test]
async fn request_id_of_the_body_is_that_of_the_header() {
    let world = World::new();
    let answer = served(&world, routes()).await.get("/with_question_mark/1").await;
    assert_eq!(problem(&answer)["request_id"], answer.headers()["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn problem_without_the_layer_has_no_request_id() {
    let answer = graceful_tests::http::serve(routes()).await.get("/with_question_mark/1").await;
    assert!(!answer.headers().contains_key("x-request-id"));
    assert_eq!(problem(&answer).as_object().unwrap().keys().count(), 4);
}

#[tokio::test]
async fn every_code_has_its_status() {
    let world = World::new();
    let server = served(&world, routes()).await;
    for code in Code::ALL {
        let answer = server.get(&format!("/code/{}", code as u8)).await;
        assert_eq!(answer.status(), code.http_status());
        let problem = problem(&answer);
        assert_eq!((&problem["code"], &problem["detail"]), (&json!(code.as_str()), &json!(code.text())));
        assert_eq!(problem["status"], code.http_status());
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert_eq!(world.reports.last().flow().code(), code);
    }
}

/// The failure of a required step becomes the response to the client.
#[tokio::test]
async fn failed_required_step_is_a_problem() {
    let world = World::new();
    let answer = served(&world, routes()).await.get("/required/4").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(problem(&answer)["detail"], "internal error");
    assert_eq!(world.last(Step::Audit).1, "FAILED: the hook failed");
}

#[test]
fn every_classified_error_becomes_a_problem() {
    fn all() -> Result<(), Problem> {
        "x".parse::<u64>()?;
        Ok(())
    }
    assert_eq!(all().unwrap_err().code(), Code::InvalidArgument);
    let step: Problem = StepError::new("the table is locked").into();
    assert_eq!((step.code(), step.message()), (Code::Internal, "internal error"));
    let own: Problem = OrderError::Closed { id: 9 }.into();
    assert_eq!(own.message(), "order 9 is closed");
}
