//! The recorder with a backend that fails, either by `Recorder::fail` or by itself.

use graceful::{Step, StepError, StepErrorKind, orchestrate};
use graceful_testing::Recorder;
use graceful_tests::{Fault, Faulty, UserError};

use super::{ADA, ada, update};

#[tokio::test]
async fn backend_told_to_fail_fails_until_it_is_reset() {
    for error in [|| None, || Some(UserError::Broken)] {
        let recorder = Recorder::new();
        let name =
            if error().is_none() { format!("user_updated {ADA}") } else { "user_updated.failed null".into() };
        recorder.fail(Step::Event, Some(StepError::new("the broker is unavailable")));
        let _ = recorder.run(update(ada(), error())).await;
        recorder
            .last()
            .assert_step(Step::Event, &format!("emit {name} -> FAILED: the broker is unavailable"));
        let effects = recorder.last().effects().to_vec();
        assert_eq!(effects.iter().filter_map(|effect| effect.error()).count(), 1);
        assert_eq!(recorder.last().report().failures().count(), 1);
        recorder.last().assert_step(Step::Audit, "append");

        recorder.fail(Step::Event, None);
        let _ = recorder.run(update(ada(), error())).await;
        recorder.last().assert_step(Step::Event, &format!("emit {name}"));
        assert!(recorder.last().report().failures().next().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn faulty_backend_is_recorded_with_its_failure() {
    for (fault, told) in [
        (Fault::Fails, "append -> FAILED: the backend failed"),
        (Fault::FailsLater, "append -> FAILED: the backend failed"),
        (Fault::Panics, "append -> no answer"),
        (Fault::PanicsLater, "append -> no answer"),
        (Fault::Hangs, "append -> no answer"),
    ] {
        for error in [None, Some(UserError::Broken)] {
            let recorder = Recorder::with(|builder| builder.audit(Faulty(fault)));
            let _ = recorder.run(update(ada(), error)).await;
            recorder.only().assert_step(Step::Audit, told);
            assert!(recorder.only().report().step(Step::Audit).error().is_some());
        }
    }
}

#[orchestrate(pattern = "recorded_user", cache(key = id, read))]
async fn read_user(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "recorded_user", cache(key = id, required, on_ok = "invalidate"))]
async fn write_user(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

/// Reads and holds are not in a step, and fail all the same.
#[tokio::test]
async fn cache_told_to_fail_answers_no_read_and_confirms_no_hold() {
    let recorder = Recorder::new();
    assert_eq!(recorder.run(read_user(1)).await.unwrap(), 1);
    recorder.fail(Step::Cache, Some(StepError::new("the cache is unavailable")));
    assert_eq!(recorder.run(read_user(1)).await.unwrap(), 1);
    let stats = || recorder.orchestrator().cache_stats("recorded_user").unwrap();
    assert_eq!((stats().hits, stats().unanswered), (0, 1));
    let error = recorder.run(write_user(1)).await.unwrap_err();
    assert_eq!((error.kind(), stats().unconfirmed), (StepErrorKind::Unavailable, 2), "the hold, and the end");
    recorder.fail(Step::Cache, None);
    assert_eq!(recorder.run(write_user(1)).await.unwrap(), 1);
}
