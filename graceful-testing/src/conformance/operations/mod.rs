//! The [`Operations`] of a store.

mod secrets;
mod work;

use std::time::Duration;

use graceful::backends::{
    Action, AttemptOutcome, FlowState, FlowStore, ItemState, NewOperation, Operation, OperationClaim,
    OperationState, Operations, SelectedFlow,
};
use uuid::Uuid;

use super::{
    flows::{DAY, claim, complete, dead, enqueue, failure, numbers, record_outcome, stored},
    pauses,
};

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

/// Checks the promises of [`Operations`], for a store that has them. `elapse` makes so much time go by for a store; see
/// [`flow_store`](super::flow_store).
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::operations(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
/// # });
/// ```
pub async fn operations<S: FlowStore>(fresh: impl AsyncFn() -> S, elapse: impl AsyncFn(&S, Duration)) {
    pauses::paused_relays_claim_nothing(fresh().await, &elapse).await;
    pauses::flows_of_a_paused_handler_wait(fresh().await).await;
    pauses::backlog_of_a_paused_handler_delays_no_other(fresh().await).await;
    list_of_an_operation_is_fixed(fresh().await).await;
    flow_that_has_changed_is_skipped(fresh().await).await;
    flow_that_changes_before_the_list_is_fixed_is_skipped(fresh().await).await;
    queued_flows_are_postponed_and_discarded(fresh().await, &elapse).await;
    work::hundred_flows_at_most_wait_for_their_first_attempt(fresh().await).await;
    work::failures_in_a_row_stop_an_operation(fresh().await).await;
    work::flow_that_cannot_be_changed_is_skipped(fresh().await).await;
    work::flow_is_changed_by_one_of_two_operations(fresh().await).await;
    work::operation_belongs_to_the_newest_claim(fresh().await, &elapse).await;
    operation_that_is_not_started_expires(fresh().await, &elapse).await;
    cancelled_operation_leaves_the_other_flows(fresh().await).await;
    operations_are_listed_and_purged(fresh().await, &elapse).await;
    secrets::secret_of_a_name_is_created_once(fresh().await).await;
}

pub(super) fn of<S: FlowStore>(store: &S) -> &dyn Operations {
    store.operations().expect("the store has operations")
}

/// Dead letters of entities of their own.
async fn dead_letters<S: FlowStore>(store: &S, flows: std::ops::Range<u128>) {
    let entities: Vec<_> = flows.clone().map(|number| format!("e{number}")).collect();
    enqueue(store, flows.zip(entities.iter().map(String::as_str))).await;
    for claim in claim(store, 1000).await {
        assert!(record_outcome(store, &claim, dead()).await);
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The flows as they are now.
async fn selected<S: FlowStore>(store: &S, flows: impl IntoIterator<Item = u128>) -> Vec<SelectedFlow> {
    let mut selected = Vec::new();
    for number in flows {
        let found = store.get(id(number)).await.expect("a flow is looked up");
        selected.push(match found {
            Some(found) => SelectedFlow::of(&found.summary),
            None => SelectedFlow::missing(id(number)),
        });
    }
    selected
}

async fn prepared<S: FlowStore>(
    store: &S,
    action: Action,
    flows: impl IntoIterator<Item = u128>,
) -> Operation {
    let (operations, new) = (of(store), NewOperation::new(action, "state=dead \0", "ada"));
    let operation = new.id;
    operations.prepare(new).await.expect("an operation is prepared");
    operations.select(operation, selected(store, flows).await).await.expect("flows are selected");
    operations.fix(operation).await.expect("the list is fixed").expect("the operation exists")
}

async fn started<S: FlowStore>(
    store: &S,
    action: Action,
    flows: impl IntoIterator<Item = u128>,
) -> OperationClaim {
    let operation = prepared(store, action, flows).await;
    let operation = of(store).start(operation.id).await.expect("it is started").expect("it exists");
    assert_eq!(operation.state, OperationState::Running);
    let claim = of(store).claim_operation(Some(operation.id), LEASE).await.expect("it is claimed");
    claim.expect("nobody has it")
}

async fn advance<S: FlowStore>(store: &S, claim: OperationClaim, limit: usize) -> Operation {
    let operation = of(store).advance(claim, LEASE, limit).await.expect("the operation goes on");
    operation.expect("the claim is the newest")
}

async fn reasons<S: FlowStore>(store: &S, operation: Uuid, state: ItemState) -> Vec<(u128, Option<String>)> {
    let page = of(store).items(operation, Some(state), None, 1000).await.expect("items are listed");
    page.items.into_iter().map(|item| (item.flow.as_u128(), item.reason)).collect()
}

async fn list_of_an_operation_is_fixed<S: FlowStore>(store: S) {
    dead_letters(&store, 1..4).await;
    // A flow that is newer than a dead letter of its entity has completed.
    enqueue(&store, [(9, "e2")]).await;
    assert!(complete(&store, &claim(&store, 1).await[0]).await);
    let operation = prepared(&store, Action::Resubmit, [3, 1, 1, 2, 77]).await;
    assert_eq!((operation.state, operation.selected, operation.older), (OperationState::Prepared, 4, 1));
    assert_eq!((&*operation.selection, &*operation.operator), ("state=dead \0", "ada"));
    assert_eq!((operation.skipped, operation.left()), (1, 3), "a flow that does not exist is skipped");
    let skipped = reasons(&store, operation.id, ItemState::Skipped).await;
    assert_eq!(skipped, [(77, Some("no such flow".to_owned()))]);
    of(&store).select(operation.id, selected(&store, [9]).await).await.unwrap();
    let again = of(&store).fix(operation.id).await.unwrap();
    assert_eq!(again, Some(operation), "the list is fixed");
    assert_eq!(stored(&store, 1).await.state, FlowState::Dead, "nothing is changed");
    assert_eq!(of(&store).fix(id(78)).await.unwrap(), None);
    assert_eq!(of(&store).start(id(78)).await.unwrap(), None);
    assert_eq!(of(&store).cancel(id(78), "bob", true).await.unwrap(), None);
}

async fn flow_that_has_changed_is_skipped<S: FlowStore>(store: S) {
    dead_letters(&store, 1..6).await;
    let claimed = started(&store, Action::Discard, 1..6).await;
    // The same state, but another failure.
    assert!(store.resubmit(id(1)).await.unwrap().is_done());
    let again = claim(&store, 1).await;
    assert!(record_outcome(&store, &again[0], dead()).await);
    assert!(store.resubmit(id(2)).await.unwrap().is_done());
    assert!(store.discard(id(3), FlowState::Dead).await.unwrap().is_done());
    let operation = advance(&store, claimed, 10).await;
    assert_eq!((operation.done, operation.skipped, operation.left()), (2, 3, 0));
    let skipped = reasons(&store, operation.id, ItemState::Skipped).await;
    let expected = [
        (1, "the flow has changed since it was selected"),
        (2, "the flow is queued"),
        (3, "the flow is discarded"),
    ];
    assert_eq!(skipped, expected.map(|(flow, reason)| (flow, Some(reason.to_owned()))));
    assert_eq!(stored(&store, 1).await.state, FlowState::Dead);
    assert_eq!(stored(&store, 4).await.state, FlowState::Discarded);
    let again = advance(&store, claimed, 10).await;
    assert_eq!(again, operation, "there is nothing left to do");
    assert!(of(&store).end(claimed, OperationState::Completed).await.unwrap());
    let ended = of(&store).operation(operation.id).await.unwrap().unwrap();
    assert_eq!(ended.state, OperationState::Completed);
    assert!(ended.ended_at.is_some());
}

async fn flow_that_changes_before_the_list_is_fixed_is_skipped<S: FlowStore>(store: S) {
    dead_letters(&store, 1..3).await;
    let new = NewOperation::new(Action::Discard, "state=dead", "ada");
    let (operations, operation) = (of(&store), new.id);
    operations.prepare(new).await.unwrap();
    let seen = selected(&store, [1, 2]).await;
    assert!(store.resubmit(id(1)).await.unwrap().is_done());
    operations.select(operation, seen).await.unwrap();
    operations.fix(operation).await.unwrap();
    operations.start(operation).await.unwrap();
    let claimed = operations.claim_operation(None, LEASE).await.unwrap().expect("nobody has it");
    let ended = advance(&store, claimed, 10).await;
    assert_eq!((ended.done, ended.skipped), (1, 1));
    assert_eq!(stored(&store, 1).await.state, FlowState::Queued, "only dead letters were selected");
}

async fn queued_flows_are_postponed_and_discarded<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "c")]).await;
    let running = claim(&store, 10).await;
    assert_eq!(numbers(&running), [1, 3, 4]);
    let retry = AttemptOutcome::Retry { after: Duration::ZERO, failure: failure("not now"), body: None };
    assert!(record_outcome(&store, &running[1], retry).await);
    let claimed = started(&store, Action::Postpone(DAY), [1, 2, 3]).await;
    let operation = advance(&store, claimed, 10).await;
    assert_eq!(operation.action, Action::Postpone(DAY));
    assert_eq!((operation.done, operation.skipped), (2, 1));
    let skipped = reasons(&store, operation.id, ItemState::Skipped).await;
    assert_eq!(skipped, [(1, Some("an attempt is running".to_owned()))]);
    assert!(complete(&store, &running[0]).await);
    assert!(claim(&store, 10).await.is_empty(), "both wait");
    let claimed = started(&store, Action::Discard, [2, 4]).await;
    assert!(complete(&store, &running[2]).await);
    let operation = advance(&store, claimed, 10).await;
    assert_eq!((operation.done, operation.skipped), (1, 1));
    elapse(&store, DAY).await;
    assert_eq!(numbers(&claim(&store, 10).await), [3], "the discarded flow never runs");
}

