//! What a [`FlowStore`] must do that stores the answers of idempotent calls, too.

use std::time::Duration;

use graceful::{
    StepErrorKind,
    backends::{CallState, Claimed, FlowStore, Idempotency, IdempotentCall, QueuedFlow},
};

use super::{
    flows::{LEASE, flow},
    idempotency::{answer, call, value},
};

fn answered(number: u128, call: &IdempotentCall, text: &str) -> QueuedFlow {
    let mut flow = flow(number, "e");
    flow.answer = Some(answer(call, text));
    flow
}

async fn is_new(calls: &dyn Idempotency, call: &IdempotentCall) -> bool {
    calls.claim(call.clone(), LEASE).await.expect("a key can be claimed") == Claimed::New
}

async fn is_stored<S: FlowStore>(store: &S, flow: &QueuedFlow) -> bool {
    let stored = store.get(flow.id).await.expect("a flow is read");
    stored.is_some_and(|stored| stored.body == flow.body)
}

pub(super) async fn flow_is_stored_with_its_answer_or_not_at_all<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let Some(calls) = store.idempotency() else { return };
    let first = call(1, &["a", "b"]);
    assert!(is_new(&*calls, &first).await);
    let stored = answered(1, &first, "ada");
    for _ in 0..2 {
        store.enqueue(stored.clone()).await.expect("a flow is stored, and a repetition finds it");
        assert!(is_stored(&store, &stored).await);
    }
    for name in ["a", "b"] {
        let repetition = calls.claim(call(3, &[name]), LEASE).await.expect("a key can be claimed");
        let Claimed::Known(known) = repetition else { panic!("{name} is new") };
        assert_eq!(known.state, CallState::Answered(value("ada")), "{name}");
    }

    let (first, second) = (call(4, &["c", "d"]), call(2, &["d"]));
    assert!(is_new(&*calls, &first).await);
    elapse(&store, LEASE).await;
    assert!(is_new(&*calls, &second).await, "the lease has expired");
    let refused = answered(2, &first, "ada");
    let error = store.enqueue(refused.clone()).await.expect_err("another call has the key");
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    assert!(!is_stored(&store, &refused).await);
    assert!(is_new(&*calls, &call(5, &["c"])).await, "no answer was stored");
    let stored = answered(3, &second, "grace");
    store.enqueue(stored.clone()).await.expect("a flow is stored");
    assert!(is_stored(&store, &stored).await);

    let unclaimed = answered(4, &call(6, &["e"]), "nobody");
    let error = store.enqueue(unclaimed.clone()).await.expect_err("the key was not claimed");
    assert_eq!(error.kind(), StepErrorKind::Aborted, "{error}");
    assert!(!is_stored(&store, &unclaimed).await && is_new(&*calls, &call(7, &["e"])).await);
}
