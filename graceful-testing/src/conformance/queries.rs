//! The queries of a [`FlowStore`].

use std::{collections::BTreeSet, time::Duration};

use graceful::{
    Code, Step,
    backends::{
        AttemptFailure, AttemptOutcome, Claim, Count, FailureCause, FailureGroup, FlowFilter, FlowQuery,
        FlowState, FlowStore, FlowSummary, Lane, QueuedFlow,
    },
};
use uuid::Uuid;

use super::flows::{LEASE, claim, complete, dead, enqueue, failure, numbers, record_outcome, stored};

/// Reads all pages of this size.
async fn pages<S: FlowStore>(store: &S, filter: &FlowFilter, size: usize) -> Vec<FlowSummary> {
    let (mut all, mut query) = (Vec::new(), FlowQuery::new(filter.clone(), size));
    loop {
        let page = store.flows(query.clone()).await.expect("flows are listed");
        assert!(page.items.len() <= size);
        all.extend(page.items);
        let Some(next) = page.next else { return all };
        query =
            query.continued(next.to_string().parse().expect("a cursor has a text")).expect("the same filter");
    }
}

async fn selected<S: FlowStore>(store: &S, pairs: &[(&str, &str)]) -> BTreeSet<u128> {
    let filter = FlowFilter::parse(pairs.iter().copied()).expect("a filter");
    let flows = pages(store, &filter, 3).await;
    let count = store.count(filter, 1000).await.expect("flows are counted");
    assert_eq!(count, Count::exact(flows.len() as u64), "{pairs:?}");
    flows.iter().map(|flow| flow.id.as_u128()).collect()
}

fn in_order(flows: &[FlowSummary]) -> bool {
    flows.is_sorted_by(|newer, older| (newer.stored_at, newer.id) > (older.stored_at, older.id))
}

/// Three handlers with one flow in each state, and more queued ones.
async fn one_in_each_state<S: FlowStore>(store: &S) {
    for number in 0..12 {
        let handler = ["a::x", "a::y", "b::é'\0"][number as usize % 3];
        let (tenant, pattern) =
            (["", "acme", "a%3Ab"][number as usize % 3], ["user", "order"][number as usize % 2]);
        let entity = format!("svc:{tenant}:{pattern}:{number}");
        let flow = QueuedFlow::new(Uuid::from_u128(number), entity, handler, Lane::default(), Vec::new());
        store.enqueue(flow).await.expect("a flow is stored");
    }
    for claim in claim(store, 9).await {
        match claim.id.as_u128() / 3 {
            0 => assert!(complete(store, &claim).await),
            1 => assert!(fail(store, &claim, Step::Event, "no space for 7", false).await),
            _ => assert!(fail(store, &claim, Step::Audit, "SQLSTATE 40001", true).await),
        }
    }
}

async fn fail<S: FlowStore>(store: &S, claim: &Claim, step: Step, error: &str, again: bool) -> bool {
    let mut failure = AttemptFailure::new(FailureCause::at_step(&claim.handler, step, Code::Internal, error));
    failure.took = Duration::from_millis(5);
    failure.steps = vec![(Step::Cache, "put".to_owned()), (step, format!("failed: {error}"))];
    let outcome = match again {
        true => AttemptOutcome::Retry { after: LEASE, failure, body: None },
        false => AttemptOutcome::Dead { failure, body: None },
    };
    record_outcome(store, claim, outcome).await
}

pub(super) async fn pages_contain_every_flow_once_newest_first<S: FlowStore>(store: S) {
    assert_eq!(pages(&store, &FlowFilter::default(), 5).await, []);
    one_in_each_state(&store).await;
    for size in [1, 2, 5, 12, 100] {
        let flows = pages(&store, &FlowFilter::default(), size).await;
        assert!(in_order(&flows), "{flows:?}");
        assert_eq!(flows.iter().map(|flow| flow.id).collect::<BTreeSet<_>>().len(), 12, "{size} a page");
        for flow in &flows {
            assert_eq!(*flow, stored(&store, flow.id.as_u128()).await);
        }
    }
    let none = store.flows(FlowQuery::new(FlowFilter::default(), 0)).await.expect("flows are listed");
    assert_eq!((none.items, none.next), (Vec::new(), None));
}

