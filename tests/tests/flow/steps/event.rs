//! The `event` step emits the event with the value on `Ok` and the `.failed` event with code and message on `Err`.

use graceful::{Code, Step, orchestrate};
use graceful_tests::{User, UserError, World, ada};

step!(Event event, |user| [name = "user_updated",] [cache = user.id]);
backend!(Event);
by_path!(Event event, |user| [cache = user.id]);

#[tokio::test]
async fn ok_emits_the_event_with_the_value() {
    let world = World::new();
    world.run(crate::steps::update(ada(), None)).await.unwrap();

    let (report, result) = world.last(Step::Event);
    assert_eq!(result, "emitted");
    let events = world.events();
    let [event] = &events[..] else { panic!("one event: {events:?}") };
    assert_eq!(
        (event.name(), event.source(), event.subject().as_deref()),
        ("user_updated", "users", Some("user/42"))
    );
    assert_eq!(event.id(), report.flow().id());
    let data = event.data();
    assert_eq!((data.code, data.message, data.yin_yang), (Code::Ok, "user updated", "yang"));
    assert_eq!(data.result.as_json(), r#"{"id":42,"name":"Ada"}"#);
    assert_eq!((data.entity_id.as_deref(), data.service, data.environment), (Some("42"), "users", "test"));
    assert_eq!(data.metadata.unwrap().score, 1);
    assert_eq!(data.timestamp, report.flow().timestamp());
}

#[tokio::test]
async fn err_emits_the_failed_event_with_code_and_message() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Missing))).await.unwrap_err();

    let (report, result) = world.last(Step::Event);
    assert_eq!(result, "emitted");
    let events = world.events();
    let [event] = &events[..] else { panic!("one event: {events:?}") };
    assert_eq!((event.name(), event.source()), ("user_updated.failed", "users"));
    assert_eq!((event.subject().as_deref(), event.id()), (Some("user/42"), report.flow().id()));
    let data = event.data();
    assert_eq!((data.code, data.message, data.yin_yang), (Code::NotFound, "no such user", "yin"));
    assert!(data.result.is_null());
    assert_eq!((data.entity_id.as_deref(), data.service, data.environment), (Some("42"), "users", "test"));
    assert_eq!(data.metadata.unwrap().error_count, 1);
    assert_eq!(data.timestamp, report.flow().timestamp());
}

mod names {
    use super::*;

    const PATTERN: &str = "user";
    const TAG: &str = "billing";

    mod events {
        pub const RENAMED: &str = "renamed";
        pub const NOT_RENAMED: &str = "not_renamed";
    }

    struct Relations;

    impl Relations {
        const OWNER: &str = "owned_by";
    }

    #[orchestrate(
        pattern = PATTERN,
        id = 42,
        event(name = events::RENAMED, failed = events::NOT_RENAMED),
        graph(relation = Relations::OWNER, to = 1, to_pattern = PATTERN),
        tags = [TAG, "eu"]
    )]
    async fn by_constants(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    #[tokio::test]
    async fn event_named_by_a_constant_has_its_value() {
        let world = World::new();
        world.run(by_constants(None)).await.unwrap();
        world.run(by_constants(Some(Code::NotFound))).await.unwrap_err();
        let events = world.events();
        let names: Vec<_> = events.iter().map(graceful::Event::name).collect();
        assert_eq!(names, ["renamed", "not_renamed"]);
        assert_eq!(events[0].subject().as_deref(), Some("user/42"));
        assert_eq!(events[0].data().tags, ["billing", "eu"]);
        assert_eq!(events[0].data().message, "by constants");
        let edges = world.edges(&world.entity()).await;
        assert!(edges.iter().any(|edge| edge.relation == "owned_by"), "{edges:?}");
    }

    #[orchestrate(pattern = "user", id = 42, event)]
    async fn rename(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = 42, event(name = "renamed", failed = "not_renamed"))]
    async fn rename_or_not(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = 42)]
    async fn rename_silently(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    fn names(world: &World) -> Vec<String> {
        world.events().iter().map(|event| event.name().to_owned()).collect()
    }

    #[tokio::test]
    async fn bare_event_argument_is_named_by_pattern_and_function() {
        let world = World::new();
        world.run(rename(None)).await.unwrap();
        world.run(rename(Some(Code::Internal))).await.unwrap_err();
        assert_eq!(names(&world), ["user.rename", "user.rename.failed"]);
    }

    #[tokio::test]
    async fn success_and_error_event_can_have_own_names() {
        let world = World::new();
        world.run(rename_or_not(None)).await.unwrap();
        world.run(rename_or_not(Some(Code::Internal))).await.unwrap_err();
        assert_eq!(names(&world), ["renamed", "not_renamed"]);
    }

    #[tokio::test]
    async fn step_without_an_event_name_is_skipped() {
        let world = World::new();
        world.run(rename_silently(None)).await.unwrap();
        assert_eq!(world.last(Step::Event).1, "skipped: no event");
        world.run(rename_silently(Some(Code::Internal))).await.unwrap_err();
        assert_eq!(world.last(Step::Event).1, "skipped: no event");
        assert_eq!(names(&world), [""; 0]);
    }
}

mod payload {
    use super::*;

    #[orchestrate(pattern = "user", cache = user.id, event(name = "renamed", payload = user.name))]
    async fn of_a_parameter(user: User, error: Option<Code>) -> Result<User, Code> {
        error.map_or(Ok(user), Err)
    }

    #[orchestrate(pattern = "user", cache = user.id, event(name = "renamed", payload = (result.id, &result.name)))]
    async fn of_the_result(user: User) -> Result<User, Code> {
        Ok(user)
    }

    #[tokio::test]
    async fn ok_with_event_payload_emits_it_and_caches_the_result() {
        let world = World::new();
        world.run(of_a_parameter(ada(), None)).await.unwrap();
        assert_eq!(world.events()[0].data().result.as_json(), r#""Ada""#);
        assert_eq!(world.orchestrator.cached("user", 42).await.unwrap(), Some(ada()));
        world.run(of_the_result(ada())).await.unwrap();
        assert_eq!(world.events()[1].data().result.as_json(), r#"[42,"Ada"]"#);
    }

    #[tokio::test]
    async fn err_with_event_payload_emits_null() {
        let world = World::new();
        world.run(of_a_parameter(ada(), Some(Code::Internal))).await.unwrap_err();
        assert!(world.events()[0].data().result.is_null());
    }
}
