//! The manual path and the attribute have the same effects for the same calls. Each runs with an orchestrator of its own.

use graceful::backends::{MetadataStore as _, Nexus as _};

use super::*;

type Answer = Result<User, UserError>;

/// One call of each kind: what an entity may go through.
fn calls() -> [Option<UserError>; 5] {
    [None, Some(UserError::Broken), Some(UserError::Missing), Some(UserError::Broken), None]
}

/// By hand, what the attribute does with an answer.
async fn by_hand(answer: &Answer, message: &str, config: &OrchestrationConfig) {
    match answer {
        Ok(user) => Success::wrap(Code::Ok, message, user).orchestrate(config).await,
        Err(error) => Failure::wrap(error.code(), &error.message(), error).orchestrate(config).await,
    };
}

/// All that can be seen of a world: the reports and what the backends hold, but for ids and times, which are told by
/// the flow that they are of.
async fn seen(world: &World, entity: &graceful::Key) -> Value {
    let reports = world.reports.all();
    let mut steps = Vec::new();
    let mut states = Vec::new();
    let mut names = Vec::new();
    for (n, report) in reports.iter().enumerate() {
        let flow = report.flow();
        names.push((json!(flow.id()), format!("the id of flow {n}")));
        names.push((json!(flow.timestamp()), format!("the time of flow {n}")));
        steps.push(report.steps().map(|(step, result)| format!("{step}: {result}")).collect::<Vec<_>>());
        states.push(json!(world.backends.metadata.state(flow.id()).await.unwrap()));
    }
    let mut due = Vec::new();
    for job in world.jobs().await {
        due.push(job.due.duration_since(job.opened_at).as_secs());
        names.push((json!(job.due), "the time that the job is due".to_owned()));
    }
    let mut seen = json!({
        "flows": reports.iter().map(|report| json!(**report.flow())).collect::<Vec<_>>(),
        "steps": steps,
        "states": states,
        "metadata": world.metadata(entity).await,
        "cached": world.cached(entity).await,
        "last good": world.cached(&entity.in_space(graceful::backends::KeySpace::LastGood)).await,
        "edges": world.edges(entity).await,
        "jobs": world.jobs().await,
        "due in seconds": due,
        "events": world.events(),
        "patterns": world.patterns().await,
        "trace": world.backends.nexus.trace(entity).await.unwrap(),
        "records": world.records().await,
        "open alerts": world.open_alerts().await,
        "resolved alerts": world.resolved_alerts().await,
        "hooks": hooks::calls(),
    });
    rename(&mut seen, &names);
    seen
}

