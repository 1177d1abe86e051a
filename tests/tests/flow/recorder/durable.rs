//! The recorder `graceful_testing::Recorder` with durable handlers.
#![allow(missing_docs, reason = "tests")]

use graceful::{
    Code, Step, StepError,
    backends::{Action, FlowState, PauseTarget},
    operations::{self, Selection},
    orchestrate,
};
use graceful_testing::Recorder;
use graceful_tests::gate::awaited;

#[orchestrate(pattern = "user", cache = id, event = "user_seen", delivery = "durable")]
async fn durable(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

/// The steps that the relay runs are recorded, too.
#[tokio::test]
async fn settled_waits_for_a_durable_flow_and_records_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(dir.path().join("flows.db")).await.unwrap();
    let recorder = Recorder::with(|builder| builder.flows(store));
    recorder.run(durable(1, None)).await.unwrap();
    awaited(recorder.ended(1)).await;
    recorder.last().assert_step(Step::Cache, "put 1 1");
    recorder.last().assert_step(Step::Event, "emit user_seen 1");
    recorder.run(durable(2, Some(Code::Internal))).await.unwrap_err();
    awaited(recorder.ended(2)).await;
    recorder.last().assert_step(Step::Cache, "invalidate 2");
    recorder.last().assert_step(Step::Event, "emit user_seen.failed null");
    assert_eq!(recorder.orchestrator().shutdown(std::time::Duration::MAX).await, 0);
}

/// A recorder has a store of its own, and its relay completes the flow.
#[tokio::test]
async fn durable_flow_of_a_new_recorder_is_settled_and_recorded() {
    let recorder = Recorder::new();
    recorder.run(durable(1, None)).await.unwrap();
    awaited(recorder.settled()).await;
    recorder.only().assert_step(Step::Event, "emit user_seen 1");
    recorder.run(durable(2, Some(Code::Internal))).await.unwrap_err();
    awaited(recorder.settled()).await;
    recorder.last().assert_step(Step::Event, "emit user_seen.failed null");
    assert_eq!(recorder.flows().len(), 2);
    assert!(recorder.orchestrator().stats().store_failures() == 0);
}

/// Another attempt would come only after a backoff, for which no test should wait.
#[tokio::test]
async fn durable_flow_with_a_failing_step_is_tried_once_and_settled() {
    let recorder = Recorder::new();
    recorder.fail(Step::Event, Some(StepError::new("the broker is unavailable")));
    recorder.run(durable(1, None)).await.unwrap();
    awaited(recorder.settled()).await;
    recorder.only().assert_step(Step::Event, "emit user_seen 1 -> FAILED: the broker is unavailable");
    recorder.only().assert_step(Step::Cache, "put 1 1");
}

/// A test of a service can act on its flows, too.
#[tokio::test]
async fn flow_of_a_recorder_can_be_paused_and_discarded() {
    let recorder = Recorder::new();
    let orchestrator = recorder.orchestrator();
    assert!(operations::pause(orchestrator, PauseTarget::Relays, "ada", "a test").await.unwrap());
    recorder.run(durable(1, None)).await.unwrap();
    let selection = Selection::Filter(FlowState::Queued.into());
    let prepared = operations::prepare(orchestrator, Action::Discard, &selection, "ada").await.unwrap();
    let started = operations::start(orchestrator, prepared.operation.id).await.unwrap();
    let ended = awaited(operations::run(orchestrator, started.id, |_| ())).await.unwrap();
    assert_eq!((ended.done, ended.skipped), (1, 0));
}

#[test]
fn durable_flow_outside_a_runtime_runs_at_once() {
    let recorder = Recorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(recorder.run(durable(1, None))).unwrap();
    recorder.only().assert_step(Step::Event, "emit user_seen 1");
    assert_eq!(recorder.orchestrator().stats().store_failures(), 1);
}