pub(super) async fn every_filter_selects_its_flows<S: FlowStore>(store: S) {
    one_in_each_state(&store).await;
    let group = stored(&store, 3).await.failure.expect("it failed").group.to_string();
    let (first, last) = (stored(&store, 0).await.stored_at, stored(&store, 11).await.stored_at);
    let after = last.checked_add(Duration::from_micros(1)).expect("a time").to_string();
    for (pairs, expected) in [
        (vec![], (0..12).collect()),
        (vec![("state", "queued")], vec![6, 7, 8, 9, 10, 11]),
        (vec![("state", "completed")], vec![0, 1, 2]),
        (vec![("state", "dead")], vec![3, 4, 5]),
        (vec![("state", "discarded")], vec![]),
        (vec![("handler", "a::x")], vec![0, 3, 6, 9]),
        (vec![("handler", "b::é'\0")], vec![2, 5, 8, 11]),
        (vec![("handler", "a::")], vec![]),
        (vec![("handler", "a::y"), ("state", "dead")], vec![4]),
        (vec![("entity", "svc:acme:user:4")], vec![4]),
        (vec![("entity", "svc:acme:user:4"), ("state", "queued")], vec![]),
        (vec![("entity", "svc::order:9"), ("handler", "a::x")], vec![9]),
        (vec![("entity", "svc::order:9"), ("handler", "a::y")], vec![]),
        (vec![("tenant", "")], vec![0, 3, 6, 9]),
        (vec![("tenant", "acme")], vec![1, 4, 7, 10]),
        (vec![("tenant", "a:b")], vec![2, 5, 8, 11]),
        (vec![("tenant", "acm")], vec![]),
        (vec![("pattern", "user")], vec![0, 2, 4, 6, 8, 10]),
        (vec![("pattern", "user"), ("tenant", "acme"), ("state", "dead")], vec![4]),
        (vec![("step", "event")], vec![3, 4, 5]),
        (vec![("step", "audit"), ("state", "queued")], vec![6, 7, 8]),
        (vec![("code", "INTERNAL")], vec![3, 4, 5, 6, 7, 8]),
        (vec![("code", "NOT_FOUND")], vec![]),
        (vec![("text", "space for")], vec![3, 4, 5]),
        (vec![("text", "SPACE")], vec![]),
        (vec![("group", &*group)], vec![3]),
        (vec![("group", &*group), ("state", "queued")], vec![]),
        (vec![("group", &*group), ("handler", "a::y")], vec![]),
        (vec![("group", &*group), ("entity", "svc::order:3")], vec![3]),
        (vec![("since", &*first.to_string())], (0..12).collect()),
        (vec![("since", &*after)], vec![]),
        (vec![("since", "1h")], (0..12).collect()),
        (vec![("until", "1h")], vec![]),
        (vec![("until", &*first.to_string())], vec![]),
        (vec![("until", &*after), ("state", "dead"), ("handler", "a::x")], vec![3]),
    ] {
        assert_eq!(selected(&store, &pairs).await, expected.into_iter().collect(), "{pairs:?}");
    }
}

/// A flow that changes its state between two pages keeps its place.
pub(super) async fn cursor_survives_changes<S: FlowStore>(store: S) {
    one_in_each_state(&store).await;
    let query = FlowQuery::new(FlowFilter::default(), 4);
    let first = store.flows(query.clone()).await.expect("flows are listed");
    for claim in claim(&store, 10).await {
        assert!(complete(&store, &claim).await);
    }
    assert!(store.resubmit(Uuid::from_u128(3)).await.expect("it is dead").is_done());
    enqueue(&store, [(99, "later")]).await;
    let mut seen: Vec<_> = first.items.iter().map(|flow| flow.id.as_u128()).collect();
    let mut next = first.next;
    while let Some(cursor) = next {
        let page = store
            .flows(query.clone().continued(cursor).expect("its filter"))
            .await
            .expect("flows are listed");
        seen.extend(page.items.iter().map(|flow| flow.id.as_u128()));
        next = page.next;
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..12).collect::<Vec<_>>());
}

