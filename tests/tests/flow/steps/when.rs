//! `when`: if it is false, the call has no flow.

use graceful::{CallOutcome, Code, orchestrate};
use graceful_tests::World;

#[orchestrate(pattern = "user", id = 42, when = wanted)]
async fn at_entry(wanted: bool, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", id = 42, when = *result > 1)]
async fn of_the_result(value: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(value), Err)
}

#[orchestrate(pattern = "user", id = 42, when = wanted)]
fn sync_at_entry(wanted: bool, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

#[orchestrate(pattern = "user", id = 42, when = wanted)]
async fn panicking(wanted: bool) -> Result<u64, Code> {
    panic!("wanted: {wanted}")
}

fn endings(world: &World) -> Vec<CallOutcome> {
    world.reports.all().iter().map(|report| report.flow().ending()).collect()
}

#[tokio::test]
async fn false_when_at_entry_suppresses_both_flows() {
    let world = World::new();
    assert_eq!(world.run(at_entry(false, None)).await, Ok(1));
    assert_eq!(world.run(at_entry(false, Some(Code::Internal))).await, Err(Code::Internal));
    assert_eq!(endings(&world), []);
    world.run(at_entry(true, None)).await.unwrap();
    world.run(at_entry(true, Some(Code::Internal))).await.unwrap_err();
    assert_eq!(endings(&world), [CallOutcome::Ok, CallOutcome::Err]);
}

#[tokio::test]
async fn false_when_over_the_result_suppresses_the_success_flow_only() {
    let world = World::new();
    assert_eq!(world.run(of_the_result(1, None)).await, Ok(1));
    assert_eq!(endings(&world), []);
    assert_eq!(world.run(of_the_result(2, None)).await, Ok(2));
    assert_eq!(world.run(of_the_result(1, Some(Code::Internal))).await, Err(Code::Internal));
    assert_eq!(endings(&world), [CallOutcome::Ok, CallOutcome::Err]);
}

#[tokio::test]
async fn false_when_suppresses_the_flows_of_sync_handlers() {
    let world = World::new();
    let call = |wanted, error| world.orchestrator.sync_scope(|| sync_at_entry(wanted, error));
    assert_eq!(call(false, None), Ok(1));
    assert_eq!(call(false, Some(Code::Internal)), Err(Code::Internal));
    assert_eq!(endings(&world), []);
    call(true, None).unwrap();
    call(true, Some(Code::Internal)).unwrap_err();
    assert_eq!(endings(&world), [CallOutcome::Ok, CallOutcome::Err]);
}

#[tokio::test]
async fn false_when_suppresses_the_flow_of_a_panic() {
    let world = World::new();
    for (wanted, flows) in [(false, 0), (true, 1)] {
        let call = tokio::spawn(world.run(panicking(wanted)));
        assert!(call.await.unwrap_err().is_panic());
        assert_eq!(world.reports.count(), flows);
    }
}
