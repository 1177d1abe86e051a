//! How an operation goes on.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    Action, AttemptOutcome, FlowFilter, FlowQuery, FlowState, FlowStore, ItemState, OperationClaim,
    OperationState,
};
use uuid::Uuid;

use super::{
    super::flows::{DAY, claim, complete, dead, failure, record_outcome, stored},
    LEASE, advance, dead_letters, of, reasons, started,
};

pub(super) async fn hundred_flows_at_most_wait_for_their_first_attempt<S: FlowStore>(store: S) {
    dead_letters(&store, 1..131).await;
    let claimed = started(&store, Action::Resubmit, 1..131).await;
    let operation = advance(&store, claimed, 1000).await;
    assert_eq!((operation.waiting, operation.left()), (100, 30));
    assert_eq!(advance(&store, claimed, 1000).await, operation, "none has finished its first attempt");
    let mut claims = claim(&store, 20).await;
    assert_eq!(claims.len(), 20);
    let running = claims.split_off(10);
    for claim in &claims {
        assert!(complete(&store, claim).await);
    }
    let operation = advance(&store, claimed, 1000).await;
    let numbers = (operation.done, operation.waiting, operation.left());
    assert_eq!(numbers, (10, 100, 20), "a running attempt is not finished");
    for claim in &running {
        let retry = AttemptOutcome::Retry { after: DAY, failure: failure("again"), body: None };
        assert!(record_outcome(&store, claim, retry).await);
    }
    let operation = advance(&store, claimed, 1000).await;
    let failed = (operation.failed, operation.failures_in_a_row);
    assert_eq!(failed, (10, 10), "a first attempt that failed is a failure");
    let numbers = (operation.waiting, operation.left());
    assert_eq!(numbers, (90, 20), "failures in a row take the room of flows that wait");
    assert!(complete(&store, &claim(&store, 1).await[0]).await);
    let operation = advance(&store, claimed, 1000).await;
    assert_eq!((operation.done, operation.failures_in_a_row), (11, 0));
    assert_eq!((operation.waiting, operation.left()), (100, 9));
    assert_eq!(stored(&store, 1).await.resubmitted, 1);
}

pub(super) async fn failures_in_a_row_stop_an_operation<S: FlowStore>(store: S) {
    dead_letters(&store, 1..121).await;
    let claimed = started(&store, Action::Resubmit, 1..121).await;
    advance(&store, claimed, 1000).await;
    let claims = claim(&store, 1000).await;
    assert_eq!(claims.len(), 100);
    for claim in &claims {
        assert!(record_outcome(&store, claim, dead()).await);
    }
    let operation = advance(&store, claimed, 1000).await;
    assert!(operation.is_failing());
    assert_eq!((operation.failed, operation.waiting, operation.left()), (100, 0, 20));
    for number in 101..121 {
        assert_eq!(stored(&store, number).await.resubmitted, 0, "the rest is left unchanged");
    }
}

pub(super) async fn flow_that_cannot_be_changed_is_skipped<S: FlowStore>(store: S) {
    dead_letters(&store, 1..4).await;
    let claimed = started(&store, Action::Discard, 1..4).await;
    assert_eq!(advance(&store, claimed, 1).await.done, 1);
    let operation = of(&store).skip_next(claimed, "broken \0").await.unwrap().unwrap();
    assert_eq!(of(&store).operation(claimed.id).await.unwrap().as_ref(), Some(&operation));
    assert_eq!((operation.skipped, operation.failures_in_a_row), (1, 1));
    let operation = advance(&store, claimed, 10).await;
    assert_eq!((operation.done, operation.skipped, operation.failures_in_a_row), (2, 1, 0));
    let skipped = reasons(&store, claimed.id, ItemState::Skipped).await;
    assert_eq!(skipped, [(2, Some("broken \0".to_owned()))]);
    assert_eq!(stored(&store, 2).await.state, FlowState::Dead);
    let unchanged = of(&store).skip_next(claimed, "nothing is left").await.unwrap();
    assert_eq!(unchanged.as_ref(), Some(&operation));
    assert_eq!(advance(&store, claimed, 10).await, operation);
    let lost = OperationClaim::new(claimed.id, Uuid::nil());
    assert_eq!(of(&store).skip_next(lost, "lost").await.unwrap(), None);
}

pub(super) async fn flow_is_changed_by_one_of_two_operations<S: FlowStore>(store: S) {
    dead_letters(&store, 1..100).await;
    let resubmitting = started(&store, Action::Resubmit, 1..100).await;
    let discarding = started(&store, Action::Discard, 1..100).await;
    let store = Arc::new(store);
    let run = |claimed: OperationClaim| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            while advance(&*store, claimed, 7).await.left() > 0 {}
            of(&*store).operation(claimed.id).await.unwrap().unwrap().changed()
        })
    };
    let (resubmitting, discarding) = (run(resubmitting), run(discarding));
    let (resubmitted, discarded) = (resubmitting.await.unwrap(), discarding.await.unwrap());
    assert_eq!(resubmitted + discarded, 99, "each flow is skipped by the other one");
    let all = store.flows(FlowQuery::new(FlowFilter::default(), 100)).await.unwrap().items;
    let (queued, ended): (Vec<_>, Vec<_>) = all.iter().partition(|flow| flow.state == FlowState::Queued);
    assert_eq!((queued.len() as u64, ended.len() as u64), (resubmitted, discarded));
    assert!(queued.iter().all(|flow| flow.resubmitted == 1), "{queued:?}");
    assert!(
        ended.iter().all(|flow| flow.state == FlowState::Discarded && flow.resubmitted == 0),
        "{ended:?}"
    );
}

pub(super) async fn operation_belongs_to_the_newest_claim<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    dead_letters(&store, 1..4).await;
    let lost = started(&store, Action::Discard, 1..4).await;
    let operations = of(&store);
    assert_eq!(operations.claim_operation(None, LEASE).await.unwrap(), None);
    assert_eq!(operations.claim_operation(Some(lost.id), LEASE).await.unwrap(), None);
    assert_eq!(advance(&store, lost, 1).await.done, 1);
    elapse(&store, 2 * LEASE).await;
    let newest = operations.claim_operation(None, LEASE).await.unwrap().expect("the lease has expired");
    assert_eq!(newest.id, lost.id);
    assert_eq!(operations.advance(lost, LEASE, 10).await.unwrap(), None);
    assert!(!operations.end(lost, OperationState::Completed).await.unwrap());
    assert_eq!(advance(&store, newest, 1).await.done, 2, "it goes on where the other has stopped");
    assert_eq!(stored(&store, 3).await.state, FlowState::Dead);
    assert!(operations.end(newest, OperationState::Completed).await.unwrap());
    assert_eq!(operations.advance(newest, LEASE, 10).await.unwrap(), None, "it has ended");
    assert!(!operations.end(newest, OperationState::Stopped).await.unwrap(), "it ends once");
    elapse(&store, 2 * LEASE).await;
    let recording = operations.claim_operation(None, LEASE).await.unwrap().expect("it is not recorded");
    assert!(!operations.record(newest).await.unwrap());
    assert!(operations.record(recording).await.unwrap());
    assert!(!operations.record(recording).await.unwrap());
    elapse(&store, 2 * LEASE).await;
    assert_eq!(operations.claim_operation(Some(lost.id), LEASE).await.unwrap(), None);
}
