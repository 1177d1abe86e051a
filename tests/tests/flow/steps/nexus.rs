//! The `nexus` step registers the pattern on `Ok` and `pattern.error` on `Err`.

use graceful::{Step, backends::Nexus as _};
use graceful_tests::{UserError, World, ada};

step!(Nexus nexus, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Nexus);
by_path!(Nexus nexus, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn ok_registers_the_pattern() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    counts_once(&world, "user").await;
}

#[tokio::test]
async fn err_registers_the_error_pattern() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Missing))).await.unwrap_err();
    counts_once(&world, "user.error").await;
}

async fn counts_once(world: &World, pattern: &str) {
    let (report, result) = world.last(Step::Nexus);
    let (id, at) = (report.flow().id(), report.flow().timestamp());
    assert_eq!(result, "registered");
    let used = world.patterns().await;
    let [used] = &used[..] else { panic!("one pattern: {used:?}") };
    assert_eq!((used.pattern.as_str(), used.count), (pattern, 1));
    assert_eq!((used.first_used, used.last_used), (at, at));
    let trace = world.backends.nexus.trace(&world.entity()).await.unwrap();
    let [traced] = &trace[..] else { panic!("one trace: {trace:?}") };
    assert_eq!((traced.pattern.as_str(), traced.flow, traced.at), (pattern, id, at));
}

#[tokio::test]
async fn pattern_and_error_pattern_are_counted_separately() {
    let world = World::new();
    for error in [None, Some(UserError::Broken), None] {
        drop(world.run(crate::steps::update(ada(), error)).await);
    }
    let used: Vec<_> =
        world.patterns().await.iter().map(|used| (used.pattern.to_string(), used.count)).collect();
    assert_eq!(used, [("user".to_owned(), 2), ("user.error".to_owned(), 1)]);
}
