//! A client disconnects, and the server drops the handler.

use graceful::{CallOutcome, Code};
use graceful_tests::World;
use tonic::Request;

use super::{served, service::Id};

#[tokio::test]
async fn cancelled_call_leaves_the_error_flow() {
    let world = World::new();
    let (client, gate) = served(&world).await;
    let mut going = client.clone();
    let call = tokio::spawn(async move { going.get(Request::new(Id { id: 3 })).await });
    gate.reached().await;
    call.abort();
    let flow = world.reports.until(1).await[0].flow().clone();
    assert_eq!(
        (flow.ending(), flow.code(), flow.entity_id().as_str()),
        (CallOutcome::Cancelled, Code::Cancelled, "3")
    );
}
