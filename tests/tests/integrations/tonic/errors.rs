use graceful::{CallOutcome, Classify as _, Code, Orchestrator, axum::Problem, tonic::status};
use graceful_tests::World;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::{served, service::Id};

fn asked(id: u64) -> Request<Id> {
    let mut request = Request::new(Id { id });
    request.metadata_mut().insert("x-request-id", "r-1".parse().unwrap());
    request
}

#[tokio::test]
async fn error_is_a_status_with_details_and_nothing_else() {
    let world = World::new();
    let (mut client, _) = served(&world).await;
    for (id, code, message) in [(1, Code::NotFound, "no user 1"), (2, Code::Internal, "internal error")] {
        let error = client.get(asked(id)).await.unwrap_err();
        assert_eq!((error.code() as i32, error.message()), (code as i32, message));
        assert_eq!(error.metadata().get("x-request-id").unwrap(), "r-1");

        let details = error.check_error_details().unwrap();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (code.as_str(), "users"));
        assert!(info.metadata.is_empty());
        let request = details.request_info().unwrap();
        assert_eq!((request.request_id.as_str(), request.serving_data.as_str()), ("r-1", ""));
        assert!(!format!("{error:?}").contains("sda1"), "nothing of the error's own text");

        let flow = world.reports.last().flow().clone();
        assert_eq!((flow.ending(), flow.code()), (CallOutcome::Err, code));
        // The other way round: what a client got is classified.
        assert_eq!(error.code(), tonic::Code::from_i32(code as i32));
        assert_eq!(Problem::of(&error).code(), code);
    }
}

#[tokio::test]
async fn payload_of_a_success_is_the_message_of_the_response() {
    let world = World::new();
    let (mut client, _) = served(&world).await;
    let answer = client.get(asked(42)).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "r-1");
    assert_eq!(answer.into_inner().name, "Ada");
    let flow = world.reports.only().flow().clone();
    assert_eq!((flow.ending(), flow.payload().as_json()), (CallOutcome::Ok, r#"{"id":42,"name":"Ada"}"#));
}

#[test]
fn every_code_converts_to_a_status_and_back() {
    for code in Code::ALL {
        let status = status(code);
        assert_eq!((status.code() as u8, status.message()), (code as u8, code.text()));
        assert_eq!(graceful::Classify::code(&status), code);
    }
}

/// Outside of a flow, neither a service nor a request id is known.
#[test]
fn status_details_hold_what_is_known() {
    let details = status(Code::NotFound).get_error_details();
    assert!(details.error_info().is_none() && details.request_info().is_none());
    let orchestrator = Orchestrator::builder().service("users").build().unwrap();
    let details = orchestrator.sync_scope(|| status(Code::NotFound)).get_error_details();
    assert!(details.error_info().is_some() && details.request_info().is_none());
}

/// The message of another service's status is not shown to our client.
#[test]
fn downstream_status_is_classified_by_its_code() {
    let downstream = Status::unavailable("10.0.0.7 refused");
    assert_eq!(downstream.message(), "10.0.0.7 refused");
    assert_eq!(graceful::Classify::message(&downstream), "unavailable");
    assert_eq!(status(&downstream).message(), "unavailable");
    assert_eq!(Problem::of(&downstream).message(), "unavailable");
    assert!(Code::Unavailable.code().retryable());
}
