//! An argument that has no value fails the steps that use it, on both arms, and no other step.

use std::fmt::Display;

use graceful::{
    Code, Failure, Flow, OrchestrationConfig, Step, StepErrorKind, Success,
    backends::{Cache as _, CacheEntry, Timestamp},
    orchestrate,
};
use graceful_tests::{User, UserError, World, ada};
use serde::{Serialize, Serializer, ser::Error as _};

/// What to write is a part of the reason.
const METADATA_IS_A_NUMBER: &str = "`metadata` is a number, and must be a JSON object: give the value a name, as in \
                                    `json!({ \"note\": value })`, or use a struct or a map";

fn boom<T>(_: impl Sized) -> T {
    panic!("no value")
}

fn none(_: &User) -> &'static str {
    ""
}

/// Cannot be serialised.
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

/// A handler per case, and the steps that fail on its arms.
macro_rules! cases {
    ($user:ident; $($name:ident: [$($arguments:tt)*], $reason:expr, ok [$($ok:ident)*], err [$($err:ident)*];)*) => {$(
        mod $name {
            use super::*;

            #[orchestrate(pattern = "user", $($arguments)*)]
            async fn handler($user: User, error: Option<UserError>) -> Result<User, UserError> {
                error.map_or(Ok($user), Err)
            }

            #[tokio::test]
            async fn ok_fails_the_steps_that_use_it() {
                let world = World::new();
                assert_eq!(world.run(handler(ada(), None)).await.unwrap(), ada());
                failed(&world, $reason, &[$(Step::$ok),*]);
            }

            #[tokio::test]
            async fn err_fails_the_steps_that_use_it() {
                let world = World::new();
                let error = world.run(handler(ada(), Some(UserError::Broken))).await.unwrap_err();
                assert!(matches!(error, UserError::Broken));
                failed(&world, $reason, &[$(Step::$err),*]);
            }
        }
    )*};
}

/// These steps fail, for this reason; all others are done.
#[track_caller]
fn failed(world: &World, reason: &str, steps: &[Step]) {
    let report = world.reports.only();
    let failed: Vec<_> = report.failures().map(|error| error.step().unwrap()).collect();
    assert_eq!(failed, steps, "{report}");
    for error in report.failures() {
        assert_eq!((error.kind(), error.message()), (StepErrorKind::Argument, reason), "{report}");
    }
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Fallback && !steps.contains(step)) {
        assert!(report.step(step).is_done(), "{step}: {report}");
    }
}

