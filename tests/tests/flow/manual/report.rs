use super::*;

fn config(world: &World) -> OrchestrationConfig {
    OrchestrationConfig::new("user").cache_key(42).event("user_updated").on(&world.orchestrator)
}

#[tokio::test]
async fn report_has_the_result_of_each_step_on_both_arms() {
    let world = World::new();
    let ok = Success::wrap(Code::Ok, "user updated", &ada()).orchestrate(&config(&world)).await;
    let err = Failure::wrap(Code::Internal, "broken", "cause").orchestrate(&config(&world)).await;
    let said = |report: &graceful::FlowReport| -> Vec<String> {
        report.steps().map(|(_, result)| result.to_string()).collect()
    };
    assert_eq!(
        said(&ok)[1..],
        ["normalised", "put", "related", "no open job", "emitted", "registered", "appended", "no open alert"]
    );
    assert_eq!(
        said(&err)[1..],
        ["normalised", "invalidated", "related", "opened", "emitted", "registered", "appended", "fired"]
    );
    let seen: Vec<_> = world.reports.all().iter().map(|report| report.flow().id()).collect();
    assert_eq!(seen, [ok.flow().id(), err.flow().id()], "observers see the same");
}

#[tokio::test]
async fn false_when_skips_every_step() {
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
async fn manual_path_without_an_orchestrator_skips_every_step_and_in_a_scope_uses_its_own() {
    let world = World::new();
    let config = OrchestrationConfig::new("user").cache_key(42);
    let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config).await;
    assert!(report.steps().all(|(_, result)| result.to_string() == "skipped: no orchestrator"));
    let user = ada();
    let report = world.run(Success::wrap(Code::Ok, "", &user).orchestrate(&config)).await;
    assert!(report.step(Step::Cache).is_done());
}

#[tokio::test]
async fn report_names_the_required_step_that_failed() {
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
async fn report_of_background_delivery_has_the_results_known_so_far() {
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
async fn manual_flow_dropped_before_its_end_continues() {
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
async fn hook_of_one_arm_leaves_the_other_arm_alone() {
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
async fn handler_recovers_with_the_last_good_value_of_the_manual_path() {
    #[orchestrate(pattern = "user", cache = 42, fallback = last_good)]
    async fn load() -> Result<User, UserError> {
        Err(UserError::Broken)
    }

    let world = World::new();
    let report = Success::wrap(Code::Ok, "", &ada()).orchestrate(&config(&world).remember_last_good()).await;
    assert_eq!(report.step(Step::Fallback).to_string(), "remembered");
    assert_eq!(world.run(load()).await.unwrap(), ada());
}

#[tokio::test]
async fn manual_flow_within_a_hook_has_a_parent() {
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
