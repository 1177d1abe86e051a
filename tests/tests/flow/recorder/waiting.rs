//! The recorder waits for background work without sleeping.

use std::{pin::pin, sync::Arc};

use graceful::{CallOutcome, Code, Flow, Step, StepError, orchestrate};
use graceful_testing::Recorder;
use graceful_tests::{Gate, gate::awaited};

static GATE: Gate = Gate::closed();

async fn gated(_: &Flow) -> Result<(), StepError> {
    GATE.pass().await;
    Ok(())
}

#[orchestrate(pattern = "n", id = n, delivery = "background", audit = gated)]
async fn background(n: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(n), Err)
}

#[tokio::test]
async fn settled_waits_for_the_last_flow() {
    let recorder = Recorder::new();
    awaited(recorder.settled()).await;
    recorder.run(background(1, None)).await.unwrap();
    recorder.run(background(2, Some(Code::Internal))).await.unwrap_err();
    GATE.reached().await;
    let mut settled = pin!(recorder.settled());
    let waker = std::task::Waker::noop();
    assert!(settled.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    GATE.open_for(2);
    awaited(settled).await;
    let mut endings: Vec<_> = recorder.flows().iter().map(|flow| flow.flow().ending()).collect();
    endings.sort_by_key(|ending| *ending as u8);
    assert_eq!(endings, [CallOutcome::Ok, CallOutcome::Err]);
    for flow in recorder.flows() {
        flow.assert_step(Step::Audit, "overridden");
    }
}

#[orchestrate(pattern = "n", id = 1, event = "seen")]
async fn hangs(gate: &Gate) -> Result<(), Code> {
    gate.pass().await;
    Ok(())
}

#[tokio::test]
async fn settled_waits_for_the_flow_of_a_dropped_handler() {
    let recorder = Recorder::new();
    let gate = Arc::new(Gate::closed());
    {
        let mut call = pin!(recorder.run(hangs(&gate)));
        let waker = std::task::Waker::noop();
        assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    awaited(recorder.settled()).await;
    let flow = recorder.only();
    assert_eq!(flow.flow().ending(), CallOutcome::Cancelled);
    flow.assert_step(Step::Event, "emit seen.failed null");
}

#[tokio::test]
async fn ended_waits_for_a_handler_in_another_task() {
    let recorder = Recorder::new();
    let gate = Arc::new(Gate::closed());
    let at = Arc::clone(&gate);
    let task = tokio::spawn(recorder.run(async move { hangs(&at).await }));
    gate.reached().await;
    assert!(recorder.flows().is_empty());
    gate.open_for(1);
    assert_eq!(awaited(recorder.ended(1)).await.len(), 1);
    awaited(task).await.unwrap().unwrap();
}
