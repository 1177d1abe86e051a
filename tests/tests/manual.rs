//! The manual path: the same flow, the same steps, the same effects as the attribute's.
#![allow(missing_docs, reason = "tests")]

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use graceful::{
    AlertOn, Classify as _, Code, Delivery, Failure, Flow, Hook, OnErr, OnOk, OrchestrationConfig, Severity,
    Step, StepError, StepErrorKind, Success, orchestrate,
};
use graceful_tests::{Gate, User, UserError, World, ada, hooks};
use serde_json::{Value, json};

/// The manual path and the attribute, each in a world of its own, for the same calls.
mod the_same {
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
            "last good": world.cached(&entity.in_space(graceful::KeySpace::LastGood)).await,
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
                    .with_user("grace")
                    .with_tenant("acme")
                    .with_correlation_id("order-9")
                    .with_request_id("r-1");
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
                        let config = config.handler(stringify!($name)).on(&manual.orchestrator);
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
            graph(relation = "knows", to = "team/{user.id}"),
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
            .graph("knows", "team/42")
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
}

mod report {
    use super::*;

    fn config(world: &World) -> OrchestrationConfig {
        OrchestrationConfig::new("user").cache_key(42).event("user_updated").on(&world.orchestrator)
    }

    #[tokio::test]
    async fn it_tells_what_became_of_each_step_on_both_arms() {
        let world = World::new();
        let ok = Success::wrap(Code::Ok, "user updated", &ada()).orchestrate(&config(&world)).await;
        let err = Failure::wrap(Code::Internal, "broken", "cause").orchestrate(&config(&world)).await;
        let said = |report: &graceful::FlowReport| -> Vec<String> {
            report.steps().map(|(_, result)| result.to_string()).collect()
        };
        assert_eq!(
            said(&ok)[1..],
            [
                "normalised",
                "put",
                "related",
                "nothing open",
                "emitted",
                "registered",
                "appended",
                "nothing open"
            ]
        );
        assert_eq!(
            said(&err)[1..],
            ["normalised", "invalidated", "related", "opened", "emitted", "registered", "appended", "fired"]
        );
        let seen: Vec<_> = world.reports.all().iter().map(|report| report.flow().id()).collect();
        assert_eq!(seen, [ok.flow().id(), err.flow().id()], "observers see the same");
    }

    #[tokio::test]
    async fn where_when_is_false_every_step_is_skipped() {
        let world = World::new();
        let config = config(&world).when(false);
        let ok = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
        let err = Failure::wrap(Code::Internal, "", "cause").orchestrate(&config).await;
        for report in [ok, err] {
            assert!(report.steps().all(|(_, result)| result.to_string() == "skipped: `when` is false"));
        }
        assert_eq!((world.reports.count(), world.cached(&world.entity()).await), (0, None));
    }

    #[tokio::test]
    async fn so_it_is_without_an_orchestrator_and_a_scoped_one_is_found() {
        let world = World::new();
        let config = OrchestrationConfig::new("user").cache_key(42);
        let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
        assert!(report.steps().all(|(_, result)| result.to_string() == "skipped: no orchestrator"));
        let user = ada();
        let report = world.run(Success::wrap(Code::Ok, "", &user).orchestrate(&config)).await;
        assert!(report.step(Step::Cache).is_done());
    }

    #[tokio::test]
    async fn it_names_the_required_step_that_failed() {
        let world = World::new();
        let config = config(&world)
            .hook(Step::Graph, Hook::new(hooks::flow::fails))
            .hook(Step::Audit, Hook::new(hooks::flow::fails_later))
            .required(Step::Audit);
        for report in [
            Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await,
            Failure::wrap(Code::Internal, "", "cause").orchestrate(&config).await,
        ] {
            assert_eq!(report.failures().count(), 2, "{report}");
            assert_eq!(report.required_failure().unwrap().step(), Some(Step::Audit));
        }
    }

    #[tokio::test]
    async fn in_the_background_it_is_what_is_known_so_far() {
        static GATE: Gate = Gate::closed();

        async fn audit(_: &Flow) -> Result<(), StepError> {
            GATE.pass().await;
            Ok(())
        }

        let world = World::new();
        let config = config(&world)
            .delivery(Delivery::Background)
            .required(Step::Cache)
            .hook(Step::Audit, Hook::new(audit));
        let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
        assert_eq!(report.step(Step::Cache).to_string(), "put");
        assert_eq!(report.step(Step::Audit).to_string(), "skipped: queued");
        GATE.open_for(1);
        let reports = world.reports.until(1).await;
        assert!(reports[0].step(Step::Audit).is_done(), "{}", reports[0]);
    }

    #[tokio::test]
    async fn dropped_before_it_is_done_the_flow_goes_on() {
        static GATE: Gate = Gate::closed();

        async fn audit(_: &Flow) -> Result<(), StepError> {
            GATE.pass().await;
            Ok(())
        }

        fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
            future.poll(&mut Context::from_waker(Waker::noop()))
        }

