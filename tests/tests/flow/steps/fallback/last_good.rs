//! The last good value: remembered on `Ok`, and returned in place of an error.

use std::time::Duration;

use graceful::{CallOutcome, Code, Step, backends::KeySpace, orchestrate};
use graceful_tests::{User, UserError, World, ada};
use tokio::time::advance;

use super::{BROKEN, eve};

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", fallback = last_good)]
async fn remembering(user: User, error: Option<UserError>) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated", fallback(last_good, max_age = "1h"))]
async fn remembering_for_an_hour(user: User, error: Option<UserError>) -> Result<User, UserError> {
    error.map_or(Ok(user), Err)
}

#[tokio::test]
async fn ok_remembers_the_value_beside_the_cached_one() {
    let world = World::new();
    world.run(remembering(ada(), None)).await.unwrap();
    let (report, result) = world.last(Step::Fallback);
    assert_eq!(result, "remembered");
    let remembered = world.cached(&world.entity().in_space(KeySpace::LastGood)).await.unwrap();
    assert_eq!(remembered.value.decode::<User>().unwrap(), ada());
    assert_eq!(remembered.stored_at, report.flow().timestamp());
}

#[tokio::test]
async fn err_is_recovered_by_the_last_good_value_and_runs_the_error_flow() {
    let world = World::new();
    world.run(remembering(ada(), None)).await.unwrap();
    let recovered = world.run(remembering(eve(), BROKEN)).await.unwrap();
    assert_eq!(recovered, ada());

    let (report, result) = world.last(Step::Fallback);
    assert_eq!(result, "recovered");
    let flow = report.flow();
    assert_eq!(
        (flow.ending(), flow.code(), flow.fallback_applied()),
        (CallOutcome::Err, Code::Internal, true)
    );
    assert_eq!(report.step(Step::Alert).to_string(), "fired");
    assert_eq!(world.events()[1].name(), "user_updated.failed");
    // The cached value was invalidated, the last good one is still there.
    assert_eq!(world.cached(&world.entity()).await, None);
    assert_eq!(world.run(remembering(eve(), BROKEN)).await.unwrap(), ada());
}

#[tokio::test]
async fn err_without_a_last_good_value_is_returned() {
    let world = World::new();
    assert!(matches!(world.run(remembering(ada(), BROKEN)).await, Err(UserError::Broken)));
    let (report, result) = world.last(Step::Fallback);
    assert_eq!(result, "skipped: nothing to recover with");
    assert!(!report.flow().fallback_applied());
}

#[tokio::test(start_paused = true)]
async fn last_good_value_without_max_age_never_expires() {
    let world = World::new();
    world.run(remembering(ada(), None)).await.unwrap();
    advance(Duration::from_secs(365 * 24 * 3600)).await;
    assert_eq!(world.run(remembering(eve(), BROKEN)).await.unwrap(), ada());
}

#[tokio::test(start_paused = true)]
async fn last_good_value_with_max_age_expires_and_use_does_not_renew_it() {
    let world = World::new();
    world.run(remembering_for_an_hour(ada(), None)).await.unwrap();
    for _ in 0..2 {
        advance(Duration::from_secs(1799)).await;
        assert_eq!(world.run(remembering_for_an_hour(eve(), BROKEN)).await.unwrap(), ada());
    }
    advance(Duration::from_secs(2)).await;
    world.run(remembering_for_an_hour(eve(), BROKEN)).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn success_renews_the_last_good_value() {
    let world = World::new();
    world.run(remembering_for_an_hour(ada(), None)).await.unwrap();
    advance(Duration::from_secs(1800)).await;
    world.run(remembering_for_an_hour(eve(), None)).await.unwrap();
    advance(Duration::from_secs(1801)).await;
    assert_eq!(world.run(remembering_for_an_hour(ada(), BROKEN)).await.unwrap(), eve());
}

/// A cache that keeps everything for ever, as one may that was written before the age was declared.
mod in_a_cache_that_keeps_everything {
    use graceful::{
        Key,
        backends::{Cache, CacheEntry, CacheWrite, Reply},
    };
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Keeps(&'static str);

    impl Cache for Keeps {
        fn get(&self, _: &Key) -> Reply<Option<CacheEntry>> {
            let entry = json!({ "value": ada(), "stored_at": self.0, "version": null });
            Reply::ready(Some(serde_json::from_str(&entry.to_string()).unwrap()))
        }

        fn put(&self, _: &Key, _: CacheEntry, _: Option<Duration>) -> Reply<CacheWrite> {
            Reply::ready(CacheWrite::Done)
        }

        fn invalidate(&self, _: &Key, _: Option<i64>, _: Duration) -> Reply<CacheWrite> {
            Reply::ready(CacheWrite::Done)
        }
    }

    #[tokio::test]
    async fn age_of_the_last_good_value_is_checked_on_read() {
        let old = World::with(|builder| builder.cache(Keeps("2001-01-01T00:00:00Z")));
        old.run(remembering_for_an_hour(eve(), BROKEN)).await.unwrap_err();
        assert_eq!(old.run(remembering(eve(), BROKEN)).await.unwrap(), ada());
        let fresh = World::with(|builder| builder.cache(Keeps("9001-01-01T00:00:00Z")));
        assert_eq!(fresh.run(remembering_for_an_hour(eve(), BROKEN)).await.unwrap(), ada());
    }
}
