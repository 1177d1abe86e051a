//! A failed step is retried and a completed one is not. A flow that cannot run becomes a dead letter and delays no other.

use super::*;

/// What a hook has done for each entity of its test.
#[derive(Default)]
struct Done(std::sync::Mutex<Vec<String>>);

impl Done {
    const fn new() -> Self {
        Self(std::sync::Mutex::new(Vec::new()))
    }

    fn note(&self, what: &str) -> usize {
        let mut done = self.0.lock().unwrap();
        done.push(what.to_owned());
        done.iter().filter(|noted| *noted == what).count()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn retry_runs_only_the_failed_steps() {
    static DONE: Done = Done::new();

    async fn fails_twice(flow: &Flow) -> HookResult {
        match DONE.note(flow.ending().as_str()) {
            1 => Err(StepError::new("not now")),
            2 => panic!("not now, either"),
            _ => Ok(()),
        }
    }

    #[orchestrate(pattern = "user", id = 42, event = "asked", delivery = "durable", audit = fails_twice)]
    async fn ask(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }

    let mut service = Service::new().await;
    let orchestrator = service.with_a_relay();
    for (error, flows) in [(None, 1), (Some(Code::Internal), 2)] {
        let _ = orchestrator.scope(ask(error)).await;
        let report = service.reports.until(flows).await.pop().unwrap();
        assert_eq!(report.failures().count(), 0, "{report}");
        assert_eq!(report.step(Step::Event).to_string(), "done before");
        assert_eq!(report.step(Step::Audit).to_string(), "overridden");
        let events = service.emitted();
        assert_eq!(events.len(), 1, "emitted once");
        assert!(report.flow().metadata().is_some(), "what a step before has found is kept");
    }
    let completed = service.until(FlowState::Completed, 2).await;
    assert!(completed.iter().all(|stored| stored.summary.attempts == 3), "{completed:?}");
    assert_eq!(orchestrator.stats().failures(Step::Audit), 4);
    assert_eq!(DONE.all().len(), 6);
}

#[tokio::test]
async fn flow_after_its_last_attempt_is_a_dead_letter_that_can_be_resubmitted() {
    static DONE: Done = Done::new();

    async fn fails(flow: &Flow) -> HookResult {
        // Of each ending: twice in vain, then resubmitted.
        if DONE.note(flow.ending().as_str()) <= 2 { Err(StepError::new("no use")) } else { Ok(()) }
    }

    #[orchestrate(pattern = "user", id = id, delivery = "durable", nexus = fails)]
    async fn ask(id: u8, error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }

    for (id, error) in [(1, None), (2, Some(Code::Internal))] {
        let service = Service::new().await;
        let orchestrator = service.builder().relay(quick().attempts(2)).build().unwrap();
        let _ = orchestrator.scope(ask(id, error)).await;
        let letter = service.until(FlowState::Dead, 1).await.remove(0);
        assert_eq!((letter.summary.error(), letter.summary.attempts), (Some("step `nexus`: no use"), 2));
        assert_eq!(letter.flow().unwrap().entity_id(), id.to_string());
        let report = service.reports.until(1).await.remove(0);
        assert_eq!(report.step(Step::Nexus).to_string(), "FAILED: no use", "the end of it is reported");

        assert!(orchestrator.flows().unwrap().resubmit(letter.summary.id).await.unwrap().is_done());
        let completed = service.until(FlowState::Completed, 1).await.remove(0);
        assert_eq!((completed.summary.id, completed.summary.attempts), (letter.summary.id, 1));
        let report = service.reports.until(2).await.pop().unwrap();
        assert_eq!(report.step(Step::Audit).to_string(), "done before");
    }
}

#[tokio::test]
async fn hanging_step_is_a_failed_attempt() {
    static DONE: Done = Done::new();

    async fn hangs_once(flow: &Flow) -> HookResult {
        match DONE.note(flow.ending().as_str()) {
            1 => std::future::pending().await,
            _ => Ok(()),
        }
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit(with = hangs_once, timeout = "20ms"))]
    async fn ask(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }

    let service = Service::new().await;
    let orchestrator = service.with_a_relay();
    for error in [None, Some(Code::Internal)] {
        let _ = orchestrator.scope(ask(error)).await;
    }
    let completed = service.until(FlowState::Completed, 2).await;
    assert!(completed.iter().all(|stored| stored.summary.attempts == 2), "{completed:?}");
}

#[orchestrate(pattern = "user", id = id, delivery = "durable")]
async fn well(id: u8) -> Result<u64, Code> {
    Ok(id.into())
}

/// Three of five stored flows are unusable, each for another reason.
#[tokio::test]
async fn unusable_stored_flow_becomes_a_dead_letter_and_delays_no_other() {
    let service = Service::new().await;
    let orchestrator = service.without_a_relay();
    for id in 0..5 {
        orchestrator.scope(well(id)).await.unwrap();
    }
    let mut data = service.data().await;
    let broken = [
        ("body = x'00ff'", "the stored flow cannot be read: Syntax error at 1:1"),
        ("body = x''", "the stored flow cannot be read: Eof error at 1:0"),
        ("attempts = 16", "all 16 attempts were interrupted"),
    ];
    for (id, (broken, _)) in broken.iter().enumerate() {
        let statement = format!("UPDATE graceful_flows SET {broken} WHERE entity = 'users::user:{id}'");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut data).await.unwrap();
    }
    let _relay = service.with_a_relay();
    let dead = service.until(FlowState::Dead, broken.len()).await;
    service.until(FlowState::Completed, 2).await;
    for (id, (_, error)) in broken.iter().enumerate() {
        let letter = dead.iter().find(|letter| letter.summary.entity == format!("users::user:{id}")).unwrap();
        assert_eq!(letter.summary.error(), Some(*error));
    }
    assert!(service.stored(FlowState::Queued).await.is_empty());
}

