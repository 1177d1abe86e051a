//! Rows that cannot be read hide no others.

use std::time::Duration;

use graceful::backends::{
    Action, FlowFilter, FlowQuery, FlowState, FlowStore as _, Lane, NewOperation, Operations as _,
    QueuedFlow, Room, SelectedFlow, Uuid,
};
use sqlx::{Connection as _, SqliteConnection};

use super::fresh;

const LEASE: Duration = Duration::from_mins(10);

#[tokio::test]
async fn row_that_cannot_be_read_is_listed_discarded_and_keeps_no_other_from_running() {
    let (_dir, store) = fresh().await;
    let ids = [1, 2, 3].map(Uuid::from_u128);
    for id in ids {
        let flow = QueuedFlow::new(id, format!("e{id}"), "h", Lane::default(), Vec::new());
        store.enqueue(flow).await.unwrap();
    }
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    for (column, value, id) in [("attempts", "-5", ids[0]), ("error", "CAST(x'ff' AS TEXT)", ids[1])] {
        let statement =
            sqlx::AssertSqlSafe(format!("UPDATE graceful_flows SET {column} = {value} WHERE id = ?"));
        sqlx::query(statement).bind(id).execute(&mut connection).await.unwrap();
    }
    let listed = store.flows(FlowQuery::new(FlowFilter::default(), 10)).await.unwrap().items;
    let unreadable =
        listed.iter().filter(|flow| flow.error().is_some_and(|error| error.contains("cannot be read")));
    assert_eq!((listed.len(), unreadable.count()), (3, 2), "{listed:?}");
    assert!(listed.iter().all(|flow| flow.handler == "h"), "the body is decoded with it: {listed:?}");
    let claims = store.claim(Room::of(10), LEASE).await.unwrap();
    assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), ids[1..], "{claims:?}");

    sqlx::query("UPDATE graceful_flows SET due = 0").execute(&mut connection).await.unwrap();
    let new = NewOperation::new(Action::Discard, "id", "ada");
    let (operation, flow) = (new.id, store.get(ids[1]).await.unwrap().unwrap().summary);
    store.prepare(new).await.unwrap();
    store.select(operation, vec![SelectedFlow::of(&flow)]).await.unwrap();
    store.fix(operation).await.unwrap();
    store.start(operation).await.unwrap();
    let claim = store.claim_operation(Some(operation), LEASE).await.unwrap().unwrap();
    assert_eq!(store.advance(claim, LEASE, 10).await.unwrap().unwrap().done, 1);
    assert_eq!(store.get(ids[1]).await.unwrap().unwrap().summary.state, FlowState::Discarded);
}
