//! Calls of handlers that were renamed, which have several names.

use std::{sync::Arc, time::Duration};

use graceful::backends::{CallState, Claimed, Idempotency, IdempotentCall};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LEASE, call, claim, is_new, is_running, known, release, renew, store_answer, value};

pub(super) async fn call_is_known_by_each_of_its_names<S: Idempotency>(store: S) {
    let first = call(1, &["a", "b", "c"]);
    assert!(is_new(&store, &first).await);
    for name in ["a", "b", "c"] {
        assert!(is_running(&store, name).await, "{name}");
    }
    assert!(store_answer(&store, &first, "ada").await);
    assert!(store_answer(&store, &first, "ada").await, "whoever repeats an answer finds it");
    for names in [&["a"][..], &["c"], &["b", "d"], &["d", "c"]] {
        let Claimed::Known(known) = claim(&store, &call(2, names)).await else { panic!("{names:?} is new") };
        assert_eq!(known.state, CallState::Answered(value("ada")), "{names:?}");
    }
    let released = call(3, &["e", "f"]);
    assert!(is_new(&store, &released).await);
    release(&store, &released).await;
    for (token, name) in [(4, "e"), (5, "f")] {
        assert!(is_new(&store, &call(token, &[name])).await, "{name}");
    }
}

pub(super) async fn call_with_a_known_name_claims_none<S: Idempotency>(store: S) {
    assert!(is_new(&store, &call(1, &["b"])).await);
    let other = call(2, &["a", "b", "c"]);
    assert!(!is_new(&store, &other).await);
    assert!(!store_answer(&store, &other, "grace").await);
    for (token, name) in [(3, "a"), (4, "c")] {
        assert!(is_new(&store, &call(token, &[name])).await, "{name}");
    }
    assert!(store_answer(&store, &call(1, &["b"]), "ada").await);
}

pub(super) async fn answer_comes_before_a_running_call<S: Idempotency>(store: S) {
    let answered = call(1, &["b"]);
    assert!(is_new(&store, &answered).await);
    assert!(store_answer(&store, &answered, "ada").await);
    for (token, name) in [(2, "a"), (3, "c")] {
        assert!(is_new(&store, &call(token, &[name])).await);
    }
    for names in [&["a", "b"][..], &["b", "c"], &["a", "b", "c"]] {
        let Claimed::Known(known) = claim(&store, &call(4, names)).await else { panic!("{names:?} is new") };
        assert_eq!(known.state, CallState::Answered(value("ada")), "{names:?}");
    }
}

pub(super) async fn call_that_has_lost_a_name_stores_nothing<S: Idempotency>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let first = call(1, &["a", "b"]);
    assert!(is_new(&store, &first).await);
    elapse(&store, LEASE).await;
    let other = call(2, &["b"]);
    assert!(is_new(&store, &other).await, "the lease has expired");
    assert!(!renew(&store, &first).await, "it has lost a name");
    assert!(!store_answer(&store, &first, "ada").await, "it has lost a name");
    assert!(is_new(&store, &call(3, &["a"])).await, "nothing was stored, and no lease was extended");
    release(&store, &first).await;
    assert!(store_answer(&store, &other, "grace").await);
    assert_eq!(known(&store, "b").await.state, CallState::Answered(value("grace")));
    assert!(is_running(&store, "a").await);
}

/// Of calls that share a name with each other, one at most is new, and the others leave nothing behind.
pub(super) async fn one_of_many_overlapping_claims_is_new<S: Idempotency>(store: S) {
    let store = Arc::new(store);
    for round in 0..10_u128 {
        let mut claiming = JoinSet::new();
        for each in 0..12 {
            let store = Arc::clone(&store);
            // Each leaves another one out.
            let names = [0, 1, 2].into_iter().filter(|name| *name != each % 3);
            let names = names.map(|name| format!("{round} {name}"));
            let call = IdempotentCall::new(names, Uuid::from_u128(round << 64 | each), None);
            claiming.spawn(async move { is_new(&*store, &call).await.then_some(call) });
        }
        let new: Vec<_> = claiming.join_all().await.into_iter().flatten().collect();
        assert_eq!(new.len(), 1, "in round {round}");
        let free = [0, 1, 2].map(|name| format!("{round} {name}"));
        let free = free.into_iter().filter(|name| !new[0].names.contains(name));
        for name in free {
            assert!(is_new(&*store, &call(1, &[&name])).await, "{name}");
        }
        assert!(store_answer(&*store, &new[0], "ada").await);
    }
}
