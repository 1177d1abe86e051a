//! What an [`Idempotency`] must do.

mod claims;
mod expiry;
mod several_names;

use std::time::Duration;

use graceful::{
    Payload,
    backends::{
        CallState, Claimed, Idempotency, IdempotentAnswer, IdempotentCall, KnownCall, RequestHash,
        StoredAnswer,
    },
};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks the promises of [`Idempotency`]. `elapse` makes so much time go by for a store: by waiting, by its own clock, or by moving
/// every time that it has written into the past.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// let fresh = async || memory::IdempotentCalls::new();
/// conformance::idempotency(fresh, async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn idempotency<S: Idempotency>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    claims::first_call_claims_the_key_and_a_repetition_knows_it(fresh().await).await;
    claims::answer_is_returned_unchanged(fresh().await).await;
    claims::request_hash_is_returned_unchanged(fresh().await).await;
    claims::first_answer_stays(fresh().await).await;
    claims::key_that_was_not_claimed_is_not_answered(fresh().await).await;
    claims::released_key_is_claimed_again(fresh().await).await;
    claims::only_the_claim_of_the_call_is_released(fresh().await).await;
    claims::keys_are_told_apart(fresh().await).await;
    claims::one_of_many_concurrent_claims_is_new(fresh().await).await;
    several_names::call_is_known_by_each_of_its_names(fresh().await).await;
    several_names::call_with_a_known_name_claims_none(fresh().await).await;
    several_names::answer_comes_before_a_running_call(fresh().await).await;
    several_names::call_that_has_lost_a_name_stores_nothing(fresh().await, &elapse).await;
    several_names::one_of_many_overlapping_claims_is_new(fresh().await).await;
    expiry::expired_lease_gives_the_key_to_another(fresh().await, &elapse).await;
    expiry::expired_answer_is_replaced_though_it_was_not_purged(fresh().await, &elapse).await;
    expiry::renewed_lease_does_not_expire(fresh().await, &elapse).await;
    expiry::renewal_leaves_answers_and_other_calls_alone(fresh().await, &elapse).await;
    expiry::purge_deletes_at_most_a_thousand_expired_rows(fresh().await, &elapse).await;
}

/// A call with a token of this number.
pub(super) fn call(token: u128, names: &[&str]) -> IdempotentCall {
    IdempotentCall::new(names.iter().map(|name| (*name).to_owned()), Uuid::from_u128(token), None)
}

fn hash(byte: u8) -> RequestHash {
    RequestHash::from_bytes(&[byte; 48]).expect("a hash has this length")
}

pub(super) fn value(text: &str) -> StoredAnswer {
    StoredAnswer::Value(Payload::of(text).expect("a text can be serialised"))
}

pub(super) fn answer(call: &IdempotentCall, text: &str) -> IdempotentAnswer {
    IdempotentAnswer::new(call.clone(), value(text), WINDOW)
}

async fn claim<S: Idempotency>(store: &S, call: &IdempotentCall) -> Claimed {
    store.claim(call.clone(), LEASE).await.expect("a key can be claimed")
}

async fn is_new<S: Idempotency>(store: &S, call: &IdempotentCall) -> bool {
    claim(store, call).await == Claimed::New
}

/// What is known of a key. The call must not be new.
async fn known<S: Idempotency>(store: &S, name: &str) -> KnownCall {
    match claim(store, &call(u128::MAX, &[name])).await {
        Claimed::Known(known) => known,
        Claimed::New => panic!("nothing is known of {name}"),
    }
}

async fn is_running<S: Idempotency>(store: &S, name: &str) -> bool {
    matches!(known(store, name).await.state, CallState::Running(_))
}

async fn store_answer<S: Idempotency>(store: &S, call: &IdempotentCall, text: &str) -> bool {
    store.answer(answer(call, text)).await.expect("an answer can be stored")
}

async fn release<S: Idempotency>(store: &S, call: &IdempotentCall) {
    store.release(call.clone()).await.expect("a key can be released");
}

async fn renew<S: Idempotency>(store: &S, call: &IdempotentCall) -> bool {
    let renewal = store.renewal().await.expect("renewals have a connection");
    renewal.renew(call.clone(), LEASE).await.expect("a lease can be renewed")
}