fn rename(value: &mut Value, names: &[(Value, String)]) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        Value::Object(fields) => fields.values_mut().for_each(|value| rename(value, names)),
        Value::String(text) => {
            for (from, to) in names {
                *text = text.replace(from.as_str().unwrap(), to);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn assert_same(attribute: &Value, manual: &Value) {
    for (field, value) in attribute.as_object().unwrap() {
        let (attribute, manual) =
            [value, &manual[field]].map(|value| serde_json::to_string_pretty(value).unwrap()).into();
        assert_eq!(attribute, manual, "{field}");
    }
    assert_eq!(attribute.as_object().unwrap().len(), manual.as_object().unwrap().len());
}

/// The attribute's handler, and the config for the same input.
macro_rules! same {
    (|$user:ident| $(#[$attribute:meta])* $name:ident, message: $message:expr, config: $config:expr) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            $(#[$attribute])*
            async fn $name($user: User, error: Option<UserError>) -> Answer {
                error.map_or(Ok($user), Err)
            }

            let context = graceful::Context::new()
                .user("grace")
                .tenant("acme")
                .correlation_id("order-9")
                .request_id("r-1");
            context.scope(async {
                let attribute = World::new();
                for error in calls() {
                    drop(attribute.run($name(ada(), error)).await);
                }
                attribute.reports.until(calls().len()).await;
                let attribute = seen(&attribute, &attribute.entity()).await;

                let manual = World::new();
                for error in calls() {
                    let answer = error.map_or(Ok(ada()), Err);
                    let config: OrchestrationConfig = $config;
                    let identity = concat!(module_path!(), "::", stringify!($name), "::{{closure}}::", stringify!($name));
                    let config = config.handler(stringify!($name)).name(identity).on(&manual.orchestrator);
                    by_hand(&answer, $message, &config).await;
                }
                manual.reports.until(calls().len()).await;
                let manual = seen(&manual, &manual.entity()).await;

                assert_same(&attribute, &manual);
            })
            .await;
        }
    };
}

same! {
    |user| #[orchestrate(pattern = "user", id = user.id)]
    by_default, message: "by default", config: OrchestrationConfig::new("user").id(42)
}

same! {
    |user| #[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
    with_cache_and_event,
    message: "user updated",
    config: OrchestrationConfig::new("user").cache_key(42).event("user_updated")
}

same! {
    |user| #[orchestrate(
        pattern = "user",
        id = user.id,
        payload = user.name,
        actor = "{user.name}",
        metadata = json!({ "plan": { "name": user.name } }),
        message = "user {user.name} moved",
        tags = ["billing", "eu"],
        cache(key = user.id, ttl = "90s", value = (user.id, 7), version = user.id, on_ok = "put", on_err = "always"),
        event(name = "moved", failed = "not_moved", payload = "[user.id, 8]"),
        graph(relation = "knows", to = "{user.id}", to_pattern = "team"),
        schedule(after = "1h", timeout = "3s"),
        alert(on = "all", severity = "critical"),
    )]
    with_every_option,
    message: "user Ada moved",
    config: OrchestrationConfig::new("user")
        .id(42)
        .payload("Ada")
        .actor("Ada")
        .metadata(&json!({ "plan": { "name": "Ada" } }))
        .tags(["billing", "eu"])
        .cache_key(42)
        .cache_ttl(Duration::from_secs(90))
        .cache_value(&(42, 7))
        .version(42)
        .on_ok(OnOk::Put)
        .on_err(OnErr::Always)
        .event("moved")
        .event_failed("not_moved")
        .event_payload(&[42, 8])
        .graph("knows", 42)
        .to_pattern("team")
        .schedule_after(Duration::from_secs(3600))
        .timeout(Step::Schedule, Duration::from_secs(3))
        .alert(AlertOn::All, Severity::Critical)
}

same! {
    |user| #[orchestrate(
        pattern = "user",
        cache(key = user.id, on_ok = "invalidate", on_err = "keep"),
        metadata = off,
        graph = hooks::both,
        schedule = off,
        event(name = "x", with = hooks::fails),
        nexus = hooks::panics,
        audit(with = hooks::hangs, timeout = "2s"),
        alert(severity = "warning"),
    )]
    with_hooks_and_steps_off,
    message: "x",
    config: OrchestrationConfig::new("user")
        .cache_key(42)
        .on_ok(OnOk::Invalidate)
        .on_err(OnErr::Keep)
        .off(Step::Metadata)
        .hook(Step::Graph, Hook::new(hooks::both))
        .off(Step::Schedule)
        .event("x")
        .hook(Step::Event, Hook::new(hooks::flow::fails))
        .hook(Step::Nexus, Hook::new(hooks::flow::panics))
        .hook(Step::Audit, Hook::new(hooks::flow::hangs))
        .timeout(Step::Audit, Duration::from_secs(2))
        .alert(AlertOn::ServerFault, Severity::Warning)
}

same! {
    |user| #[orchestrate(pattern = "user", cache = user.id, event = "x", delivery = "background")]
    in_the_background,
    message: "x",
    config: OrchestrationConfig::new("user").cache_key(42).event("x").delivery(Delivery::Background)
}

same! {
    |user| #[orchestrate(pattern = "user", cache = user.id, audit(required), event(name = "x", with = hooks::fails_later, required))]
    with_required_steps,
    message: "x",
    config: OrchestrationConfig::new("user")
        .cache_key(42)
        .required(Step::Audit)
        .event("x")
        .hook(Step::Event, Hook::new(hooks::flow::fails))
        .required(Step::Event)
}