pub(super) async fn counts_are_capped<S: FlowStore>(store: S) {
    one_in_each_state(&store).await;
    for (pairs, cap, expected) in [
        (vec![], 12, Count::exact(12)),
        (vec![], 11, Count::at_least(11)),
        (vec![("state", "dead")], 3, Count::exact(3)),
        (vec![("state", "dead")], 2, Count::at_least(2)),
        (vec![("tenant", "acme")], 4, Count::exact(4)),
        (vec![("tenant", "acme")], 1, Count::at_least(1)),
        (vec![("handler", "nobody")], 0, Count::exact(0)),
        (vec![], 0, Count::at_least(0)),
    ] {
        let filter = FlowFilter::parse(pairs.iter().copied()).expect("a filter");
        assert_eq!(store.count(filter, cap).await.expect("flows are counted"), expected, "{pairs:?} {cap}");
    }
}

async fn groups<S: FlowStore>(store: &S, pairs: &[(&str, &str)], cap: u64) -> Vec<FailureGroup> {
    let filter = FlowFilter::parse(pairs.iter().copied()).expect("a filter");
    let groups = store.groups(filter, cap).await.expect("flows are grouped");
    assert!(!groups.more);
    groups.groups
}

pub(super) async fn failures_with_one_cause_are_one_group<S: FlowStore>(store: S) {
    assert_eq!(groups(&store, &[], 10).await, []);
    let entities: Vec<_> = (0..10).map(|number| format!("svc:t{}:user:{number}", number % 2)).collect();
    enqueue(&store, (0..).zip(entities.iter().map(|entity| &**entity))).await;
    for claim in claim(&store, 10).await {
        let number = claim.id.as_u128();
        let same = Claim::new(claim.claim_id(), claim.attempt, "a::x", claim.lane, Vec::new());
        // Of the first cause, the last two flows will be tried again.
        assert!(match number {
            0..6 => fail(&store, &same, Step::Event, &format!("no space for {number}"), number >= 4).await,
            6..9 => fail(&store, &same, Step::Audit, &format!("no space for {number}"), false).await,
            _ => complete(&store, &claim).await,
        });
    }
    let found = groups(&store, &[], 100).await;
    let [first, second] = &*found else { panic!("two groups: {found:?}") };
    assert_eq!((first.dead, first.retrying), (Count::exact(4), Count::exact(2)));
    assert_eq!((first.cause.step, first.cause.code), (Some(Step::Event), Some(Code::Internal)));
    assert_eq!((second.dead, second.retrying), (Count::exact(3), Count::exact(0)));
    let (oldest, newest) = (stored(&store, 0).await, stored(&store, second.example.as_u128()).await);
    assert_eq!(Some(first.first), oldest.failed_at);
    assert_eq!((Some(second.last), newest.failure.as_ref()), (newest.failed_at, Some(&second.cause)));

    let capped = groups(&store, &[], 2).await;
    assert_eq!((capped[0].dead, capped[0].retrying), (Count::at_least(2), Count::exact(2)));
    let group = second.cause.group.to_string();
    for (pairs, sizes) in [
        (vec![("state", "dead")], vec![4, 3]),
        (vec![("state", "queued")], vec![2]),
        (vec![("state", "completed")], vec![]),
        (vec![("step", "audit")], vec![3]),
        (vec![("group", &*group)], vec![3]),
        (vec![("group", "0000000000000007")], vec![]),
        (vec![("text", "for 5")], vec![1]),
        (vec![("tenant", "t0"), ("state", "dead")], vec![2, 2]),
        (vec![("entity", "svc:t1:user:7")], vec![1]),
        (vec![("since", "1h")], vec![6, 3]),
        (vec![("until", "1h")], vec![]),
    ] {
        let found = groups(&store, &pairs, 100).await;
        let sizes_of: Vec<_> = found.iter().map(|group| group.dead.number + group.retrying.number).collect();
        assert_eq!(sizes_of, sizes, "{pairs:?}");
    }
    assert!(store.resubmit(Uuid::from_u128(0)).await.expect("it is dead").is_done());
    assert_eq!(
        groups(&store, &[], 100).await[0].dead,
        Count::exact(3),
        "a resubmitted flow has not failed yet"
    );
}

