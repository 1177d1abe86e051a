//! Leases and windows, which expire by the clock of the store.

use std::time::Duration;

use graceful::backends::{CallState, Idempotency, IdempotentAnswer};

use super::{LEASE, WINDOW, call, is_new, is_running, known, release, renew, store_answer, value};

pub(super) async fn expired_lease_gives_the_key_to_another<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let (first, second) = (call(1, &["a"]), call(2, &["a"]));
    assert!(is_new(&store, &first).await);
    elapse(&store, LEASE * 9 / 10).await;
    assert!(!is_new(&store, &second).await);
    elapse(&store, LEASE / 10).await;
    assert!(is_new(&store, &second).await);
    assert!(!store_answer(&store, &first, "ada").await, "it has lost the key");
    assert!(!renew(&store, &first).await, "it has lost the key");
    release(&store, &first).await;
    assert!(is_running(&store, "a").await, "nothing was stored, and nothing was released");
    assert!(store_answer(&store, &second, "grace").await);
    assert_eq!(known(&store, "a").await.state, CallState::Answered(value("grace")));
}

pub(super) async fn expired_answer_is_replaced_though_it_was_not_purged<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let window = Duration::from_secs(1);
    let (first, second) = (call(1, &["a", "b"]), call(2, &["b", "c"]));
    assert!(is_new(&store, &first).await);
    let answered = IdempotentAnswer::new(first, value("ada"), window);
    assert!(store.answer(answered).await.expect("an answer can be stored"));
    elapse(&store, 2 * window).await;
    assert!(is_new(&store, &second).await);
    assert!(store_answer(&store, &second, "grace").await);
    for name in ["b", "c"] {
        assert_eq!(known(&store, name).await.state, CallState::Answered(value("grace")), "{name}");
    }
    assert!(is_new(&store, &call(3, &["a"])).await, "it has expired, too");
    elapse(&store, WINDOW / 2).await;
    assert_eq!(known(&store, "c").await.state, CallState::Answered(value("grace")));
}

pub(super) async fn renewed_lease_does_not_expire<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let first = call(1, &["a", "b"]);
    assert!(is_new(&store, &first).await);
    for _ in 0..3 {
        elapse(&store, LEASE * 9 / 10).await;
        assert!(renew(&store, &first).await);
    }
    for name in ["a", "b"] {
        assert!(is_running(&store, name).await, "{name}");
    }
    elapse(&store, LEASE).await;
    assert!(is_new(&store, &call(2, &["a", "b"])).await);
}

pub(super) async fn renewal_leaves_answers_and_other_calls_alone<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let (first, other) = (call(1, &["a"]), call(2, &["a"]));
    assert!(!renew(&store, &first).await, "it has claimed nothing");
    assert!(is_new(&store, &first).await);
    elapse(&store, LEASE / 2).await;
    assert!(!renew(&store, &other).await, "another call has the key");
    elapse(&store, LEASE / 2).await;
    assert!(is_new(&store, &other).await, "no lease was extended");
    let answered = IdempotentAnswer::new(other.clone(), value("grace"), LEASE / 2);
    assert!(store.answer(answered).await.expect("an answer can be stored"));
    // A renewal may come after the answer.
    renew(&store, &other).await;
    assert_eq!(known(&store, "a").await.state, CallState::Answered(value("grace")));
    elapse(&store, LEASE / 2).await;
    assert!(is_new(&store, &first).await, "a renewal does not extend the window");
}

pub(super) async fn purge_deletes_at_most_a_thousand_expired_rows<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    for token in 0..11 {
        let names: Vec<_> = (0..100).map(|name| format!("{token} {name}")).collect();
        let call = call(token, &names.iter().map(|name| &**name).collect::<Vec<_>>());
        assert!(is_new(&store, &call).await);
    }
    elapse(&store, LEASE).await;
    let (running, answered) = (call(100, &["running"]), call(101, &["answered"]));
    assert!(is_new(&store, &running).await && is_new(&store, &answered).await);
    assert!(store_answer(&store, &answered, "ada").await);
    let mut purged = Vec::new();
    for _ in 0..20 {
        purged.push(store.purge().await.expect("expired rows are purged"));
        if purged.last() == Some(&0) {
            break;
        }
    }
    assert!(purged.iter().all(|purged| *purged <= 1000), "{purged:?}");
    // A store may purge by itself, or not at all.
    assert!(purged.iter().sum::<u64>() <= 1100, "{purged:?}");
    assert!(is_running(&store, "running").await);
    assert_eq!(known(&store, "answered").await.state, CallState::Answered(value("ada")));
}
