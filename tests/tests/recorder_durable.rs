//! `graceful::testing::Recorder` where a handler is durable: a program of its own, since each orchestrator of it needs a store.
#![allow(missing_docs, reason = "tests")]

use graceful::{Code, Step, orchestrate, testing::Recorder};
use graceful_tests::gate::awaited;

#[orchestrate(pattern = "user", cache = id, event = "user_seen", delivery = "durable")]
async fn durable(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

/// What the relay does is recorded, too.
#[tokio::test]
async fn a_durable_flow_is_waited_for_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful::backends::sqlite::Store::open(dir.path().join("flows.db")).await.unwrap();
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
