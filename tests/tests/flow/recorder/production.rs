//! A recorder runs the same code as production: each step has the same result as with another orchestrator.

use graceful::Step;
use graceful_testing::Recorder;
use graceful_tests::{UserError, World};

use super::{ada, update};

#[tokio::test]
async fn step_results_equal_those_without_a_recorder() {
    let (world, recorder) =
        (World::new(), Recorder::with(|builder| builder.service("users").environment("test")));
    for broken in [false, true, true, false] {
        let error = || broken.then_some(UserError::Broken);
        let plain = world.run(update(ada(), error())).await.is_ok();
        assert_eq!(recorder.run(update(ada(), error())).await.is_ok(), plain);
        assert_eq!(recorder.last().report().to_string(), world.reports.last().to_string());
        let (ours, plain) = (recorder.last().flow().clone(), world.reports.last().flow().clone());
        assert_eq!((ours.entity(), ours.payload()), (plain.entity(), plain.payload()));
    }
    let held = recorder.orchestrator().audit().unwrap().records(None, 9).await.unwrap();
    assert_eq!(held.len(), world.records().await.len());
}

#[tokio::test]
async fn backends_and_observers_of_the_user_are_used() {
    let world = World::new();
    let backends = world.backends.clone();
    let reports = graceful_tests::Reports::default();
    let recorder = Recorder::with(|builder| reports.of(builder.service("users").cache(backends.cache)));
    recorder.run(update(ada(), None)).await.unwrap();
    assert!(world.cached(&world.entity()).await.is_some(), "in the cache that was given");
    assert!(world.records().await.is_empty(), "and nowhere else");
    assert_eq!(reports.only().to_string(), recorder.only().report().to_string());
    assert!(recorder.only().step(Step::Cache).starts_with("put 42"));
}
