//! Plain handlers: their block enters the handler itself.

use super::*;

#[orchestrate(pattern = "user", id = id, audit = hooks::both)]
async fn ask(id: u64) -> Result<u64, UserError> {
    Ok(id)
}

#[orchestrate(pattern = "user", id = id)]
async fn never(id: u64) -> Result<u64, UserError> {
    let _ = id;
    pending().await
}

#[orchestrate(pattern = "user", id = id)]
async fn panics(id: u64, later: bool) -> Result<u64, UserError> {
    if later {
        yield_now().await;
    }
    resume_unwind(Box::new(id))
}

fn entities(world: &World) -> Vec<String> {
    let reports = world.reports.all();
    reports.iter().map(|report| report.flow().entity_id().to_string()).collect()
}

#[tokio::test]
async fn plain_call_that_was_never_polled_has_no_flow() {
    let world = World::new();
    drop(world.run(never(1)));
    assert_eq!(world.run(ask(2)).await.unwrap(), 2);
    assert_eq!(entities(&world), ["2"]);
}

#[tokio::test]
async fn cancelled_plain_call_runs_its_error_flow_in_the_background() {
    let world = World::new();
    {
        let mut call = pin!(world.run(never(1)));
        assert!(poll(call.as_mut()).is_pending());
        assert!(poll(call.as_mut()).is_pending());
        assert_eq!(world.reports.count(), 0);
    }
    let report = world.reports.until(1).await.remove(0);
    assert_eq!((report.flow().ending(), report.flow().code()), (CallOutcome::Cancelled, Code::Cancelled));
    assert_eq!(entities(&world), ["1"]);
}

#[tokio::test]
async fn panic_of_plain_call_runs_the_error_flow_and_then_continues() {
    for later in [false, true] {
        let world = World::new();
        let payload = tokio::spawn(world.run(panics(7, later))).await.unwrap_err().into_panic();
        assert_eq!(*payload.downcast::<u64>().unwrap(), 7, "the same panic goes on");
        assert_eq!(endings(&world), [CallOutcome::Panicked]);
        assert_eq!(entities(&world), ["7"]);
    }
}

/// The inner calls are made in the first poll of the outer one, before it is known what follows that.
#[tokio::test]
async fn plain_calls_in_the_body_of_another_have_their_own_flows() {
    #[orchestrate(pattern = "user", id = id)]
    async fn outer(id: u64) -> Result<u64, UserError> {
        let inner = ask(id + 1).await?;
        assert!(poll(pin!(never(id + 2))).is_pending());
        Ok(inner + ask(id + 3).await?)
    }

    let world = World::new();
    assert_eq!(world.run(outer(1)).await.unwrap(), 2 + 4);
    world.reports.until(4).await;
    let mut entities = entities(&world);
    entities.sort();
    assert_eq!(entities, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn plain_call_in_a_key_expression_has_its_own_flow() {
    fn key(id: u64) -> u64 {
        let Poll::Ready(key) = poll(pin!(at_once(id))) else { panic!("it is ready at once") };
        key.unwrap()
    }

    #[orchestrate(pattern = "user", id = id)]
    async fn at_once(id: u64) -> Result<u64, UserError> {
        Ok(id)
    }

    #[orchestrate(pattern = "user", id = key(id + 1))]
    async fn outer(id: u64) -> Result<u64, UserError> {
        Ok(id)
    }

    let world = World::new();
    assert_eq!(world.run(outer(1)).await.unwrap(), 1);
    assert_eq!(entities(&world), ["2", "2"]);
}

/// The other orchestrator exists, so the block is not sure that nothing follows it.
#[tokio::test]
async fn plain_call_without_an_orchestrator_has_no_flow_beside_one_with_it() {
    let world = World::new();
    assert_eq!(ask(1).await.unwrap(), 1);
    assert_eq!(world.run(ask(2)).await.unwrap(), 2);
    assert_eq!(entities(&world), ["2"]);
}

#[tokio::test]
async fn plain_call_whose_condition_is_false_has_no_flow() {
    #[orchestrate(pattern = "user", id = id, when = id > 1)]
    async fn some(id: u64) -> Result<u64, UserError> {
        yield_now().await;
        Ok(id)
    }

    let world = World::new();
    assert_eq!(world.run(some(1)).await.unwrap(), 1);
    assert_eq!(world.run(some(2)).await.unwrap(), 2);
    assert_eq!(entities(&world), ["2"]);
}

#[tokio::test]
async fn panicking_expression_of_plain_call_fails_its_step_only() {
    #[orchestrate(pattern = "user", cache = none.unwrap(), id = 3)]
    async fn some(none: Option<u64>) -> Result<u64, UserError> {
        Ok(none.unwrap_or_default())
    }

    let world = World::new();
    assert_eq!(world.run(some(None)).await.unwrap(), 0);
    let report = world.reports.only();
    assert!(report.step(Step::Cache).error().is_some(), "{report}");
    assert_eq!(entities(&world), ["3"]);
}

/// The arguments are dropped when the body ends, not when the steps do.
#[tokio::test]
async fn arguments_of_plain_call_are_dropped_before_its_steps_run() {
    struct Held(&'static str);

    impl Drop for Held {
        fn drop(&mut self) {
            hooks::called(self.0);
        }
    }

    #[orchestrate(pattern = "user", id = 1, audit = hooks::both)]
    async fn holds(_first: Held, second: Held) -> Result<(), UserError> {
        yield_now().await;
        let _ = &second;
        Ok(())
    }

    let world = World::new();
    world.run(holds(Held("first"), Held("second"))).await.unwrap();
    assert_eq!(hooks::calls(), ["second", "first", "ok 1"]);
}
