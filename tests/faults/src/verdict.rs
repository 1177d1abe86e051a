//! What must hold after all kills.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use graceful::backends::{FlowQuery, FlowState, FlowStore as _, StoredFlow};
use graceful_sqlite::Store;
use serde_json::Value;
use sqlx::Row as _;

use crate::child;

/// A call: the kind of handler, the entity, the number.
pub type Call = (String, u64, u64);

pub fn call(line: &str) -> Option<Call> {
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Every event that was emitted, in order.
fn events(dir: &Path) -> Vec<(String, Value)> {
    let text = String::from_utf8_lossy(&std::fs::read(dir.join("events")).unwrap()).into_owned();
    // What is no JSON was torn by a kill.
    text.lines().filter_map(|line| Some((line.to_owned(), serde_json::from_str(line).ok()?))).collect()
}

fn called(event: &Value) -> Call {
    let subject = event["subject"].as_str().unwrap();
    let (pattern, entity) = subject.split_once('/').unwrap();
    let n = event["data"]["actor_id"].as_str().unwrap().parse().unwrap();
    (pattern.to_owned(), entity.parse().unwrap(), n)
}

/// All flows in a state.
async fn flows(store: &Store, state: FlowState) -> Vec<StoredFlow> {
    let mut flows = Vec::new();
    for flow in store.flows(FlowQuery::new(state, 10_000)).await.unwrap().items {
        flows.extend(store.get(flow.id).await.unwrap());
    }
    flows
}

/// Every acknowledged flow that could only be given up is a dead letter, and says why.
pub async fn check_the_doomed(dir: &Path, acknowledged: &BTreeSet<Call>) {
    let store = Store::open(dir.join("app.db")).await.unwrap();
    assert_eq!(flows(&store, FlowState::Queued).await, []);
    let letters = flows(&store, FlowState::Dead).await;
    assert!(letters.iter().all(|letter| letter.summary.error().is_some_and(|error| !error.is_empty())));
    let given_up: BTreeSet<Call> = letters
        .iter()
        .map(|letter| ("doomed".to_owned(), letter.flow().unwrap().entity_id().parse().unwrap(), 0))
        .collect();
    let lost: Vec<_> = acknowledged.difference(&given_up).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// No acknowledged flow is lost, none is there whose data is not; and, unless some could not be stored and ran at once, what came
/// twice is the same to the letter, and each entity's flows came in order. Answers how many there were.
pub async fn check(dir: &Path, acknowledged: &BTreeSet<Call>, all_stored: bool) -> usize {
    let (mut by_id, mut order) = (HashMap::new(), BTreeMap::<_, Vec<u64>>::new());
    let mut delivered = BTreeSet::new();
    for (line, event) in events(dir) {
        let id = event["id"].as_str().unwrap().to_owned();
        let call = called(&event);
        if let Some(before) = by_id.insert(id, line.clone()) {
            assert!(before == line || !all_stored, "what comes again is the same:\n{before}\n{line}");
            continue;
        }
        let (pattern, entity, n) = call.clone();
        order.entry((pattern, entity)).or_default().push(n);
        assert!(delivered.insert(call), "a call has one flow: {line}");
    }
    let lost: Vec<_> = acknowledged.difference(&delivered).collect();
    assert!(lost.is_empty(), "{} acknowledged flows are lost: {:?}", lost.len(), &lost[..lost.len().min(5)]);
    for (entity, numbers) in order {
        assert!(numbers.is_sorted() || !all_stored, "out of order: {entity:?} {numbers:?}");
    }

    let rows =
        sqlx::query("SELECT entity, n FROM data").fetch_all(&mut child::data(dir).await).await.unwrap();
    let number = |row: &sqlx::sqlite::SqliteRow, column| u64::try_from(row.get::<i64, _>(column)).unwrap();
    let data: BTreeSet<Call> =
        rows.iter().map(|row| ("tx".to_owned(), number(row, "entity"), number(row, "n"))).collect();
    let with_data: BTreeSet<Call> =
        delivered.iter().filter(|(pattern, ..)| pattern == "tx").cloned().collect();
    assert_eq!(data, with_data, "a flow is there if and only if its data is");

    let store = Store::open(dir.join("app.db")).await.unwrap();
    assert_eq!(flows(&store, FlowState::Queued).await, []);
    assert_eq!(flows(&store, FlowState::Dead).await, []);
    let head = store.verify(None).await.expect("the audit chain is whole");
    let recorded = usize::try_from(head.sequence).unwrap();
    // What ran at once was tried once.
    let each_once = if all_stored { recorded == delivered.len() } else { recorded <= delivered.len() };
    assert!(each_once, "{recorded} records of {} flows", delivered.len());
    delivered.len()
}
