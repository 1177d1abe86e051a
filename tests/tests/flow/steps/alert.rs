//! The `alert` step resolves the incident's open alert on `Ok` and fires it on `Err`.

use graceful::{Code, Severity, Step, orchestrate};
use graceful_tests::{Log, User, UserError, World, ada};
use tracing::Level;

step!(Alert alert, |user| [] [cache = user.id, event = "user_updated"]);
backend!(Alert);
by_path!(Alert alert, |user| [cache = user.id, event = "user_updated"]);

#[tokio::test]
async fn err_fires_an_alert_and_then_repeats_it() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Broken))).await.unwrap_err();

    let (first, result) = world.last(Step::Alert);
    assert_eq!(result, "fired");
    let open = world.open_alerts().await;
    let [alert] = &open[..] else { panic!("one alert: {open:?}") };
    assert_eq!((&alert.entity, alert.severity), (&world.entity(), Severity::Error));
    assert_eq!((alert.code, alert.message.as_str(), alert.count), (Code::Internal, "store broken", 1));
    let at = first.flow().timestamp();
    assert_eq!((alert.fired_at, alert.last_fired_at, alert.resolved_at), (at, at, None));
    assert_eq!(alert.flow, first.flow().id());

    world.run(crate::steps::answer(ada(), Some(Code::Unavailable))).await.unwrap_err();
    let (second, result) = world.last(Step::Alert);
    assert_eq!(result, "fired again");
    let again = world.open_alerts().await.remove(0);
    assert_eq!((again.count, again.code, again.fired_at), (2, Code::Unavailable, at));
    assert_eq!((again.last_fired_at, again.flow), (second.flow().timestamp(), second.flow().id()));
}

#[tokio::test]
async fn ok_resolves_the_alert_of_its_entity() {
    let world = World::new();
    world.run(crate::steps::update(ada(), Some(UserError::Broken))).await.unwrap_err();
    world.run(crate::steps::update(User { id: 7, ..ada() }, None)).await.unwrap();
    assert_eq!(world.last(Step::Alert).1, "no open alert");
    assert_eq!(world.open_alerts().await.len(), 1, "another entity's success resolves nothing");

    world.run(crate::steps::update(ada(), None)).await.unwrap();
    let (report, result) = world.last(Step::Alert);
    assert_eq!(result, "resolved");
    assert_eq!(world.open_alerts().await, []);
    let resolved = world.resolved_alerts().await.remove(0);
    assert_eq!((resolved.resolved_at, resolved.count), (Some(report.flow().timestamp()), 1));
}

#[tokio::test]
async fn alert_fires_for_server_faults_only() {
    for code in Code::ALL.into_iter().skip(1) {
        let world = World::new();
        world.run(crate::steps::answer(ada(), Some(code))).await.unwrap_err();
        let expected = if code.is_server_fault() { "fired" } else { "skipped: not a server fault" };
        assert_eq!(world.last(Step::Alert).1, expected, "{code}");
        assert_eq!(world.open_alerts().await.len(), usize::from(code.is_server_fault()), "{code}");
    }
}

#[tokio::test]
async fn firing_and_resolving_are_logged() {
    let world = World::new();
    let (log, _listening) = Log::listen();
    world.run(crate::steps::update(ada(), Some(UserError::Broken))).await.unwrap_err();
    world.run(crate::steps::update(ada(), None)).await.unwrap();
    let lines = log.of("graceful::alert");
    let said: Vec<_> = lines.iter().map(|line| (line.level, line.field("message"))).collect();
    assert_eq!(said, [(Level::ERROR, "store broken"), (Level::INFO, "resolved: store broken")]);
}

mod options {
    use super::*;

    #[orchestrate(pattern = "user", id = 42, incident = "user", alert(on = "all", severity = "warning"))]
    async fn all(code: Code) -> Result<(), Code> {
        Err(code)
    }

    #[orchestrate(
        pattern = "user",
        id = 42,
        incident = "user",
        alert(on = "server_fault", severity = "critical")
    )]
    async fn critical(code: Code) -> Result<(), Code> {
        Err(code)
    }

    #[tokio::test]
    async fn alert_on_all_errors_fires_for_every_code() {
        for code in Code::ALL.into_iter().skip(1) {
            let world = World::new();
            world.run(all(code)).await.unwrap_err();
            assert_eq!(world.last(Step::Alert).1, "fired", "{code}");
            assert_eq!(world.open_alerts().await[0].severity, Severity::Warning, "{code}");
        }
    }

    #[tokio::test]
    async fn severity_is_that_of_the_argument_and_never_decreases() {
        let world = World::new();
        world.run(critical(Code::InvalidArgument)).await.unwrap_err();
        assert_eq!(world.open_alerts().await, []);
        world.run(critical(Code::Internal)).await.unwrap_err();
        world.run(all(Code::InvalidArgument)).await.unwrap_err();
        assert_eq!(world.open_alerts().await[0].severity, Severity::Critical);
    }
}
