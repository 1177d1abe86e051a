//! What is stored, and for how long.

use graceful_tests::gate::until;

use super::*;

const SHORT: Duration = Duration::from_millis(50);

#[test(requires("redis-server"))]
async fn row_expires_with_the_lease_and_then_with_the_window() {
    let case = Case::new().await;
    assert_eq!(case.calls.claim(case.call.clone(), SHORT).await.unwrap(), Claimed::New);
    until(|| async { !case.exists().await }).await;
    assert!(!case.answer(&case.call, "late").await && !case.exists().await);

    assert_eq!(case.claim(&case.call).await, Claimed::New);
    assert!((1..=60_000).contains(&case.left().await));
    assert!(case.calls.answer(IdempotentAnswer::new(case.call.clone(), value("ada"), SHORT)).await.unwrap());
    assert!(case.left().await <= 50);
    until(|| async { !case.exists().await }).await;
    assert_eq!(case.claim(&again(&case.call)).await, Claimed::New);
}

#[test(requires("redis-server"))]
async fn time_that_the_server_cannot_count_is_limited() {
    let case = Case::new().await;
    assert_eq!(case.calls.claim(case.call.clone(), Duration::MAX).await.unwrap(), Claimed::New);
    let renewal = case.calls.renewal().await.unwrap();
    assert!(renewal.renew(case.call.clone(), Duration::MAX).await.unwrap());
    assert!(
        case.calls
            .answer(IdempotentAnswer::new(case.call.clone(), value("ada"), Duration::MAX))
            .await
            .unwrap()
    );
    assert_eq!(case.state().await, answered("ada"));
    let other = call("other");
    case.calls.claim(other.clone(), Duration::ZERO).await.unwrap();
    until(|| async { case.claim(&again(&other)).await == Claimed::New }).await;
}

#[test(requires("redis-server"))]
async fn answer_is_found_before_a_running_call_under_another_name() {
    let case = Case::new().await;
    let (first, second) = (call("a"), call("b"));
    for (answered_call, running) in [(&first, &second), (&second, &first)] {
        let request = graceful::backends::RequestHash::from_bytes(&[7; 48]);
        let answered_call = IdempotentCall::new(answered_call.names.to_vec(), answered_call.token, request);
        assert_eq!(case.claim(&answered_call).await, Claimed::New);
        assert!(case.answer(&answered_call, "ada").await);
        assert_eq!(case.claim(running).await, Claimed::New);
        let known = case.claim(&named(["a", "b", "c"])).await;
        assert_eq!(known, Claimed::Known(KnownCall::new(request, answered("ada"))));
        assert_eq!(case.claim(&call("c")).await, Claimed::New, "it has claimed none");
        let () = case.redis.raw(&[b"FLUSHALL"]).await;
    }
}

#[test(requires("redis-server"))]
async fn answer_that_is_not_storable_and_every_byte_come_back() {
    let case = Case::new().await;
    assert_eq!(case.claim(&case.call).await, Claimed::New);
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    let bytes = StoredAnswer::from_bytes(Some(&bytes));
    let stored = IdempotentAnswer::new(case.call.clone(), bytes.clone(), LONG);
    assert!(case.calls.answer(stored).await.unwrap());
    assert_eq!(case.state().await, CallState::Answered(bytes));

    let other = call("other");
    assert_eq!(case.claim(&other).await, Claimed::New);
    let stored = IdempotentAnswer::new(other.clone(), StoredAnswer::NotStorable, LONG);
    assert!(case.calls.answer(stored).await.unwrap());
    let known = KnownCall::new(None, CallState::Answered(StoredAnswer::NotStorable));
    assert_eq!(case.claim(&again(&other)).await, Claimed::Known(known));
}

#[test(requires("redis-server"))]
async fn row_that_cannot_be_read_is_an_error_and_never_a_new_call() {
    let case = Case::new().await;
    let name = name(&case.call);
    for row in [
        ["SET", &*name, "ada"].as_slice(),
        &["HSET", &*name, "answer", "1"],
        &["HSET", &*name, "state", "done", "token", ""],
        &["HSET", &*name, "state", "running", "token", "", "request", "short"],
    ] {
        let words: Vec<_> = row.iter().map(|word| word.as_bytes()).collect();
        let () = case.redis.raw(&words).await;
        case.calls.claim(case.call.clone(), LONG).await.unwrap_err();
        assert!(!case.calls.answer(answer(&case.call, "ada")).await.unwrap_or(false), "{row:?}");
        let () = case.redis.raw(&[b"DEL", name.as_bytes()]).await;
    }
}

#[test(requires("redis-server"))]
async fn answer_is_stored_by_a_server_without_memory() {
    let case = Case::new().await;
    assert_eq!(case.claim(&case.call).await, Claimed::New);
    case.set("maxmemory", "1").await;
    let error = case.calls.claim(call("other"), LONG).await.unwrap_err();
    assert!(error.message().contains("OOM"), "{error}");
    assert!(case.answer(&case.call, "ada").await);
    assert_eq!(case.state().await, answered("ada"));
    assert!(case.answer(&case.call, "ada").await);
}
