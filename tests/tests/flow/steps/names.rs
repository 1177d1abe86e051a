//! The names in a flow: keys, ids, templates, actor, tenant, tags and message.

use std::collections::HashSet;

use graceful::{Code, Context, Flow, Step, orchestrate};
use graceful_tests::{User, World, ada};

/// Both flows of a handler.
macro_rules! both_flows {
    ($world:expr, |$error:ident| $call:expr) => {{
        let $error = None;
        $world.run($call).await.unwrap();
        let $error = Some(Code::Internal);
        $world.run($call).await.unwrap_err();
        let reports = $world.reports.all();
        reports[reports.len() - 2..].iter().map(|report| report.flow().clone()).collect::<Vec<_>>()
    }};
}

mod templates {
    use super::*;

    #[orchestrate(pattern = "file", cache = "{owner}/{name}")]
    async fn store(owner: &str, name: &str, error: Option<Code>) -> Result<usize, Code> {
        error.map_or(Ok(owner.len() + name.len()), Err)
    }

    #[orchestrate(pattern = "file", cache = "{owner}/{result}")]
    async fn store_the_result(owner: String, name: String) -> Result<String, Code> {
        drop(owner);
        Ok(name)
    }

    #[orchestrate(pattern = "file", id = "{{{owner}}}")]
    async fn braces(owner: &str) -> Result<usize, Code> {
        Ok(owner.len())
    }

    #[orchestrate(pattern = "file", id = "{name}", cache = "{name}", actor = "{name}")]
    async fn store_by_name(name: &str) -> Result<usize, Code> {
        Ok(name.len())
    }

    #[orchestrate(pattern = "file", cache = ())]
    async fn store_all() -> Result<usize, Code> {
        Ok(12)
    }

    /// Everything by which a part could be taken for two, two for one, or one for another.
    const PARTS: [&str; 12] =
        ["a", "a/b", "a%2Fb", "/", "", "a/", "/b", "b", "*", ">", "a b", "\u{e9}\u{0}\n"];

    #[tokio::test]
    async fn different_template_parts_make_different_keys() {
        let world = World::new();
        let mut keys = HashSet::new();
        for owner in PARTS {
            for name in PARTS {
                world.run(store(owner, name, None)).await.unwrap();
                keys.insert(world.reports.last().flow().cache_key().unwrap());
            }
        }
        assert_eq!(keys.len(), PARTS.len() * PARTS.len());
        let texts: HashSet<_> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), keys.len(), "nor are their texts");
        let safe = |c: char| c.is_ascii_alphanumeric() || "_-%:".contains(c);
        assert!(texts.iter().all(|text| text.chars().all(safe)), "{texts:?}");
    }

    #[tokio::test]
    async fn different_template_parts_of_the_result_make_different_keys() {
        let world = World::new();
        let mut keys = HashSet::new();
        for owner in PARTS {
            for name in PARTS {
                world.run(store_the_result(owner.to_owned(), name.to_owned())).await.unwrap();
                keys.insert(world.reports.last().flow().cache_key().unwrap());
            }
        }
        assert_eq!(keys.len(), PARTS.len() * PARTS.len());
    }

    #[tokio::test]
    async fn value_is_cached_under_the_key_of_the_template() {
        let world = World::new();
        world.run(store("ada", "notes", None)).await.unwrap();
        assert_eq!(world.orchestrator.cached("file", "ada/notes").await.unwrap(), Some(8));
        world.run(store("ada", "notes", Some(Code::Internal))).await.unwrap_err();
        assert_eq!(world.orchestrator.cached::<u64>("file", "ada/notes").await.unwrap(), None);
        world.run(store_the_result("ada".into(), "x".into())).await.unwrap();
        assert_eq!(world.orchestrator.cached("file", "ada/x").await.unwrap(), Some("x".to_owned()));
    }

    #[tokio::test]
    async fn template_of_one_hole_is_the_value_itself() {
        let world = World::new();
        world.run(store_by_name("a/b")).await.unwrap();
        assert_eq!(world.orchestrator.cached("file", "a/b").await.unwrap(), Some(3));
        let report = world.reports.last();
        assert_eq!(report.flow().entity_id(), "a/b");
        assert_eq!(report.flow().actor(), Some("a/b"));
    }

    #[tokio::test]
    async fn unit_is_the_key_of_a_singleton() {
        let world = World::new();
        world.run(store_all()).await.unwrap();
        assert_eq!(world.orchestrator.cached("file", "()").await.unwrap(), Some(12));
    }

    #[tokio::test]
    async fn doubled_braces_are_braces() {
        let world = World::new();
        world.run(braces("ada")).await.unwrap();
        assert_eq!(world.reports.last().flow().entity_id(), "{ada}");
    }
}

