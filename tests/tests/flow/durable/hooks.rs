//! A relay finds the hooks of a stored flow and passes them their typed views.

use std::sync::Mutex;

use graceful::{Failure, Success};
use graceful_tests::User;

use super::*;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn seen(what: String) {
    SEEN.lock().unwrap().push(what);
}

async fn both(flow: &Flow) -> HookResult {
    seen(format!("both {}", flow.ending().as_str()));
    Ok(())
}

async fn ok(success: &Success<'_, User>) -> HookResult {
    seen(format!("ok {}", success.value().name));
    Ok(())
}

async fn err(failure: &Failure<'_, Code>) -> HookResult {
    seen(format!("err {} {:?}", failure.code(), failure.error()));
    Ok(())
}

use handlers::{Updates, Users};

/// With a trait in scope whose methods are named as those that an expansion calls.
mod handlers {
    use graceful::{Code, orchestrate};
    #[expect(unused_imports, reason = "nothing is called by it")]
    use graceful_tests::blanket::by_value::Everything;
    use graceful_tests::{User, ada};

    use super::{both, err, ok};

    pub(super) struct Users;

    pub(super) trait Updates {
        async fn update(&self, error: Option<Code>) -> Result<User, Code>;
    }

    impl Users {
        #[orchestrate(pattern = "user", id = 42, delivery = "durable", audit = both, alert(ok = ok, err = err))]
        pub(super) async fn update(&self, error: Option<Code>) -> Result<User, Code> {
            error.map_or(Ok(ada()), Err)
        }

        /// What is sent is not what the hook takes.
        #[orchestrate(pattern = "user", id = 42, payload = ("less",), delivery = "durable", alert(ok = ok))]
        pub(super) async fn with_a_payload(&self) -> Result<User, Code> {
            Ok(ada())
        }
    }

    /// Of the same name, and another handler.
    impl Updates for Users {
        #[orchestrate(pattern = "user", id = 42, delivery = "durable", nexus = both)]
        async fn update(&self, error: Option<Code>) -> Result<User, Code> {
            error.map_or(Ok(ada()), Err)
        }
    }
}

#[tokio::test]
async fn relay_runs_the_hooks_of_each_handler() {
    let service = Service::new().await;
    let stored = service.without_a_relay();
    // As if by a process that is no more.
    for error in [None, Some(Code::Internal)] {
        let _ = stored.scope(Users.update(error)).await;
    }
    stored.scope(Users.with_a_payload()).await.unwrap();
    let _ = stored.scope(Updates::update(&Users, None)).await;
    let handlers: Vec<_> =
        service.stored(FlowState::Queued).await.into_iter().map(|stored| stored.summary.handler).collect();
    assert_eq!(
        handlers,
        [
            "flow::durable::hooks::handlers::Users::update",
            "flow::durable::hooks::handlers::Users::update",
            "flow::durable::hooks::handlers::Users::with_a_payload",
            "<flow::durable::hooks::handlers::Users as flow::durable::hooks::handlers::Updates>::update"
        ]
    );
    drop(stored);

    let _relay = service.with_a_relay();
    let reports = service.reports.until(4).await;
    assert!(reports.iter().all(|report| report.failures().count() == 0), "{reports:?}");
    let mut seen = SEEN.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, ["both err", "both ok", "both ok", "err INTERNAL None", "ok Ada", "ok Ada"]);
}

#[tokio::test]
async fn value_that_cannot_be_restored_fails_its_step_only() {
    let service = Service::new().await;
    service.without_a_relay().scope(Users.with_a_payload()).await.unwrap();
    sqlx::query(
        "UPDATE graceful_flows SET body = CAST(replace(CAST(body AS TEXT), '\"name\":\"Ada\"', '\"name\":1') AS BLOB)",
    )
    .execute(&mut service.data().await)
    .await
    .unwrap();
    let _relay = service.builder().relay(quick().attempts(1)).build().unwrap();
    let letter = service.until(FlowState::Dead, 1).await.remove(0);
    assert!(letter.summary.error().unwrap().starts_with("step `alert`: invalid type"), "{letter:?}");
    assert_eq!(service.reports.until(1).await[0].failures().count(), 1);
}

/// The hooks of a configuration are values of this process, so no relay could find them and they run before the answer.
#[tokio::test]
async fn hooks_of_a_configuration_run_before_the_answer() {
    use graceful::{Delivery, Hook, OrchestrationConfig};

    async fn noted(flow: &Flow) -> HookResult {
        if flow.is_success() { Ok(()) } else { Err(StepError::new("seen")) }
    }

    let mut service = Service::new().await;
    let stored = service.without_a_relay();
    let config = OrchestrationConfig::new("user")
        .id(42)
        .event("asked")
        .hook(Step::Audit, Hook::new(noted))
        .delivery(Delivery::Durable)
        .on(&stored);
    let report = Success::wrap(Code::Ok, "done", &1).orchestrate(&config).await;
    assert_eq!(report.step(Step::Audit).to_string(), "overridden");
    assert_eq!(report.step(Step::Event).to_string(), "skipped: stored");
    assert!(service.emitted().is_empty());
    let report = Failure::wrap(Code::Internal, "failed", &1).orchestrate(&config).await;
    assert_eq!(report.step(Step::Audit).to_string(), "FAILED: seen");
    let stored = service.stored(FlowState::Queued).await;
    assert_eq!((stored.len(), &*stored[0].summary.handler), (2, ""));
}
