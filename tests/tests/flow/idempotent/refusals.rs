use std::sync::Arc;

use graceful::{Orchestrator, Step, StepError, StepErrorKind, orchestrate};
use graceful_testing::Recorder;
use tokio::sync::Notify;

use super::{Account, PayError, by, refused};

#[orchestrate(pattern = "refusal", event = "paid", idempotent(key = key, request = amount))]
async fn pay(account: &Account, gate: &Notify, amount: u64, key: &str) -> Result<u64, PayError> {
    let number = account.pay();
    gate.notified().await;
    Ok(number)
}

#[orchestrate(pattern = "refusal", idempotent = key.parse::<u64>().unwrap())]
async fn pay_number(account: &Account, key: &str) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "refusal", audit(with = fail_once, required), idempotent = key)]
async fn pay_audited(account: &Account, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

async fn fail_once(flow: &graceful::Flow) -> Result<(), StepError> {
    match flow.payload().as_json() {
        "1" => Err(StepError::new("the audit log is full")),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn repetition_while_the_first_call_runs_is_refused() {
    let (recorder, account, gate) = (Recorder::new(), Arc::new(Account::default()), Arc::new(Notify::new()));
    let call = |amount: u64| {
        let (recorder, account, gate) = (recorder.clone(), Arc::clone(&account), Arc::clone(&gate));
        async move { by(&recorder, "ada", || pay(&account, &gate, amount, "k")).await }
    };
    let first = tokio::spawn(call(1));
    while account.payments() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(refused(call(1).await), StepErrorKind::Aborted);
    assert_eq!(
        refused(call(2).await),
        StepErrorKind::DifferentRequest,
        "it is seen also while the first call runs"
    );
    assert!(recorder.flows().is_empty(), "a refusal runs no flow");
    gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(call(1).await.unwrap(), 1);
    recorder.only().assert_step(Step::Event, "emit paid 1");
}

#[tokio::test]
async fn handler_without_orchestrator_refuses_to_run() {
    let account = Account::default();
    assert_eq!(refused(pay_number(&account, "1").await), StepErrorKind::Failed);
    assert_eq!(account.payments(), 0);
}

#[tokio::test]
async fn handler_without_store_refuses_to_run() {
    let account = Account::default();
    let orchestrator = Orchestrator::builder().build().unwrap();
    let call = async { pay_number(&account, "1").await };
    let error = graceful::Context::new().user("ada").scope(orchestrator.scope(call)).await;
    assert_eq!(refused(error), StepErrorKind::Failed);
    assert_eq!(account.payments(), 0);
}

#[tokio::test]
async fn key_that_panics_or_is_empty_is_refused() {
    let (recorder, account, gate) = (Recorder::new(), Account::default(), Notify::new());
    assert_eq!(refused(by(&recorder, "ada", || pay_number(&account, "x")).await), StepErrorKind::Argument);
    assert_eq!(
        refused(by(&recorder, "ada", || pay(&account, &gate, 1, "")).await),
        StepErrorKind::InvalidKey
    );
    assert_eq!(account.payments(), 0);
}

#[tokio::test]
async fn failure_of_a_required_step_releases_the_key() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let call = || by(&recorder, "ada", || pay_audited(&account, 1));
    assert_eq!(refused(call().await), StepErrorKind::Failed);
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(call().await.unwrap(), 2);
    assert_eq!(account.payments(), 2);
}
