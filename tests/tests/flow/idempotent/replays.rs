use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use graceful::{Step, StepErrorKind, orchestrate};
use graceful_testing::Recorder;
use serde::{Deserialize, Serialize};

use super::{Account, PayError, by, refused};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    number: u64,
    /// It is not part of the answer.
    #[serde(skip)]
    secret: String,
}

#[orchestrate(pattern = "payment", id = key, event = "paid", idempotent = key)]
async fn pay(account: &Account, key: &str) -> Result<Receipt, PayError> {
    Ok(Receipt { number: account.pay(), secret: "hunter2".to_owned() })
}

#[orchestrate(pattern = "payment", event = "paid", idempotent(key = key, window = "1h"))]
async fn pay_within_an_hour(account: &Account, key: Option<u64>) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "payment", idempotent = "{account_name}/{key}", when = account_name != "test")]
async fn pay_for(account: &Account, account_name: &str, key: u64) -> Result<u64, PayError> {
    let _ = key;
    match account.pay() {
        number if account_name == "poor" && number == 1 => Err(PayError::NoFunds),
        number => Ok(number),
    }
}

#[tokio::test]
async fn repetition_gets_the_first_answer_without_body_and_flow() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let first = by(&recorder, "ada", || pay(&account, "k")).await.unwrap();
    assert_eq!(first, Receipt { number: 1, secret: String::new() }, "the first caller gets what is stored");
    assert_eq!(by(&recorder, "ada", || pay(&account, "k")).await.unwrap(), first);
    assert_eq!(account.payments(), 1);
    recorder.only().assert_step(Step::Event, "emit paid {\"number\":1}");
    assert_eq!(by(&recorder, "ada", || pay(&account, "l")).await.unwrap().number, 2, "another key");
}

#[tokio::test]
async fn call_without_key_is_plain() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for number in 1..=2 {
        // It needs no actor either.
        assert_eq!(recorder.run(pay_within_an_hour(&account, None)).await.unwrap(), number);
    }
    assert_eq!(recorder.flows().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn answer_is_replayed_until_its_window_has_passed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let call = || by(&recorder, "ada", || pay_within_an_hour(&account, Some(7)));
    assert_eq!(call().await.unwrap(), 1);
    tokio::time::advance(Duration::from_secs(3_599)).await;
    assert_eq!(call().await.unwrap(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(call().await.unwrap(), 2);
}

#[tokio::test]
async fn error_releases_the_key() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let call = || by(&recorder, "ada", || pay_for(&account, "poor", 1));
    assert!(matches!(call().await, Err(PayError::NoFunds)));
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(account.payments(), 2);
}

#[tokio::test]
async fn call_whose_when_is_false_is_plain() {
    let (recorder, account) = (Recorder::new(), Account::default());
    for number in 1..=2 {
        assert_eq!(by(&recorder, "ada", || pay_for(&account, "test", 1)).await.unwrap(), number);
    }
    assert!(recorder.flows().is_empty());
}

#[tokio::test]
async fn parts_of_a_template_are_told_apart() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(by(&recorder, "ada", || pay_for(&account, "a", 11)).await.unwrap(), 1);
    assert_eq!(by(&recorder, "ada", || pay_for(&account, "a/1", 1)).await.unwrap(), 2);
    assert_eq!(by(&recorder, "ada", || pay_for(&account, "a", 11)).await.unwrap(), 1);
}

#[orchestrate(pattern = "payment", idempotent = key, when = flag.fetch_xor(true, Ordering::SeqCst))]
async fn pay_by_flag(account: &Account, flag: &AtomicBool, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

/// It is evaluated more than once.
#[tokio::test]
async fn when_that_changes_is_a_plain_call() {
    let (recorder, account, flag) = (Recorder::new(), Account::default(), AtomicBool::new(true));
    for number in 1..=2 {
        flag.store(true, Ordering::SeqCst);
        assert_eq!(by(&recorder, "ada", || pay_by_flag(&account, &flag, 1)).await.unwrap(), number);
    }
}

/// It is not `Serialize` in every call.
struct Odd;

impl Serialize for Odd {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("odd"))
    }
}

#[orchestrate(pattern = "payment", idempotent(key = key, request = request))]
async fn pay_oddly(account: &Account, request: &Odd, key: Option<u64>) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[tokio::test]
async fn request_of_a_call_without_key_is_not_read() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(recorder.run(pay_oddly(&account, &Odd, None)).await.unwrap(), 1);
    assert_eq!(refused(recorder.run(pay_oddly(&account, &Odd, Some(1))).await), StepErrorKind::Argument);
    assert_eq!(account.payments(), 1);
}
