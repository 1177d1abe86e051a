//! Calls with one name: claims, answers and releases.

use std::sync::Arc;

use graceful::{
    Payload,
    backends::{CallState, Claimed, Idempotency, IdempotentAnswer, IdempotentCall, KnownCall, StoredAnswer},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LEASE, WINDOW, call, claim, hash, is_new, is_running, known, release, store_answer, value};

pub(super) async fn first_call_claims_the_key_and_a_repetition_knows_it<S: Idempotency>(store: S) {
    let (first, second) = (call(1, &["a"]), call(2, &["a"]));
    assert!(is_new(&store, &first).await);
    for repetition in [&second, &first] {
        let Claimed::Known(known) = claim(&store, repetition).await else { panic!("it is running") };
        let CallState::Running(remaining) = known.state else { panic!("it has no answer: {known:?}") };
        assert!(remaining <= LEASE && remaining > LEASE / 2, "{remaining:?}");
    }
    assert!(is_new(&store, &call(2, &["b"])).await);
    assert!(store_answer(&store, &first, "ada").await);
    let answered = Claimed::Known(KnownCall::new(None, CallState::Answered(value("ada"))));
    assert_eq!(claim(&store, &second).await, answered);
    assert_eq!(claim(&store, &first).await, answered);
}

pub(super) async fn answer_is_returned_unchanged<S: Idempotency>(store: S) {
    let large = "é\0\"\\ ".repeat(100_000);
    let plain = |text: &str| StoredAnswer::Value(Payload::of(text).expect("a text can be serialised"));
    let answers = [plain(""), StoredAnswer::NotStorable, plain("\0\\'é😀"), plain(&large[..1 << 19])];
    for (token, answer) in (1..).zip(answers) {
        let name = format!("call {token}");
        let call = call(token, &[&name]);
        assert!(is_new(&store, &call).await);
        let stored = IdempotentAnswer::new(call, answer.clone(), WINDOW);
        assert!(store.answer(stored).await.expect("an answer can be stored"));
        let known = known(&store, &name).await;
        // It is no help to print a megabyte.
        assert!(known == KnownCall::new(None, CallState::Answered(answer)), "answer {token} has changed");
    }
}

pub(super) async fn request_hash_is_returned_unchanged<S: Idempotency>(store: S) {
    let with = |token, byte| IdempotentCall::new(["a".to_owned()], Uuid::from_u128(token), Some(hash(byte)));
    let first = with(1, 0);
    assert!(is_new(&store, &first).await);
    let Claimed::Known(running) = claim(&store, &with(2, 255)).await else { panic!("it is running") };
    assert_eq!(running.request, Some(hash(0)));
    assert!(store_answer(&store, &first, "ada").await);
    let Claimed::Known(answered) = claim(&store, &with(2, 255)).await else { panic!("it is answered") };
    assert_eq!(answered.request, Some(hash(0)), "that of the first call");
}

pub(super) async fn first_answer_stays<S: Idempotency>(store: S) {
    let call = call(1, &["a"]);
    assert!(is_new(&store, &call).await);
    assert!(store_answer(&store, &call, "ada").await);
    assert!(store_answer(&store, &call, "ada").await, "whoever repeats an answer finds it");
    release(&store, &call).await;
    assert_eq!(known(&store, "a").await.state, CallState::Answered(value("ada")));
}

pub(super) async fn key_that_was_not_claimed_is_not_answered<S: Idempotency>(store: S) {
    let (first, other) = (call(1, &["a"]), call(2, &["a"]));
    assert!(!store_answer(&store, &first, "nobody").await);
    assert!(is_new(&store, &first).await);
    assert!(!store_answer(&store, &other, "grace").await);
    assert!(is_running(&store, "a").await, "nothing was stored");
    assert!(store_answer(&store, &first, "ada").await);
    assert!(!store_answer(&store, &other, "grace").await);
    assert_eq!(known(&store, "a").await.state, CallState::Answered(value("ada")));
}

pub(super) async fn released_key_is_claimed_again<S: Idempotency>(store: S) {
    let (first, second) = (call(1, &["a"]), call(2, &["a"]));
    assert!(is_new(&store, &first).await);
    release(&store, &first).await;
    assert!(!store_answer(&store, &first, "ada").await, "it has released the key");
    assert!(is_new(&store, &second).await);
    assert!(!store_answer(&store, &first, "ada").await, "another call has the key");
    assert!(store_answer(&store, &second, "grace").await);
}

pub(super) async fn only_the_claim_of_the_call_is_released<S: Idempotency>(store: S) {
    let (first, second) = (call(1, &["a"]), call(2, &["a"]));
    release(&store, &first).await;
    assert!(is_new(&store, &first).await);
    release(&store, &second).await;
    assert!(is_running(&store, "a").await);
    assert!(store_answer(&store, &first, "ada").await);
    for call in [&first, &second] {
        release(&store, call).await;
        assert_eq!(known(&store, "a").await.state, CallState::Answered(value("ada")));
    }
}

/// Names of two kilobytes, of which an index may use the beginning only, and names that a database may take for one.
pub(super) async fn keys_are_told_apart<S: Idempotency>(store: S) {
    let mut dice = fastrand::Rng::with_seed(27);
    let long: String = (0..2_047).map(|_| dice.alphanumeric()).collect();
    let (long_1, long_2) = (format!("{long}1"), format!("{long}2"));
    let names = [&*long_1, &*long_2, "", "a", "A", "a ", "a\0", "a\\0", "á", "a\u{301}", "%", "~"];
    for (token, name) in (1..).zip(names) {
        let call = call(token, &[name]);
        assert!(is_new(&store, &call).await, "{name:?}");
        assert!(store_answer(&store, &call, name).await, "{name:?}");
    }
    for name in names {
        assert_eq!(known(&store, name).await.state, CallState::Answered(value(name)));
    }
}

pub(super) async fn one_of_many_concurrent_claims_is_new<S: Idempotency>(store: S) {
    let store = Arc::new(store);
    for round in 0..10_u128 {
        let mut claiming = JoinSet::new();
        for each in 0..20 {
            let store = Arc::clone(&store);
            let call = IdempotentCall::new([format!("{round}")], Uuid::from_u128(round << 64 | each), None);
            claiming.spawn(async move { is_new(&*store, &call).await });
        }
        let new = claiming.join_all().await.into_iter().filter(|is_new| *is_new).count();
        assert_eq!(new, 1, "in round {round}");
    }
}