pub(super) async fn attempts_stay_when_a_flow_is_resubmitted<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let id = Uuid::from_u128(1);
    assert_eq!(store.attempts(id).await.expect("attempts are listed"), []);
    enqueue(&store, [(1, "a")]).await;
    let first = claim(&store, 1).await.remove(0);
    assert!(fail(&store, &first, Step::Event, "no 'route' \0\n", true).await);
    assert!(!fail(&store, &first, Step::Event, "late", true).await, "a lost claim stores no attempt");
    elapse(&store, 2 * LEASE).await;
    let second = claim(&store, 1).await.remove(0);
    assert!(record_outcome(&store, &second, dead()).await);
    assert!(store.resubmit(id).await.expect("it is dead").is_done());
    let third = claim(&store, 1).await.remove(0);
    assert!(record_outcome(&store, &third, dead()).await);

    let attempts = store.attempts(id).await.expect("attempts are listed");
    let places: Vec<_> = attempts.iter().map(|attempt| (attempt.resubmitted, attempt.number)).collect();
    assert_eq!(places, [(0, 1), (0, 2), (1, 1)]);
    let of_first = &attempts[0].failure;
    assert_eq!((of_first.cause.step, of_first.took), (Some(Step::Event), Duration::from_millis(5)));
    assert_eq!(of_first.cause.error, "no 'route' \0\n");
    assert_eq!(of_first.steps.len(), 2);
    assert_eq!(of_first.steps[0], (Step::Cache, "put".to_owned()));
    assert_eq!(attempts[2].failure.cause.error, failure("no use").cause.error);
    assert!(attempts.is_sorted_by_key(|attempt| attempt.at));

    store.resubmit(id).await.expect("it is dead");
    assert!(complete(&store, &claim(&store, 1).await.remove(0)).await);
    assert_eq!(store.attempts(id).await.expect("attempts are listed").len(), 3, "also of a completed flow");
    assert_eq!(store.purge(FlowState::Completed, Duration::ZERO).await.expect("flows are purged"), 1);
    assert_eq!(store.attempts(id).await.expect("attempts are listed"), []);
    enqueue(&store, [(1, "a")]).await;
    assert_eq!(
        store.attempts(id).await.expect("attempts are listed"),
        [],
        "a new flow with this id has none"
    );
}

pub(super) async fn lag_counts_what_there_is_to_do<S: FlowStore>(
    store: S,
    elapse: &impl AsyncFn(&S, Duration),
) {
    let lag = async |cap| store.lag(cap).await.expect("the lag is measured");
    let empty = lag(10).await;
    assert_eq!((empty.queued, empty.running, empty.dead), Default::default());
    assert_eq!(empty.oldest_due, None);
    enqueue(&store, [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "d")]).await;
    let claims = claim(&store, 3).await;
    assert_eq!(numbers(&claims), [1, 3, 4]);
    assert!(record_outcome(&store, &claims[2], dead()).await);
    elapse(&store, LEASE / 2).await;
    let now = lag(10).await;
    assert_eq!((now.queued, now.running, now.dead), (Count::exact(4), Count::exact(2), Count::exact(1)));
    assert!(now.oldest_due.is_some_and(|age| age >= LEASE / 2 && age < LEASE), "{now:?}");
    assert!(complete(&store, &claim(&store, 1).await[0]).await);
    assert_eq!(lag(10).await.oldest_due, None, "what waits behind a running flow is not due");
    assert_eq!(lag(1).await.queued, Count::at_least(1));
    elapse(&store, LEASE).await;
    let expired = lag(10).await;
    assert_eq!(expired.running, Count::exact(0), "nobody runs a flow whose lease has expired");
    assert!(expired.oldest_due.is_some());
}