mod entity {
    use super::*;

    #[orchestrate(pattern = "user", id = id, cache = "c{id}")]
    async fn by_id(id: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(id), Err)
    }

    #[orchestrate(pattern = "user", cache = "c{id}")]
    async fn by_key(id: u64, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(id), Err)
    }

    #[orchestrate(pattern = "user")]
    async fn by_nothing(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }

    #[tokio::test]
    async fn entity_id_is_the_argument_else_the_key_else_the_correlation_id() {
        let world = World::new();
        for flow in both_flows!(world, |error| by_id(7, error)) {
            assert_eq!((flow.entity_id().as_str(), flow.cache_key().unwrap().id()), ("7", "c7"));
        }
        for flow in both_flows!(world, |error| by_key(7, error)) {
            assert_eq!(flow.entity_id(), "c7");
        }
        for flow in both_flows!(world, |error| by_nothing(error)) {
            assert_eq!(flow.entity_id(), flow.id().to_string());
        }
        let context = || Context::new().correlation_id("order-9");
        for flow in both_flows!(world, |error| context().scope(by_nothing(error))) {
            assert_eq!(flow.entity_id(), "order-9");
        }
    }
}

mod context {
    use super::*;

    #[orchestrate(pattern = "user", cache = 42, actor = actor, event = "touched")]
    async fn touch_as(actor: &str, error: Option<Code>) -> Result<usize, Code> {
        error.map_or(Ok(actor.len()), Err)
    }

    #[orchestrate(pattern = "user", cache = 42, event = "touched")]
    async fn touch(error: Option<Code>) -> Result<usize, Code> {
        error.map_or(Ok(0), Err)
    }

    #[tokio::test]
    async fn actor_is_the_argument_else_the_actor_else_the_user_of_the_context() {
        let world = World::new();
        let user = || Context::new().user("ada");
        let actor = || user().actor("nightly job");
        for flow in both_flows!(world, |error| actor().scope(touch_as("root", error))) {
            assert_eq!(flow.actor(), Some("root"));
        }
        for flow in both_flows!(world, |error| actor().scope(touch(error))) {
            assert_eq!(flow.actor(), Some("nightly job"));
        }
        for flow in both_flows!(world, |error| user().scope(touch(error))) {
            assert_eq!(flow.actor(), Some("ada"));
        }
        for flow in both_flows!(world, |error| touch(error)) {
            assert_eq!(flow.actor(), None);
        }
        let told: Vec<_> =
            world.events().iter().map(|event| event.data().actor_id.map(ToOwned::to_owned)).collect();
        let expected = ["root", "root", "nightly job", "nightly job", "ada", "ada"];
        assert_eq!(told[..6], expected.map(|actor| Some(actor.to_owned())));
        assert_eq!(told[6..], [None, None]);
    }

