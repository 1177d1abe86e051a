use graceful::{Context, StepErrorKind, orchestrate};
use graceful_testing::Recorder;

use super::{Account, PayError, by, refused};

#[orchestrate(pattern = "scoped", idempotent = key)]
async fn pay(account: &Account, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "scoped", actor = who, idempotent = key)]
async fn pay_as(account: &Account, who: &str, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "scoped", idempotent(key = key, scope = customer))]
async fn pay_of(account: &Account, customer: &str, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[orchestrate(pattern = "scoped", idempotent(key = key, request = amount))]
async fn pay_amount(account: &Account, amount: u64, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

/// The same handler under another name.
mod renamed {
    use super::{Account, PayError};

    #[graceful::orchestrate(pattern = "scoped", name = "scopes::before", idempotent = key)]
    pub async fn before(account: &Account, key: u64) -> Result<u64, PayError> {
        Ok(account.pay())
    }

    #[graceful::orchestrate(pattern = "scoped", name = "scopes::after", was = "scopes::before", idempotent = key)]
    pub async fn after(account: &Account, key: u64) -> Result<u64, PayError> {
        Ok(account.pay())
    }
}

#[tokio::test]
async fn answer_of_another_actor_is_not_replayed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(by(&recorder, "ada", || pay(&account, 1)).await.unwrap(), 1);
    assert_eq!(by(&recorder, "bob", || pay(&account, 1)).await.unwrap(), 2);
    assert_eq!(by(&recorder, "ada", || pay(&account, 1)).await.unwrap(), 1);
    assert_eq!(recorder.run(pay_as(&account, "ada", 1)).await.unwrap(), 3, "another handler");
    assert_eq!(recorder.run(pay_as(&account, "bob", 1)).await.unwrap(), 4);
    assert_eq!(recorder.run(pay_as(&account, "ada", 1)).await.unwrap(), 3);
}

#[tokio::test]
async fn answer_of_another_tenant_is_not_replayed() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let call = |tenant: &'static str| {
        let call = recorder.run(async { pay(&account, 1).await });
        Context::new().actor("ada").tenant(tenant).scope(call)
    };
    assert_eq!(call("acme").await.unwrap(), 1);
    assert_eq!(call("other").await.unwrap(), 2);
    assert_eq!(call("acme").await.unwrap(), 1);
}

#[tokio::test]
async fn call_without_actor_needs_scope_or_request() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(refused(recorder.run(pay(&account, 1)).await), StepErrorKind::Unscoped);
    assert_eq!(refused(recorder.run(pay_as(&account, "", 1)).await), StepErrorKind::Unscoped);
    assert_eq!(account.payments(), 0);
    assert_eq!(recorder.run(pay_of(&account, "acme", 1)).await.unwrap(), 1);
    assert_eq!(
        by(&recorder, "ada", || pay_of(&account, "acme", 1)).await.unwrap(),
        1,
        "the scope is not the actor"
    );
    assert_eq!(recorder.run(pay_amount(&account, 100, 1)).await.unwrap(), 2);
}

#[tokio::test]
async fn other_request_under_the_same_key_is_refused() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(recorder.run(pay_amount(&account, 100, 1)).await.unwrap(), 1);
    assert_eq!(refused(recorder.run(pay_amount(&account, 101, 1)).await), StepErrorKind::DifferentRequest);
    assert_eq!(recorder.run(pay_amount(&account, 100, 1)).await.unwrap(), 1);
    assert_eq!(recorder.flows().len(), 1, "a refusal runs no flow");
}

#[tokio::test]
async fn renamed_handler_replays_the_answers_of_its_former_identity() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(by(&recorder, "ada", || renamed::before(&account, 1)).await.unwrap(), 1);
    assert_eq!(by(&recorder, "ada", || renamed::after(&account, 1)).await.unwrap(), 1);
    assert_eq!(by(&recorder, "ada", || renamed::after(&account, 2)).await.unwrap(), 2);
    assert_eq!(
        by(&recorder, "ada", || renamed::before(&account, 2)).await.unwrap(),
        2,
        "both run side by side"
    );
}

#[tokio::test]
async fn actor_and_user_of_the_context_are_the_scope_together() {
    let (recorder, account) = (Recorder::new(), Account::default());
    let call = |context: Context| context.scope(recorder.run(async { pay(&account, 1).await }));
    let job = || Context::new().actor("job");
    assert_eq!(call(job().user("ada")).await.unwrap(), 1);
    assert_eq!(call(job().user("bob")).await.unwrap(), 2, "a job acts for many users");
    assert_eq!(call(job().user("ada")).await.unwrap(), 1);
    assert_eq!(call(job()).await.unwrap(), 3);
    assert_eq!(call(Context::new().user("job")).await.unwrap(), 4, "an actor is not a user of the same name");
    assert_eq!(refused(call(Context::new().actor("")).await), StepErrorKind::Unscoped);
}

#[orchestrate(pattern = "scoped", idempotent(key = key, request = amount))]
async fn pay_wei(account: &Account, amount: u128, key: u64) -> Result<u64, PayError> {
    Ok(account.pay())
}

#[tokio::test]
async fn requests_of_128_bits_are_compared() {
    let (recorder, account) = (Recorder::new(), Account::default());
    assert_eq!(recorder.run(pay_wei(&account, u128::MAX, 1)).await.unwrap(), 1);
    assert_eq!(recorder.run(pay_wei(&account, u128::MAX, 1)).await.unwrap(), 1);
    let other = recorder.run(pay_wei(&account, u128::MAX - 1, 1)).await;
    assert_eq!(refused(other), StepErrorKind::DifferentRequest);
}
