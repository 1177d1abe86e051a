//! The `cache` step puts the value on `Ok` and invalidates the key on `Err`.

use std::time::Duration;

use graceful::{Code, Step, orchestrate};
use graceful_tests::{User, UserError, World, ada};
use tokio::time::advance;

step!(Cache cache, |user| [key = user.id,] [event = "user_updated"]);
backend!(Cache);

const BROKEN: Option<UserError> = Some(UserError::Broken);

#[tokio::test]
async fn ok_puts_the_value() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();

    let (report, result) = world.last(Step::Cache);
    assert_eq!(result, "put");
    assert_eq!(report.flow().cache_key(), Some(world.entity()));
    let entry = world.cached(&world.entity()).await.unwrap();
    assert_eq!(entry.value.as_json(), r#"{"id":42,"name":"Ada"}"#);
    assert_eq!((entry.stored_at, entry.version), (report.flow().timestamp(), None));
    assert_eq!(world.orchestrator.cached::<User>("user", 42).await.unwrap(), Some(ada()));
}

#[tokio::test]
async fn err_invalidates_the_key() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    world.run(crate::steps::update(ada(), BROKEN)).await.unwrap_err();

    assert_eq!(world.last(Step::Cache).1, "invalidated");
    assert_eq!(world.cached(&world.entity()).await, None);
}

mod codes {
    use super::*;

    #[tokio::test]
    async fn err_whose_code_leaves_the_state_untouched_keeps_the_value() {
        use Code::{
            AlreadyExists, FailedPrecondition, InvalidArgument, OutOfRange, PermissionDenied,
            ResourceExhausted, Unauthenticated,
        };
        for code in [
            InvalidArgument,
            PermissionDenied,
            Unauthenticated,
            AlreadyExists,
            FailedPrecondition,
            OutOfRange,
            ResourceExhausted,
        ] {
            assert_eq!(after(code).await, (true, "kept: the state is untouched".to_owned()), "{code}");
        }
    }

    #[tokio::test]
    async fn err_whose_code_does_not_invalidates_the_key() {
        use Code::{
            Aborted, Cancelled, DataLoss, DeadlineExceeded, Internal, NotFound, Unavailable, Unimplemented,
            Unknown,
        };
        for code in [
            Cancelled,
            Unknown,
            DeadlineExceeded,
            NotFound,
            Aborted,
            Unimplemented,
            Internal,
            Unavailable,
            DataLoss,
        ] {
            assert_eq!(after(code).await, (false, "invalidated".to_owned()), "{code}");
        }
    }

    /// Whether a cached value survives an error, and what the step says.
    async fn after(code: Code) -> (bool, String) {
        let world = World::new();
        world.run(crate::steps::answer(ada(), None)).await.unwrap();
        assert_eq!(world.run(crate::steps::answer(ada(), Some(code))).await, Err(code));
        (world.cached(&world.entity()).await.is_some(), world.last(Step::Cache).1)
    }
}

mod ttl {
    use super::*;

    #[orchestrate(pattern = "user", cache(key = user.id, ttl = "90s"))]
    async fn short(user: User) -> Result<User, UserError> {
        Ok(user)
    }

    #[tokio::test(start_paused = true)]
    async fn time_to_live_is_ten_minutes_by_default() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        lives_for(&world, Duration::from_secs(600)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn time_to_live_is_that_of_the_argument() {
        let world = World::new();
        world.run(short(ada())).await.unwrap();
        lives_for(&world, Duration::from_secs(90)).await;
    }

    async fn lives_for(world: &World, ttl: Duration) {
        let last = Duration::from_millis(10);
        advance(ttl.saturating_sub(last)).await;
        assert!(world.cached(&world.entity()).await.is_some());
        advance(last).await;
        assert_eq!(world.cached(&world.entity()).await, None);
    }
}

mod success {
    use super::*;

    #[orchestrate(pattern = "user", cache(key = user.id, on_ok = "invalidate"))]
    async fn invalidates(user: User) -> Result<User, UserError> {
        Ok(user)
    }

    #[orchestrate(pattern = "user", cache = user.id)]
    async fn answers_nothing(user: &User) -> Result<(), UserError> {
        drop(user.clone());
        Ok(())
    }

    #[orchestrate(pattern = "user", cache(key = user.id, on_ok = "put"))]
    async fn puts_nothing(user: &User) -> Result<(), UserError> {
        drop(user.clone());
        Ok(())
    }

    struct Opaque;

    #[orchestrate(pattern = "user", cache = user.id)]
    async fn answers_what_cannot_be_serialised(user: &User) -> Result<Opaque, UserError> {
        drop(user.clone());
        Ok(Opaque)
    }

    #[orchestrate(pattern = "user", cache(key = user.id, value = user.name))]
    async fn puts_another_value(user: &User) -> Result<Opaque, UserError> {
        drop(user.clone());
        Ok(Opaque)
    }

    #[orchestrate(pattern = "user", cache(key = result.id, value = result.name))]
    async fn of_the_result(user: User) -> Result<User, UserError> {
        Ok(user)
    }

    async fn cached_before() -> World {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        world
    }

    #[tokio::test]
    async fn ok_with_on_ok_invalidate_invalidates_the_key() {
        let world = cached_before().await;
        world.run(invalidates(ada())).await.unwrap();
        assert_eq!(world.last(Step::Cache).1, "invalidated");
        assert_eq!(world.cached(&world.entity()).await, None);
    }

    #[tokio::test]
    async fn ok_without_a_value_invalidates_the_key() {
        let world = cached_before().await;
        world.run(answers_nothing(&ada())).await.unwrap();
        assert_eq!(world.last(Step::Cache).1, "invalidated");
        assert_eq!(world.cached(&world.entity()).await, None);
    }

