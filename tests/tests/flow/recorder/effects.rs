//! The recorder records the effect of each step, for both flows.

use graceful::{CallOutcome, Code, Step, orchestrate};
use graceful_testing::Recorder;
use graceful_tests::{User, UserError, hooks};

use super::{ADA, ada, delete, update};

#[tokio::test]
async fn ok_records_the_effect_of_each_step() {
    let recorder = Recorder::new();
    recorder.run(update(ada(), None)).await.unwrap();
    let flow = recorder.only();
    flow.assert_steps([
        (Step::Metadata, "record"),
        (Step::Cache, &format!("put 42 {ADA}")),
        (Step::Graph, "relate succeeded flow"),
        (Step::Schedule, "complete -> no open job"),
        (Step::Event, &format!("emit user_updated {ADA}")),
        (Step::Nexus, "register user"),
        (Step::Audit, "append"),
        (Step::Alert, "resolve -> no open alert"),
    ]);
    assert_eq!(flow.flow().ending(), CallOutcome::Ok);
    assert_eq!(flow.report().steps().filter(|(_, result)| result.is_done()).count(), 8);
    assert_eq!(flow.effects().len(), 8);
}

#[tokio::test]
async fn err_records_the_effect_of_each_step() {
    let recorder = Recorder::new();
    recorder.run(update(ada(), Some(UserError::Broken))).await.unwrap_err();
    let flow = recorder.only();
    flow.assert_steps([
        (Step::Metadata, "record"),
        (Step::Cache, "invalidate 42"),
        (Step::Graph, "relate failed flow"),
        (Step::Schedule, "open -> opened"),
        (Step::Event, "emit user_updated.failed null"),
        (Step::Nexus, "register user.error"),
        (Step::Audit, "append"),
        (Step::Alert, "fire error -> opened"),
    ]);
    assert_eq!(flow.flow().ending(), CallOutcome::Err);
}

/// The success flow closes what the error flows opened.
#[tokio::test]
async fn ok_after_errors_closes_job_and_alert() {
    let recorder = Recorder::new();
    for _ in 0..2 {
        recorder.run(update(ada(), Some(UserError::Broken))).await.unwrap_err();
    }
    recorder.last().assert_step(Step::Schedule, "open -> bumped");
    recorder.last().assert_step(Step::Alert, "fire error -> repeated");
    recorder.run(update(ada(), None)).await.unwrap();
    recorder.last().assert_step(Step::Schedule, "complete -> completed");
    recorder.last().assert_step(Step::Alert, "resolve -> resolved");
    assert_eq!(recorder.flows().len(), 3);
}

/// An error that blames the client leaves the cached value and the alerts alone.
#[tokio::test]
async fn skipped_steps_are_recorded_with_their_reason() {
    let recorder = Recorder::new();
    recorder.run(delete(42, Some(Code::PermissionDenied))).await.unwrap_err();
    let flow = recorder.only();
    flow.assert_step(Step::Fallback, "skipped: not declared");
    flow.assert_step(Step::Cache, "kept: the state is untouched");
    flow.assert_step(Step::Alert, "skipped: not a server fault");
    flow.assert_step(Step::Event, "emit user_deleted.failed null");
}

#[tokio::test]
async fn step_with_two_effects_records_both() {
    let recorder = Recorder::new();
    recorder.run(delete(42, None)).await.unwrap();
    recorder.only().assert_step(Step::Cache, "forget 42, invalidate 42");
}

#[orchestrate(
    pattern = "user", cache(key = user.id, version = user.id), fallback = last_good, nexus = off, audit = hooks::both,
    graph(relation = "owns", to = "{user.name}")
)]
async fn versioned(user: User, error: Option<UserError>) -> Result<User, UserError> {
    error.map_or(Ok(user), Err)
}

#[tokio::test]
async fn step_options_change_the_recorded_effects() {
    let recorder = Recorder::new();
    recorder.run(versioned(ada(), Some(UserError::Broken))).await.unwrap_err();
    recorder.last().assert_step(Step::Fallback, "get 42 -> nothing");
    recorder.run(versioned(ada(), None)).await.unwrap();
    recorder.last().assert_step(Step::Fallback, &format!("put 42 {ADA}"));
    recorder.last().assert_step(Step::Nexus, "off");
    recorder.last().assert_step(Step::Audit, "overridden");
    recorder.last().assert_step(Step::Graph, "relate succeeded flow, owns Ada");
    recorder.run(versioned(ada(), Some(UserError::Broken))).await.unwrap();
    recorder.last().assert_step(Step::Fallback, "get 42 -> found");
    assert!(recorder.last().flow().fallback_applied());
}

#[tokio::test]
async fn concurrent_flows_record_their_own_effects() {
    let recorder = Recorder::new();
    let (ok, err) = tokio::join!(
        recorder.run(update(ada(), None)),
        recorder.run(update(User { id: 7, name: "Bob".into() }, Some(UserError::Broken))),
    );
    assert!(ok.is_ok() && err.is_err());
    for flow in recorder.flows() {
        let cache = match flow.flow().ending() {
            CallOutcome::Ok => format!("put 42 {ADA}"),
            _ => "invalidate 7".to_owned(),
        };
        flow.assert_step(Step::Cache, &cache);
        assert_eq!(flow.effects().len(), 8);
    }
}

/// Reading a backend from the test is not an effect of a step.
#[tokio::test]
async fn reads_by_the_test_are_not_recorded() {
    let recorder = Recorder::new();
    recorder.run(update(ada(), None)).await.unwrap();
    assert_eq!(recorder.orchestrator().cached::<User>("user", 42).await.unwrap(), Some(ada()));
    assert_eq!(recorder.orchestrator().audit().unwrap().records(None, 9).await.unwrap().len(), 1);
    assert_eq!(recorder.only().effects().len(), 8);
}