async fn operation_that_is_not_started_expires<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    dead_letters(&store, 1..2).await;
    let operations = of(&store);
    let unstarted = prepared(&store, Action::Discard, [1]).await.id;
    let new = NewOperation::new(Action::Discard, "state=dead", "ada");
    let unfixed = new.id;
    operations.prepare(new).await.unwrap();
    let refused = operations.start(unfixed).await.unwrap().unwrap();
    assert_eq!(refused.state, OperationState::Preparing, "it has no list yet");
    elapse(&store, 2 * HOUR).await;
    assert_eq!(operations.start(unstarted).await.unwrap().unwrap().state, OperationState::Expired);
    assert_eq!(operations.fix(unfixed).await.unwrap().unwrap().state, OperationState::Expired);
    assert_eq!(
        operations.cancel(unstarted, "bob", true).await.unwrap().unwrap().state,
        OperationState::Expired
    );
    assert_eq!(operations.claim_operation(None, LEASE).await.unwrap(), None);
}

async fn cancelled_operation_leaves_the_other_flows<S: FlowStore>(store: S) {
    dead_letters(&store, 1..4).await;
    let claimed = started(&store, Action::Discard, 1..4).await;
    advance(&store, claimed, 1).await;
    let cancelled = of(&store).cancel(claimed.id, "bob", true).await.unwrap().unwrap();
    assert_eq!((cancelled.state, cancelled.done, cancelled.left()), (OperationState::Cancelled, 1, 2));
    assert!(cancelled.ended_at.is_some());
    assert_eq!((cancelled.cancelled_by.as_deref(), cancelled.cancelled_by_verified), (Some("bob"), true));
    assert_eq!(of(&store).advance(claimed, LEASE, 10).await.unwrap(), None);
    assert!(!of(&store).end(claimed, OperationState::Completed).await.unwrap());
    assert!(!of(&store).record(claimed).await.unwrap());
    let again = of(&store).cancel(claimed.id, "eve", false).await.unwrap().unwrap();
    assert_eq!(again, cancelled, "it is cancelled once");
    let recording = of(&store).claim_operation(None, LEASE).await.unwrap().expect("it is not recorded");
    assert!(of(&store).record(recording).await.unwrap());
    assert_eq!(of(&store).claim_operation(None, LEASE).await.unwrap(), None);
    assert_eq!(of(&store).start(claimed.id).await.unwrap().unwrap().state, OperationState::Cancelled);
    let left = reasons(&store, claimed.id, ItemState::Left).await;
    assert_eq!(left, [(2, None), (3, None)]);
    assert_eq!(stored(&store, 2).await.state, FlowState::Dead);
}