        let world = World::new();
        let config = config(&world).hook(Step::Audit, Hook::new(audit));
        {
            let user = ada();
            let mut call = pin!(Success::wrap(Code::Ok, "", &user).orchestrate(&config));
            assert!(poll(call.as_mut()).is_pending());
        }
        GATE.open_for(1);
        let reports = world.reports.until(1).await;
        assert_eq!(reports[0].failures().count(), 0, "{}", reports[0]);
    }

    #[tokio::test]
    async fn a_hook_can_stand_in_one_arm_only() {
        let world = World::new();
        let hook = || Hook::new(hooks::both);
        let on_ok = config(&world).hook_ok(Step::Audit, hook());
        let on_err = config(&world).hook_err(Step::Audit, hook());
        Success::wrap(Code::Ok, "", &ada()).orchestrate(&on_ok).await;
        Failure::wrap(Code::Internal, "", "cause").orchestrate(&on_err).await;
        assert_eq!(hooks::calls(), ["ok 42", "err 42"]);
        assert_eq!(world.records().await.len(), 0);
        Success::wrap(Code::Ok, "", &ada()).orchestrate(&on_err).await;
        Failure::wrap(Code::Internal, "", "cause").orchestrate(&on_ok).await;
        assert_eq!(hooks::calls(), [""; 0]);
        assert_eq!(world.records().await.len(), 2);
    }

    #[tokio::test]
    async fn what_it_remembers_a_handler_recovers_with() {
        #[orchestrate(pattern = "user", cache = 42, fallback = last_good)]
        async fn load() -> Result<User, UserError> {
            Err(UserError::Broken)
        }

        let world = World::new();
        let report =
            Success::wrap(Code::Ok, "", &ada()).orchestrate(&config(&world).remember_last_good()).await;
        assert_eq!(report.step(Step::Fallback).to_string(), "remembered");
        assert_eq!(world.run(load()).await.unwrap(), ada());
    }

    #[tokio::test]
    async fn within_a_hook_it_has_a_parent() {
        async fn hook(flow: &Flow) -> Result<(), StepError> {
            let report =
                Success::wrap(Code::Ok, "", "inner").orchestrate(&OrchestrationConfig::new("mail")).await;
            assert_eq!(report.flow().parent(), Some(flow.id()));
            Ok(())
        }

        let world = World::new();
        let config = config(&world).hook(Step::Audit, Hook::new(hook));
        let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
        assert_eq!((report.failures().count(), world.reports.count()), (0, 2), "{report}");
    }
}

mod run_hooks {
    use super::*;

    async fn first(flow: &Flow) -> Result<(), StepError> {
        tokio::task::yield_now().await;
        hooks::called(format!("first {} {}", flow.code(), flow.message()));
        Ok(())
    }

    async fn last(_: &Flow) -> Result<(), StepError> {
        hooks::called("last");
        Ok(())
    }

    fn row() -> [Hook; 6] {
        [
            Hook::new(first),
            Hook::new(hooks::flow::fails),
            Hook::new(hooks::flow::fails_later),
            Hook::new(hooks::flow::panics),
            Hook::new(hooks::flow::panics_later),
            Hook::new(last),
        ]
    }

    #[track_caller]
    fn failed(errors: &[StepError]) {
        use StepErrorKind::{Failed, Panicked};
        let kinds: Vec<_> = errors.iter().map(StepError::kind).collect();
        assert_eq!(kinds, [Failed, Failed, Panicked, Panicked]);
    }

    #[tokio::test]
    async fn they_run_in_a_row_and_each_is_contained() {
        hooks::calls();
        failed(&Success::wrap(Code::Ok, "done", &ada()).run_hooks(row()).await);
        assert_eq!(hooks::calls(), ["first OK done", "last"]);
        failed(&Failure::wrap(Code::Aborted, "not done", "cause").run_hooks(row()).await);
        assert_eq!(hooks::calls(), ["first ABORTED not done", "last"]);
    }

    #[tokio::test]
    async fn they_run_in_a_typed_hook_too() {
        async fn many(success: &Success<'_, User>) -> Result<(), StepError> {
            let failures = success.run_hooks(row()).await;
            failed(&failures);
            Ok(())
        }

        async fn many_on_err(failure: &Failure<'_, UserError>) -> Result<(), StepError> {
            let failures = failure.run_hooks(row()).await;
            failed(&failures);
            Ok(())
        }

        #[orchestrate(pattern = "user", id = user.id, audit(ok = many, err = many_on_err))]
        async fn ask(user: User, error: Option<UserError>) -> Result<User, UserError> {
            error.map_or(Ok(user), Err)
        }

        let world = World::new();
        world.run(ask(ada(), None)).await.unwrap();
        world.run(ask(ada(), Some(UserError::Broken))).await.unwrap_err();
        for report in world.reports.all() {
            assert_eq!(report.failures().count(), 0, "{report}");
        }
        assert_eq!(hooks::calls(), ["first OK ask", "last", "first INTERNAL store broken", "last"]);
    }
}
