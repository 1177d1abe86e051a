use axum::{Json, http::StatusCode};
use graceful::{StepErrorKind, orchestrate};
use graceful_testing::Recorder;
use serde::{Deserialize, Serialize};
use tonic::Response;

use super::{Account, PayError, by, refused};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    number: u64,
}

#[orchestrate(pattern = "answer", idempotent = key)]
async fn json(account: &Account, key: u64) -> Result<Json<Receipt>, PayError> {
    Ok(Json(Receipt { number: account.pay() }))
}

#[orchestrate(pattern = "answer", idempotent = key)]
async fn created(account: &Account, key: u64) -> Result<(StatusCode, Json<Receipt>), PayError> {
    Ok((StatusCode::CREATED, Json(Receipt { number: account.pay() })))
}

#[orchestrate(pattern = "answer", idempotent = key)]
async fn response(account: &Account, key: u64) -> Result<Response<Receipt>, PayError> {
    let mut response = Response::new(Receipt { number: account.pay() });
    response.metadata_mut().insert("x-rate", "7".parse().unwrap());
    response.metadata_mut().append("x-rate", "8".parse().unwrap());
    response.metadata_mut().insert_bin("trace-bin", tonic::metadata::MetadataValue::from_bytes(&[0, 255]));
    Ok(response)
}

#[orchestrate(pattern = "answer", event = "sized", idempotent = key)]
async fn sized(account: &Account, size: usize, key: u64) -> Result<String, PayError> {
    account.pay();
    Ok("x".repeat(size))
}

/// It is written as a number, and not read from one.
#[derive(Debug)]
struct OneWay(u64);

impl Serialize for OneWay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for OneWay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|_| Self(0))
    }
}

#[orchestrate(pattern = "answer", idempotent = key)]
async fn one_way(account: &Account, key: u64) -> Result<OneWay, PayError> {
    Ok(OneWay(account.pay()))
}

#[orchestrate(pattern = "answer", idempotent = key)]
async fn not_a_number(account: &Account, key: u64) -> Result<f64, PayError> {
    account.pay();
    Ok(f64::NAN)
}

#[tokio::test]
async fn content_of_json_is_replayed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for _ in 0..2 {
        assert_eq!(by(&recorder, "ada", || json(&account, 1)).await.unwrap().0, Receipt { number: 1 });
    }
}

#[tokio::test]
async fn status_is_replayed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for _ in 0..2 {
        let (status, Json(receipt)) = by(&recorder, "ada", || created(&account, 1)).await.unwrap();
        assert_eq!((status, receipt.number), (StatusCode::CREATED, 1));
    }
}

#[tokio::test]
async fn metadata_of_a_response_is_replayed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for _ in 0..2 {
        let response = by(&recorder, "ada", || response(&account, 1)).await.unwrap();
        assert_eq!(response.get_ref().number, 1);
        let rates: Vec<_> = response.metadata().get_all("x-rate").iter().collect();
        assert_eq!(rates, ["7", "8"]);
        let trace = response.metadata().get_bin("trace-bin").unwrap();
        assert_eq!(trace.to_bytes().unwrap().as_ref(), [0, 255]);
    }
}

#[tokio::test]
async fn answer_that_cannot_be_stored_is_found_at_the_first_call() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for _ in 0..2 {
        let error = by(&recorder, "ada", || sized(&account, 1024 * 1024, 1)).await;
        assert_eq!(refused(error), StepErrorKind::Failed);
    }
    assert_eq!(account.payments(), 1, "the effect exists, so nothing runs again");
    assert_eq!(
        by(&recorder, "ada", || sized(&account, 1024 * 1024 - 2, 2)).await.unwrap().len(),
        1024 * 1024 - 2
    );
    assert_eq!(recorder.flows().len(), 2);
    for _ in 0..2 {
        assert_eq!(refused(by(&recorder, "ada", || one_way(&account, 1)).await), StepErrorKind::Failed);
        assert_eq!(refused(by(&recorder, "ada", || not_a_number(&account, 1)).await), StepErrorKind::Failed);
    }
    assert_eq!(account.payments(), 4);
}

/// A service before and after a deployment.
mod before {
    use super::{Account, Deserialize, PayError, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    pub struct Receipt {
        a: u64,
    }

    #[graceful::orchestrate(pattern = "answer", event = "paid", name = "answers::pay", idempotent = key)]
    pub async fn pay(account: &Account, key: u64) -> Result<Receipt, PayError> {
        Ok(Receipt { a: account.pay() })
    }
}

mod after {
    use super::{Account, Deserialize, PayError, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    pub struct Receipt {
        a: u64,
        b: u64,
    }

    #[graceful::orchestrate(pattern = "answer", event = "paid", name = "answers::pay", idempotent = key)]
    pub async fn pay(account: &Account, key: u64) -> Result<Receipt, PayError> {
        Ok(Receipt { a: account.pay(), b: 0 })
    }
}

#[tokio::test]
async fn stored_answer_that_cannot_be_decoded_is_never_a_miss() {
    let (recorder, account) = (Recorder::new(), Account::default());
    by(&recorder, "ada", || before::pay(&account, 1)).await.unwrap();
    let error = by(&recorder, "ada", || after::pay(&account, 1)).await.unwrap_err();
    assert_eq!(graceful::Classify::code(&error), graceful::Code::Internal);
    assert_eq!((account.payments(), recorder.flows().len()), (1, 1), "neither body nor flow has run");
}