async fn operations_are_listed_and_purged<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    dead_letters(&store, 1..6).await;
    let operations = of(&store);
    let mut made = Vec::<Uuid>::new();
    for flows in [vec![1, 2, 3], vec![3], vec![4]] {
        // Ids are listed in the order of their times, which are milliseconds.
        let new = loop {
            let new = NewOperation::new(Action::Discard, "ids", "ada");
            if made.last().is_none_or(|last| last.as_u128() >> 80 < new.id.as_u128() >> 80) {
                break new;
            }
        };
        made.push(new.id);
        operations.prepare(new.clone()).await.unwrap();
        operations.select(new.id, selected(&store, flows).await).await.unwrap();
        operations.fix(new.id).await.unwrap();
    }
    let listed = async |after, limit| {
        let page = operations.list(after, limit).await.unwrap();
        (page.items.into_iter().map(|operation| operation.id).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(listed(None, 2).await, (vec![made[2], made[1]], Some(made[1])));
    assert_eq!(listed(Some(made[1]), 2).await, (vec![made[0]], None));
    let on = operations.operations_on(id(3)).await.unwrap();
    assert_eq!(on.iter().map(|operation| operation.id).collect::<Vec<_>>(), [made[1], made[0]]);
    assert_eq!(operations.operations_on(id(5)).await.unwrap(), []);
    let items = operations.items(made[0], None, None, 2).await.unwrap();
    assert_eq!(items.items.iter().map(|item| item.flow.as_u128()).collect::<Vec<_>>(), [1, 2]);
    let rest = operations.items(made[0], None, items.next, 2).await.unwrap();
    assert_eq!((rest.items[0].flow, rest.items.len(), rest.next), (id(3), 1, None));

    operations.start(made[0]).await.unwrap();
    operations.start(made[1]).await.unwrap();
    operations.cancel(made[1], "bob", false).await.unwrap();
    assert_eq!(operations.purge_operations(DAY).await.unwrap(), 0);
    elapse(&store, 2 * DAY).await;
    assert_eq!(operations.purge_operations(DAY).await.unwrap(), 2, "one that is running stays");
    assert_eq!(listed(None, 10).await, (vec![made[0]], None));
    assert_eq!(operations.items(made[1], None, None, 10).await.unwrap().items, []);
}
