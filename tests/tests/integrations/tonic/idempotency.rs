//! The metadata `idempotency-key`, and the refusals as statuses with details.

use graceful::{
    idempotency::{IdempotencyKey, Refusal},
    orchestrate,
    tonic::{idempotency_key, required_idempotency_key},
};
use graceful_tests::{Gate, World};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use super::service::{Id, User};

#[orchestrate(pattern = "user", id = request.get_ref().id, idempotent(key = key, request = request.get_ref().id))]
async fn create(
    gate: &Gate,
    key: Option<IdempotencyKey>,
    request: Request<Id>,
) -> Result<Response<User>, Status> {
    gate.pass().await;
    let mut response = Response::new(User { id: request.get_ref().id, name: "Ada".to_owned() });
    response.metadata_mut().insert("x-revision", "7".parse().unwrap());
    Ok(response)
}

async fn called(gate: &Gate, request: Request<Id>) -> Result<Response<User>, Status> {
    let key = idempotency_key(&request)?;
    create(gate, key, request).await
}

fn request(id: u64, key: &str) -> Request<Id> {
    let mut request = Request::new(Id { id });
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[track_caller]
fn assert_refused(answer: Result<Response<User>, Status>, refusal: Refusal) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::from_i32(refusal.code() as i32));
    let details = status.check_error_details().unwrap();
    let reason = format!("IDEMPOTENCY_{}", refusal.as_str().to_uppercase());
    assert_eq!(details.error_info().unwrap().reason, reason);
    let retried = details.retry_info().and_then(|info| info.retry_delay);
    assert_eq!(retried, refusal.retry_after());
}

#[tokio::test]
async fn repetition_gets_the_first_response_with_its_metadata() {
    let (world, gate) = (World::new(), Gate::closed());
    gate.open_for(9);
    for _ in 0..2 {
        let answer = world.orchestrator.scope(async { called(&gate, request(1, "k")).await }).await.unwrap();
        assert_eq!(answer.metadata().get("x-revision").unwrap(), "7");
        assert_eq!(answer.into_inner().name, "Ada");
    }
    assert_eq!(world.reports.count(), 1);
}

#[tokio::test]
async fn refusals_are_statuses_with_details() {
    let (world, gate) = (World::new(), Gate::closed());
    let call = |id, key| world.orchestrator.scope(called(&gate, request(id, key)));
    assert_refused(call(1, "").await, Refusal::KeyInvalid);
    let missing = world
        .orchestrator
        .scope(async { required_idempotency_key(&Request::new(())).map(|_| unreachable!()) });
    assert_refused(missing.await, Refusal::KeyMissing);
    let (first, ()) = tokio::join!(call(1, "k"), async {
        gate.reached().await;
        assert_refused(call(1, "k").await, Refusal::Running);
        assert_refused(call(2, "k").await, Refusal::DifferentRequest);
        gate.open_for(9);
    });
    assert!(first.is_ok());
}