/// A program without the handler cannot run the flow. A program that has the handler runs it later.
#[tokio::test]
async fn flow_stored_by_a_newer_program_waits_until_its_handler_is_known() {
    async fn of(service: &Service, sql: &'static str) {
        sqlx::query(sql).execute(&mut service.data().await).await.unwrap();
    }

    let service = Service::new().await;
    service.without_a_relay().scope(well(1)).await.unwrap();
    of(&service, "UPDATE graceful_flows SET handler = 'newer ' || handler").await;
    let relay = service.builder().relay(quick().attempts(1)).build().unwrap();
    until(async || relay.health().await.reasons.iter().any(|why| why.contains("`newer "))).await;
    assert_eq!(relay.health().await.status, HealthStatus::Degraded);
    of(&service, "UPDATE graceful_flows SET handler = substr(handler, 7)").await;
    service.until(FlowState::Completed, 1).await;
}

/// A relay died before it stored the outcome of its claim, so the next relay claims the flow.
#[tokio::test]
async fn flows_of_a_dead_relay_are_claimed_by_another() {
    let service = Service::new().await;
    service.without_a_relay().scope(well(1)).await.unwrap();
    let lease = Duration::from_millis(50);
    assert_eq!(service.store.claim(Room::of(10), lease).await.unwrap().len(), 1);
    let _relay = service.with_a_relay();
    let completed = service.until(FlowState::Completed, 1).await;
    assert_eq!(completed[0].summary.attempts, 2, "the one that died counts");
}

/// The lease is extended while an attempt runs, so no other relay claims the flow.
#[tokio::test]
async fn attempt_may_take_longer_than_its_lease() {
    static GATE: Gate = Gate::closed();

    async fn slow(_: &Flow) -> HookResult {
        GATE.pass().await;
        Ok(())
    }

    #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = slow)]
    async fn ask() -> Result<u64, Code> {
        Ok(7)
    }

    let service = Service::new().await;
    let settings = quick().lease(Duration::from_secs(2));
    let orchestrator = service.builder().relay(settings).build().unwrap();
    let _other = service.builder().relay(settings).build().unwrap();
    orchestrator.scope(ask()).await.unwrap();
    GATE.reached().await;
    let due = service.stored(FlowState::Queued).await[0].summary.due;
    awaited(async {
        // A lease and more later.
        while service.stored(FlowState::Queued).await[0].summary.due < due + Duration::from_millis(2500) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    GATE.open_for(10);
    assert_eq!(service.until(FlowState::Completed, 1).await[0].summary.attempts, 1);
}

#[tokio::test]
async fn completed_flows_are_purged_and_dead_letters_are_not() {
    let service = Service::new().await;
    let orchestrator = service.builder().relay(quick().retention(Duration::ZERO)).build().unwrap();
    orchestrator.scope(well(1)).await.unwrap();
    service.until(FlowState::Completed, 1).await;
    drop(orchestrator);
    service.without_a_relay().scope(well(2)).await.unwrap();
    sqlx::query("UPDATE graceful_flows SET body = x'00' WHERE state = 0")
        .execute(&mut service.data().await)
        .await
        .unwrap();
    // One that has just been started looks for what to purge.
    let _relay = service.builder().relay(quick().retention(Duration::ZERO)).build().unwrap();
    service.until(FlowState::Dead, 1).await;
    awaited(async {
        while !service.stored(FlowState::Completed).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(service.stored(FlowState::Dead).await.len(), 1);
}

#[orchestrate(pattern = "user", cache(key = id, version = u64::MAX - id), event = "asked", delivery = "durable")]
async fn with_a_wrong_version(id: u64, error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(id), Err)
}

#[tokio::test]
async fn step_whose_argument_has_no_value_is_not_tried_again() {
    for error in [None, Some(Code::Internal)] {
        let mut service = Service::new().await;
        let orchestrator = service.with_a_relay();
        let _ = orchestrator.scope(with_a_wrong_version(7, error)).await;
        let completed = service.until(FlowState::Completed, 1).await.remove(0);
        assert_eq!(completed.summary.attempts, 1);
        let report = service.reports.until(1).await.remove(0);
        assert_eq!(report.failures().map(graceful::StepError::step).collect::<Vec<_>>(), [Some(Step::Cache)]);
        assert_eq!(service.emitted().len(), 1);
    }
}
