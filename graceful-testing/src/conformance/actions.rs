//! The actions of a [`FlowStore`] on one flow.

use std::time::Duration;

use graceful::backends::{ActionResult, AttemptOutcome, FlowState, FlowStore};
use uuid::Uuid;

use super::flows::{DAY, LEASE, claim, complete, dead, enqueue, failure, numbers, record_outcome, stored};

pub(super) async fn discarded_flow_never_runs<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let discard = async |number| store.discard(Uuid::from_u128(number)).await.expect("a flow is discarded");
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")]).await;
    assert_eq!(discard(9).await, ActionResult::NotFound);
    assert_eq!(discard(1).await, ActionResult::Done, "a queued one");
    assert_eq!(discard(4).await, ActionResult::Done, "one that waits behind another");
    assert_eq!(discard(1).await, ActionResult::Refused(FlowState::Discarded));
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [2, 3, 5], "the next flow of its entity is claimed");
    assert!(complete(&store, &claims[0]).await);
    assert!(record_outcome(&store, &claims[1], dead()).await);
    assert_eq!(discard(2).await, ActionResult::Refused(FlowState::Completed));
    assert_eq!(discard(3).await, ActionResult::Done, "a dead letter");
    let discarded = stored(&store, 3).await;
    assert_eq!((discarded.state, discarded.error()), (FlowState::Discarded, Some("no use")));
    assert!(discarded.ended_at.is_some());
    assert!(!store.resubmit(Uuid::from_u128(3)).await.expect("it is refused").is_done());
    elapse(&store, DAY).await;
    assert_eq!(numbers(&claim(&store, 10).await), [5], "its lease has expired");
    assert_eq!(store.purge(FlowState::Dead, Duration::ZERO).await.expect("flows are purged"), 0);
    assert_eq!(store.purge(FlowState::Discarded, Duration::ZERO).await.expect("flows are purged"), 3);
}

pub(super) async fn postponed_flow_waits<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let postpone = async |number, time| {
        store.postpone(Uuid::from_u128(number), time).await.expect("a flow is postponed")
    };
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "c")]).await;
    assert_eq!(postpone(9, DAY).await, ActionResult::NotFound);
    assert_eq!(postpone(1, DAY).await, ActionResult::Done);
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [3, 4], "the later flow of its entity waits too");
    let retry = AttemptOutcome::Retry { after: 2 * DAY, failure: failure("not now"), body: None };
    assert!(record_outcome(&store, &claims[0], retry).await);
    assert_eq!(postpone(3, Duration::ZERO).await, ActionResult::Done, "a retry is made due at once");
    let again = claim(&store, 10).await;
    assert_eq!(
        (numbers(&again).as_slice(), again[0].attempt),
        ([3].as_slice(), 2),
        "its attempts are counted"
    );
    assert!(record_outcome(&store, &again[0], dead()).await);
    assert_eq!(postpone(3, DAY).await, ActionResult::Refused(FlowState::Dead));
    elapse(&store, 2 * DAY).await;
    assert_eq!(numbers(&claim(&store, 10).await), [1, 4]);
}

pub(super) async fn running_flow_is_left_alone<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let id = Uuid::from_u128(1);
    enqueue(&store, [(1, "a")]).await;
    let lost = claim(&store, 1).await.remove(0);
    assert_eq!(store.discard(id).await.expect("it is refused"), ActionResult::Running);
    assert_eq!(store.postpone(id, DAY).await.expect("it is refused"), ActionResult::Running);
    assert_eq!(store.resubmit(id).await.expect("it is refused"), ActionResult::Running);
    assert!(stored(&store, 1).await.running);
    elapse(&store, 2 * LEASE).await;
    assert!(!stored(&store, 1).await.running);
    assert_eq!(store.discard(id).await.expect("it is discarded"), ActionResult::Done);
    assert!(!complete(&store, &lost).await, "the outcome of a lost claim changes nothing");
    assert_eq!(stored(&store, 1).await.state, FlowState::Discarded);
}