cases! { user;
    panicking_id: [id = boom::<u64>(user.id), cache = user.id, event = "seen"], "`id` panicked: no value",
        ok [Metadata Graph Schedule Audit Alert], err [Metadata Graph Schedule Audit Alert];
    empty_id: [id = none(&user), cache = user.id, event = "seen"], "the id is empty",
        ok [Metadata Graph Schedule Audit Alert], err [Metadata Graph Schedule Audit Alert];
    panicking_key: [cache = boom::<u64>(user.id), event = "seen"], "the cache key panicked: no value",
        ok [Metadata Cache Graph Schedule Audit Alert], err [Metadata Cache Graph Schedule Audit Alert];
    empty_key: [cache = none(&user), event = "seen"], "the cache key is empty",
        ok [Metadata Cache Graph Schedule Audit Alert], err [Metadata Cache Graph Schedule Audit Alert];
    panicking_key_beside_an_id: [id = user.id, cache = boom::<u64>(user.id), event = "seen"],
        "the cache key panicked: no value", ok [Cache], err [Cache];
    panicking_hole: [id = user.id, cache = "{user.name}/{boom::<u64>(user.id)}", event = "seen"],
        "the cache key panicked: no value", ok [Cache], err [Cache];
    panicking_version: [cache(key = user.id, version = boom::<u64>(user.id)), event = "seen"],
        "the version panicked: no value", ok [Cache], err [Cache];
    version_out_of_range: [cache(key = user.id, version = user.id | u64::MAX), event = "seen"],
        "the version does not fit an `i64`", ok [Cache], err [Cache];
    panicking_actor: [cache = user.id, event = "seen", actor = boom::<u64>(user.id)],
        "`actor` panicked: no value", ok [Event Audit], err [Event Audit];
    panicking_message: [cache = user.id, event = "seen", message = "{boom::<u64>(user.id)}"],
        "`message` panicked: no value", ok [Event Audit], err [];
    panicking_metadata: [cache = user.id, event = "seen", metadata = boom::<User>(user.id)],
        "`metadata` panicked: no value", ok [Metadata], err [Metadata];
    metadata_that_is_a_text: [cache = user.id, event = "seen", metadata = user.name.clone()],
        METADATA_IS_A_NUMBER.replace("a number", "a text").as_str(), ok [Metadata], err [Metadata];
    metadata_that_is_no_object: [cache = user.id, event = "seen", metadata = user.id],
        METADATA_IS_A_NUMBER, ok [Metadata], err [Metadata];
    refusing_metadata: [cache = user.id, event = "seen", metadata = Refusing],
        "`metadata` cannot be serialised: no", ok [Metadata], err [Metadata];
    panicking_relation: [cache = user.id, event = "seen", graph(relation = "knows", to = boom::<u64>(user.id))],
        "`graph(to = …)` panicked: no value", ok [Graph], err [];
    empty_relation: [cache = user.id, event = "seen", graph(relation = "knows", to = none(&user))],
        "the value of `to` is empty", ok [Graph], err [];
    panicking_payload: [cache = user.id, event = "seen", payload = boom::<u64>(user.id)],
        "the payload panicked: no value", ok [Cache Event Audit], err [];
    refusing_payload: [cache = user.id, event = "seen", payload = Refusing],
        "the payload cannot be serialised: no", ok [Cache Event Audit], err [];
    refusing_payload_that_is_not_cached:
        [cache(key = user.id, value = user.id), event = "seen", payload = Refusing],
        "the payload cannot be serialised: no", ok [Event Audit], err [];
    refusing_payload_that_is_not_emitted:
        [cache = user.id, event(name = "seen", payload = user.id), payload = Refusing],
        "the payload cannot be serialised: no", ok [Cache Audit], err [];
    refusing_payload_that_is_not_put: [cache(key = user.id, on_ok = "invalidate"), event = "seen", payload = Refusing],
        "the payload cannot be serialised: no", ok [Event Audit], err [];
    panicking_cached_value: [cache(key = user.id, value = boom::<u64>(user.id)), event = "seen"],
        "`cache(value = …)` panicked: no value", ok [Cache], err [];
    refusing_cached_value: [cache(key = user.id, value = Refusing), event = "seen"],
        "`cache(value = …)` cannot be serialised: no", ok [Cache], err [];
    panicking_event_payload: [cache = user.id, event(name = "seen", payload = boom::<u64>(user.id))],
        "`event(payload = …)` panicked: no value", ok [Event], err [];
    refusing_event_payload: [cache = user.id, event(name = "seen", payload = Refusing)],
        "`event(payload = …)` cannot be serialised: no", ok [Event], err [];
    panicking_condition: [cache = user.id, event = "seen", when = boom(user.id)], "`when` panicked: no value",
        ok [Metadata Cache Graph Schedule Event Nexus Audit Alert],
        err [Metadata Cache Graph Schedule Event Nexus Audit Alert];
}

fn entry(version: Option<i64>) -> CacheEntry {
    let value = graceful::Payload::of("old").unwrap();
    CacheEntry::new(value, Timestamp::now(), version)
}

#[orchestrate(pattern = "user", cache(key = user.id, version = user.id | u64::MAX))]
async fn with_a_wrong_version(user: User, error: Option<UserError>) -> Result<User, UserError> {
    error.map_or(Ok(user), Err)
}

#[tokio::test]
async fn cached_value_of_an_unusable_version_is_invalidated() {
    for error in [None, Some(UserError::Broken)] {
        let world = World::new();
        world.backends.cache.put(&world.entity(), entry(None), None).await.unwrap();
        let _ = world.run(with_a_wrong_version(ada(), error)).await;
        assert!(world.cached(&world.entity()).await.is_none(), "{}", world.reports.only());
    }
}

#[orchestrate(pattern = "user", id = none(&user), cache = "{user.id}", event = "seen")]
async fn without_its_id(user: User, error: Option<UserError>) -> Result<User, UserError> {
    error.map_or(Ok(user), Err)
}

#[tokio::test]
async fn cache_key_does_not_stand_in_for_an_empty_id() {
    for error in [None, Some(UserError::Broken)] {
        let world = World::new();
        let _ = world.run(without_its_id(ada(), error)).await;
        for step in [Step::Metadata, Step::Graph] {
            let held = world.holds(step, &world.entity()).await;
            assert!(held.is_null() || held == serde_json::json!([]), "{step}: {held}");
        }
        assert_ne!(world.reports.only().flow().entity(), world.entity());
    }
}