    #[tokio::test]
    async fn flow_has_the_context_of_its_call() {
        let world = World::new();
        let context = Context::new()
            .user("ada")
            .tenant("acme")
            .correlation_id("order-9")
            .request_id("r-1")
            .trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap());
        for flow in both_flows!(world, |error| context.clone().scope(touch(error))) {
            assert_eq!(flow.context(), Some(&context));
            assert_eq!((flow.tenant(), flow.correlation_id().as_str()), ("acme", "order-9"));
        }
        for event in world.events() {
            let data = event.data();
            assert_eq!((data.correlation_id.as_str(), data.request_id), ("order-9", Some("r-1")));
        }
    }

    #[tokio::test]
    async fn tenants_share_nothing() {
        let world = World::new();
        let [acme, initech] = ["acme", "initech"].map(|tenant| Context::new().tenant(tenant));
        acme.clone().scope(world.run(touch_as("four", None))).await.unwrap();
        initech.clone().scope(world.run(touch_as("seventeen letters", None))).await.unwrap();
        initech.clone().scope(world.run(touch(Some(Code::Internal)))).await.unwrap_err();

        let cached = async || world.orchestrator.cached::<u64>("user", 42).await.unwrap();
        assert_eq!(acme.clone().scope(cached()).await, Some(4));
        assert_eq!(initech.scope(cached()).await, None);
        assert_eq!(cached().await, None, "nor with those that have no tenant");

        let entity = acme.sync_scope(|| world.entity());
        assert_eq!(entity.tenant(), "acme");
        assert_eq!(world.metadata(&entity).await.unwrap().error_count, 0);
        assert_eq!(world.edges(&entity).await.len(), 1);
        let job = world.jobs().await.remove(0);
        assert_eq!((job.entity.tenant(), &job.id), ("initech", &job.incident().to_string()));
        assert!(job.id.starts_with("users:initech:user:42#"), "{}", job.id);
        assert_eq!(world.open_alerts().await[0].entity.tenant(), "initech");
    }
}

mod tags_and_messages {
    use super::*;

    #[orchestrate(pattern = "user", id = 42, event = "user_moved", tags = ["billing", "eu"])]
    async fn tagged(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = 42)]
    async fn move_user_home(error: Option<Code>) -> Result<(), Code> {
        error.map_or(Ok(()), Err)
    }

    #[orchestrate(pattern = "user", id = 42, message = "{user.name} ({result.0}) moved, 100% {{sure}}")]
    async fn said(user: User, error: Option<Code>) -> Result<(u64,), Code> {
        error.map_or(Ok((user.id,)), Err)
    }

    #[tokio::test]
    async fn tags_are_on_every_record_of_the_flow() {
        let world = World::new();
        for flow in both_flows!(world, |error| tagged(error)) {
            assert_eq!(flow.tags().collect::<Vec<_>>(), ["billing", "eu"]);
        }
        for event in world.events() {
            assert_eq!(event.data().tags, ["billing", "eu"]);
        }
        for record in world.records().await {
            assert_eq!(record.tags, ["billing", "eu"]);
        }
    }

    #[tokio::test]
    async fn message_is_the_event_or_function_name_on_ok_and_the_error_text_on_err() {
        let world = World::new();
        let said = |flows: Vec<std::sync::Arc<Flow>>| -> Vec<String> {
            flows.iter().map(|flow| flow.message().to_owned()).collect()
        };
        assert_eq!(said(both_flows!(world, |error| tagged(error))), ["user moved", "internal error"]);
        assert_eq!(
            said(both_flows!(world, |error| move_user_home(error))),
            ["move user home", "internal error"]
        );
    }

    #[tokio::test]
    async fn message_template_does_not_encode_its_values() {
        let world = World::new();
        let user = || User { name: "Ada L/ovelace".to_owned(), ..ada() };
        let flows = both_flows!(world, |error| said(user(), error));
        assert_eq!(flows[0].message(), "Ada L/ovelace (42) moved, 100% {sure}");
        assert_eq!(flows[1].message(), "internal error");
    }
}

/// Says half of its name, and then that it cannot.
struct Half;

impl std::fmt::Display for Half {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("4")?;
        Err(std::fmt::Error)
    }
}

#[orchestrate(pattern = "user", cache = key)]
async fn half_a_key(key: Half) -> Result<u64, graceful::Code> {
    let Half = key;
    Ok(1)
}

#[orchestrate(pattern = "user", cache = "user/{key}")]
async fn half_a_hole(key: Half) -> Result<u64, graceful::Code> {
    let Half = key;
    Ok(1)
}

#[tokio::test]
async fn key_whose_display_fails_is_not_used() {
    let world = World::new();
    assert_eq!((world.run(half_a_key(Half)).await, world.run(half_a_hole(Half)).await), (Ok(1), Ok(1)));
    for report in world.reports.all() {
        assert!(report.step(Step::Cache).error().is_some(), "{report}");
        assert_ne!(report.flow().entity_id(), "4");
    }
}
