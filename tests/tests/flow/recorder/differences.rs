//! The text that a failed assertion of the recorder prints.

use graceful::Step;
use graceful_testing::Recorder;
use graceful_tests::{User, UserError};

use super::{ada, panic_of, update};

#[tokio::test]
async fn failed_assert_step_shows_expected_and_recorded_effects() {
    let recorder = Recorder::new();
    recorder.run(update(ada(), Some(UserError::Broken))).await.unwrap_err();
    let flow = recorder.only();
    let told = panic_of(|| flow.assert_step(Step::Cache, "put 42 null"));
    assert_eq!(
        told,
        "\
a step did not do what was expected
user 42: update -> err INTERNAL
    step      expected     recorded
    fallback               skipped: not declared
    metadata               record
  ! cache     put 42 null  invalidate 42
    graph                  relate failed flow
    schedule               open -> opened
    event                  emit user_updated.failed null
    nexus                  register user.error
    audit                  append
    alert                  fire error -> opened"
    );
}

#[tokio::test]
async fn failed_assert_steps_marks_missing_and_unexpected_steps() {
    let recorder = Recorder::new();
    recorder.run(update(ada(), None)).await.unwrap();
    let flow = recorder.only();
    let told = panic_of(|| {
        flow.assert_steps([
            (Step::Fallback, "get 42"),
            (Step::Metadata, "record"),
            (Step::Cache, r#"put 42 {"id":42,"name":"Ada"}"#),
            (Step::Graph, "relate succeeded flow"),
            (Step::Schedule, "complete -> no open job"),
            (Step::Event, "emit user_updated null"),
            (Step::Audit, "append"),
            (Step::Alert, "resolve -> no open alert"),
        ]);
    });
    assert_eq!(
        told,
        r#"a step did not do what was expected
user 42: update -> ok OK
    step      expected                       recorded
  ! fallback  get 42                         skipped: not declared
    metadata  record                         record
    cache     put 42 {"id":42,"name":"Ada"}  put 42 {"id":42,"name":"Ada"}
    graph     relate succeeded flow          relate succeeded flow
    schedule  complete -> no open job        complete -> no open job
  ! event     emit user_updated null         emit user_updated {"id":42,"name":"Ada"}
  ! nexus     (nothing)                      register user
    audit     append                         append
    alert     resolve -> no open alert       resolve -> no open alert"#
    );
}

#[tokio::test]
async fn long_effect_is_wrapped_to_the_next_line() {
    let recorder = Recorder::new();
    let user = User { id: 42, name: "x".repeat(70) };
    recorder.run(update(user, None)).await.unwrap();
    let flow = recorder.only();
    let told = panic_of(|| flow.assert_step(Step::Cache, &"y".repeat(50)));
    let lines: Vec<_> = told.lines().filter(|line| line.contains("yy") || line.contains("xx")).collect();
    let x = |count| "x".repeat(count);
    assert_eq!(
        lines[0],
        format!("  ! cache     {}  put 42 {{\"id\":42,\"name\":\"{}", "y".repeat(48), x(24))
    );
    assert_eq!(lines[1], format!("              {:<48}  {}\"}}", "yy", x(46)));
    assert!(lines.iter().all(|line| line.chars().count() <= 112), "{told}");
}

#[tokio::test]
async fn only_panics_unless_there_is_one_flow() {
    let recorder = Recorder::new();
    for error in [None, Some(UserError::Broken)] {
        let _ = recorder.run(update(ada(), error)).await;
    }
    let told = panic_of(|| drop(recorder.only()));
    assert_eq!(
        told,
        "2 flows have ended, but one was expected:\n  user 42: update -> ok OK\n  user 42: update -> err INTERNAL"
    );
}