/// Both texts are complete only after the body: the parts of one are not the other's, whatever becomes of each.
#[orchestrate(
    pattern = "user",
    id = user.id,
    cache = "{boom::<u64>(user.id)}/{result.id}",
    message = "{user.name} is {result.name}"
)]
async fn with_parts_of_two_texts(user: User) -> Result<User, UserError> {
    Ok(user)
}

#[tokio::test]
async fn panicking_part_of_a_text_leaves_the_other_text_alone() {
    let world = World::new();
    world.run(with_parts_of_two_texts(ada())).await.unwrap();
    failed_one(&world, Step::Cache, "the cache key panicked: no value");
    assert_eq!(world.reports.only().flow().message(), "Ada is Ada");
}

#[track_caller]
fn failed_one(world: &World, step: Step, reason: &str) {
    let report = world.reports.only();
    let failures: Vec<_> = report.failures().map(|error| (error.step(), error.message())).collect();
    assert_eq!(failures, [(Some(step), reason)], "{report}");
}

#[orchestrate(pattern = "user", id = user.id, cache(key = user.id, version = u64::MAX | user.id), metadata = user.id)]
async fn with_two_faults(user: User) -> Result<User, UserError> {
    Ok(user)
}

#[tokio::test]
async fn two_faults_are_reported_each_by_its_step() {
    let world = World::new();
    world.run(with_two_faults(ada())).await.unwrap();
    let report = world.reports.only();
    let failures: Vec<_> = report.failures().map(|error| (error.step().unwrap(), error.message())).collect();
    assert_eq!(
        failures,
        [(Step::Metadata, METADATA_IS_A_NUMBER), (Step::Cache, "the version does not fit an `i64`")]
    );
}

mod manual {
    use super::*;

    async fn both(config: OrchestrationConfig, reason: &str, ok: &[Step], err: &[Step]) {
        let config = config.event("seen").handler("manual");
        let world = World::new();
        let config = config.on(&world.orchestrator);
        Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
        failed(&world, reason, ok);
        let world = World::new();
        let config = config.on(&world.orchestrator);
        Failure::wrap(Code::Internal, "", "broken").orchestrate(&config).await;
        failed(&world, reason, err);
    }

    fn config(id: impl Display) -> OrchestrationConfig {
        OrchestrationConfig::new("user").id(id).cache_key(42)
    }

    #[tokio::test]
    async fn fault_fails_the_steps_that_use_it() {
        use Step::{Alert, Audit, Cache, Event, Graph, Metadata, Schedule};
        let entity = [Metadata, Graph, Schedule, Audit, Alert];
        both(config(""), "the id is empty", &entity, &entity).await;
        both(config(42).cache_key(""), "the cache key is empty", &[Cache], &[Cache]).await;
        both(config(42).metadata(&1), METADATA_IS_A_NUMBER, &[Metadata], &[Metadata]).await;
        both(config(42).graph("knows", ""), "the value of `to` is empty", &[Graph], &[]).await;
        let refusing = "the payload cannot be serialised: no";
        both(config(42).payload(&Refusing), refusing, &[Cache, Event, Audit], &[]).await;
        let refusing = "`cache(value = …)` cannot be serialised: no";
        both(config(42).cache_value(&Refusing), refusing, &[Cache], &[]).await;
        let refusing = "`event(payload = …)` cannot be serialised: no";
        both(config(42).event_payload(&Refusing), refusing, &[Event], &[]).await;
    }

    #[tokio::test]
    async fn argument_that_is_given_again_has_no_fault() {
        let world = World::new();
        let config = config("").cache_key("").metadata(&1).payload(&Refusing).graph("knows", "");
        let config = config.id(42).cache_key(42).metadata(&ada()).payload(&7).graph("knows", 7);
        let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config.on(&world.orchestrator)).await;
        assert_eq!(report.failures().count(), 0, "{report}");
    }
}

/// A stored flow still names the arguments that had no value.
#[test]
fn faults_survive_the_store() {
    let config = OrchestrationConfig::new("user").id("");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let flow = runtime.block_on(Success::wrap(Code::Ok, "", "ada").orchestrate(&config)).flow().clone();
    let read: Flow = serde_json::from_value(serde_json::to_value(&*flow).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&*flow).unwrap());
}