    #[tokio::test]
    async fn ok_whose_value_is_not_serialize_invalidates_the_key() {
        let world = cached_before().await;
        assert!(world.run(answers_what_cannot_be_serialised(&ada())).await.is_ok());
        assert_eq!(world.last(Step::Cache).1, "invalidated: the `Ok` value is not `Serialize`");
        assert_eq!(world.cached(&world.entity()).await, None);
    }

    #[tokio::test]
    async fn ok_without_a_value_and_with_on_ok_put_puts_null() {
        let world = cached_before().await;
        world.run(puts_nothing(&ada())).await.unwrap();
        assert_eq!(world.last(Step::Cache).1, "put");
        assert_eq!(world.cached(&world.entity()).await.unwrap().value.as_json(), "null");
    }

    #[tokio::test]
    async fn value_argument_is_put_in_place_of_the_result() {
        let world = World::new();
        assert!(world.run(puts_another_value(&ada())).await.is_ok());
        assert_eq!(world.cached(&world.entity()).await.unwrap().value.as_json(), r#""Ada""#);
        assert!(world.last(Step::Cache).0.flow().payload().is_null());
    }

    #[tokio::test]
    async fn key_and_value_can_be_parts_of_the_result() {
        let world = World::new();
        world.run(of_the_result(ada())).await.unwrap();
        assert_eq!(world.cached(&world.entity()).await.unwrap().value.as_json(), r#""Ada""#);
    }
}

mod error {
    use super::*;

    #[orchestrate(pattern = "user", cache(key = user.id, on_err = "keep"))]
    async fn keeps(user: User) -> Result<User, Code> {
        Err(if user.id == 42 { Code::DataLoss } else { Code::Internal })
    }

    #[orchestrate(pattern = "user", cache(key = user.id, on_err = "always"))]
    async fn always(user: User) -> Result<User, Code> {
        Err(if user.id == 42 { Code::InvalidArgument } else { Code::Internal })
    }

    #[orchestrate(pattern = "user", cache(key = user.id, on_err = "auto"))]
    async fn auto(user: User, code: Code) -> Result<User, Code> {
        Err(if user.id == 42 { code } else { Code::Internal })
    }

    #[orchestrate(pattern = "user", cache = result.id)]
    async fn without_a_key(error: Code) -> Result<User, Code> {
        Err(error)
    }

    #[tokio::test]
    async fn err_with_on_err_keep_keeps_the_value() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        world.run(keeps(ada())).await.unwrap_err();
        assert_eq!(world.last(Step::Cache).1, "kept");
        assert!(world.cached(&world.entity()).await.is_some());
    }

    #[tokio::test]
    async fn err_with_on_err_invalidate_invalidates_the_key() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        world.run(always(ada())).await.unwrap_err();
        assert_eq!(world.last(Step::Cache).1, "invalidated");
        assert_eq!(world.cached(&world.entity()).await, None);
    }

    #[tokio::test]
    async fn default_of_on_err_decides_by_the_code() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        world.run(auto(ada(), Code::OutOfRange)).await.unwrap_err();
        assert!(world.cached(&world.entity()).await.is_some());
        world.run(auto(ada(), Code::Aborted)).await.unwrap_err();
        assert_eq!(world.cached(&world.entity()).await, None);
    }

    #[tokio::test]
    async fn err_with_a_key_from_the_result_is_skipped() {
        let world = World::new();
        world.run(crate::steps::update(ada(), None)).await.unwrap();
        world.run(without_a_key(Code::Internal)).await.unwrap_err();
        assert_eq!(world.last(Step::Cache).1, "skipped: no key");
        assert!(world.cached(&world.entity()).await.is_some());
    }
}

mod key {
    use std::fmt;

    use super::*;

    #[orchestrate(pattern = "user", cache = name, event = "renamed")]
    async fn named(name: &str, error: Option<Code>) -> Result<usize, Code> {
        error.map_or(Ok(name.len()), Err)
    }

    struct Explosive(String);

    impl fmt::Display for Explosive {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no name")
        }
    }

    #[orchestrate(pattern = "user", cache = key, event = "renamed")]
    async fn explosive(key: Explosive, error: Option<Code>) -> Result<(), Code> {
        drop(key.0);
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = id)]
    async fn keyless(id: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(id), Err)
    }

    #[tokio::test]
    async fn step_without_a_key_is_skipped() {
        let world = World::new();
        world.run(keyless(1, None)).await.unwrap();
        assert_eq!(world.last(Step::Cache).1, "skipped: no key");
        world.run(keyless(1, Some(Code::Internal))).await.unwrap_err();
        assert_eq!(world.last(Step::Cache).1, "skipped: no key");
    }

    #[tokio::test]
    async fn empty_key_fails_the_step() {
        let world = World::new();
        assert_eq!(world.run(named("", None)).await, Ok(0));
        assert_eq!(world.last(Step::Cache).1, "FAILED: the cache key is empty");
        assert_eq!(world.run(named("", Some(Code::Internal))).await, Err(Code::Internal));
        assert_eq!(world.last(Step::Cache).1, "FAILED: the cache key is empty");
    }

    #[tokio::test]
    async fn panicking_key_expression_fails_cache_step() {
        let world = World::new();
        assert_eq!(world.run(explosive(Explosive(String::new()), None)).await, Ok(()));
        let why = "FAILED: the cache key panicked: no name";
        assert_eq!(world.last(Step::Cache).1, why);
        assert_eq!(
            world.run(explosive(Explosive(String::new()), Some(Code::Internal))).await,
            Err(Code::Internal)
        );
        assert_eq!(world.last(Step::Cache).1, why);
    }
}
