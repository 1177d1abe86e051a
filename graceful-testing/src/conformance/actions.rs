//! The actions of a [`FlowStore`] on one flow.

use std::time::Duration;

use graceful::backends::{
    ActionResult, AttemptOutcome, FlowFilter, FlowQuery, FlowState, FlowStore, Lane, QueuedFlow,
};
use uuid::Uuid;

use super::flows::{DAY, LEASE, claim, complete, dead, enqueue, failure, numbers, record_outcome, stored};

pub(super) async fn discarded_flow_never_runs<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let discard =
        async |number, from| store.discard(Uuid::from_u128(number), from).await.expect("a flow is discarded");
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")]).await;
    assert_eq!(discard(9, FlowState::Queued).await, ActionResult::NotFound);
    assert_eq!(discard(1, FlowState::Queued).await, ActionResult::Done, "a queued one");
    assert_eq!(discard(4, FlowState::Queued).await, ActionResult::Done, "one that waits behind another");
    assert_eq!(discard(1, FlowState::Queued).await, ActionResult::Refused(FlowState::Discarded));
    assert_eq!(
        discard(2, FlowState::Dead).await,
        ActionResult::Refused(FlowState::Queued),
        "it is in another state"
    );
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [2, 3, 5], "the next flow of its entity is claimed");
    assert!(complete(&store, &claims[0]).await);
    assert!(record_outcome(&store, &claims[1], dead()).await);
    for from in [FlowState::Queued, FlowState::Dead, FlowState::Completed] {
        assert_eq!(discard(2, from).await, ActionResult::Refused(FlowState::Completed));
    }
    assert_eq!(discard(3, FlowState::Dead).await, ActionResult::Done, "a dead letter");
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
    assert_eq!(store.discard(id, FlowState::Queued).await.expect("it is refused"), ActionResult::Running);
    assert_eq!(store.postpone(id, DAY).await.expect("it is refused"), ActionResult::Running);
    assert_eq!(store.resubmit(id).await.expect("it is refused"), ActionResult::Running);
    assert!(stored(&store, 1).await.running);
    elapse(&store, 2 * LEASE).await;
    assert!(!stored(&store, 1).await.running);
    assert_eq!(store.discard(id, FlowState::Queued).await.expect("it is discarded"), ActionResult::Done);
    assert!(!complete(&store, &lost).await, "the outcome of a lost claim changes nothing");
    assert_eq!(stored(&store, 1).await.state, FlowState::Discarded);
}

/// A list does not read bodies, so one flow that cannot be decoded, or is large, hides no other.
pub(super) async fn unreadable_and_large_flows_are_listed_and_discarded<S: FlowStore>(store: S) {
    let bodies = [b"junk".to_vec(), Vec::new(), b"[".repeat(1000), vec![b'x'; 4 << 20]];
    for (number, body) in (1..).zip(bodies) {
        let (id, entity) = (Uuid::from_u128(number), format!("e{number}"));
        let flow = QueuedFlow::new(id, entity, "removed::handler", Lane::default(), body);
        store.enqueue(flow).await.expect("a flow is stored");
    }
    for claim in claim(&store, 10).await {
        assert!(record_outcome(&store, &claim, dead()).await);
    }
    let page = store.flows(FlowQuery::new(FlowState::Dead, 10)).await.expect("flows are listed");
    assert_eq!(page.items.len(), 4);
    let groups = store.groups(FlowFilter::default(), 10).await.expect("flows are grouped").groups;
    assert_eq!(groups.iter().map(|group| group.dead.number).sum::<u64>(), 4);
    for flow in page.items {
        let stored = store.get(flow.id).await.expect("a flow is found").expect("the flow exists");
        assert!(stored.flow().is_err(), "{flow:?}");
        assert_eq!(
            store.discard(flow.id, FlowState::Dead).await.expect("a flow is discarded"),
            ActionResult::Done
        );
    }
}
