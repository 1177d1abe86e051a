use graceful::{OrchestrationConfig, Orchestrator, Step, Success, backends::memory, error::InstallError};

use super::*;

#[test]
fn install_with_unmet_requirements_names_all_with_file_and_line() {
    let error = Orchestrator::builder().build().unwrap().install().unwrap_err();
    assert_eq!(error.to_string(), unmet().join("\n"));
    let InstallError::Unmet(unmet) = error else { panic!("{error}") };
    let places: Vec<_> = unmet.iter().map(|unmet| (unmet.handler(), unmet.line())).collect();
    assert_eq!(
        places,
        [
            ("store_user", users::DURABLE),
            ("cancel_order", orders::REQUIRED),
            ("read_order", orders::LAST_GOOD)
        ]
    );
}

#[test]
fn install_of_an_orchestrator_in_memory_refuses_the_durable_handler_alone() {
    let error = Orchestrator::in_memory().install().unwrap_err();
    assert_eq!(error.to_string(), unmet()[0]);
}

/// A partial orchestrator may lack backends: handlers that it does not name are served by another one.
#[tokio::test]
async fn build_of_a_partial_orchestrator_ignores_handlers_that_are_not_named() {
    Orchestrator::builder().build().unwrap();
    Orchestrator::builder().cache(memory::Cache::new()).build().unwrap();
    Orchestrator::builder().flows(memory::Flows::new()).build().unwrap();
}

#[test]
fn build_refuses_the_named_handlers_alone() {
    let [store, cancel, read] = unmet();
    let refused = |paths: &[&'static str]| {
        let named = paths.iter().fold(Orchestrator::builder(), |builder, path| builder.handlers(*path));
        named.build().map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(refused(&[concat!(module_path!(), "::none")]), "");
    assert_eq!(refused(&["start::users"]), store);
    assert_eq!(refused(&["start::orders"]), format!("{cancel}\n{read}"));
    assert_eq!(refused(&["start::orders::read_order"]), read);
    assert_eq!(refused(&["start::users", "start::orders::read_order"]), format!("{store}\n{read}"));
    assert_eq!(refused(&["start"]), unmet().join("\n"));
    assert_eq!(refused(&["start::order"]), "", "a part of a name is no module");
    let served = Orchestrator::builder().in_memory().handlers("start::orders");
    assert!(served.build().is_ok());
}

#[test]
fn build_with_a_store_and_no_runtime_says_what_to_do() {
    let error = Orchestrator::builder().flows(memory::Flows::new()).build().unwrap_err().to_string();
    assert_eq!(
        error,
        "the relay and the reviewer need a Tokio runtime: call `build()` inside of one, or pass a handle with `.runtime(handle)`"
    );
}

#[test]
fn build_refuses_names_that_no_event_can_carry() {
    let refused = |service: &str, environment: &str| {
        let builder = Orchestrator::builder().service(service).environment(environment);
        builder.build().map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(refused("users", ""), "");
    assert_eq!(refused("Benutzer 7", "prod"), "");
    assert_eq!(refused("", "prod"), "the name of the service is empty");
    let hidden = |what| format!("the name of the {what} holds control or bidirectional characters");
    assert_eq!(refused("a\nb", "prod"), hidden("service"));
    assert_eq!(refused("a", "\u{202e}"), hidden("environment"));
    assert_eq!(refused("\0", "\r"), format!("{}\n{}", hidden("service"), hidden("environment")));
}

#[tokio::test]
async fn manual_path_reports_names_that_no_event_can_carry() {
    let orchestrator = Orchestrator::in_memory();
    let configs = [
        OrchestrationConfig::new("us\ner").event("seen"),
        OrchestrationConfig::new("user").event("se\u{7}en"),
        OrchestrationConfig::new("user").event("seen\u{2066}"),
    ];
    for config in configs {
        let report =
            Success::wrap(Code::Ok, "done", "value").orchestrate(&config.id(1).on(&orchestrator)).await;
        let error = report.step(Step::Event).error().map(ToString::to_string).unwrap_or_default();
        assert!(error.contains("holds control or bidirectional characters"), "{report}");
        assert!(!report.step(Step::Audit).is_done());
    }
}

#[tokio::test]
async fn store_serves_alerts_unless_they_were_given() {
    let dir = tempfile::tempdir().unwrap();
    let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
    let orchestrator = Orchestrator::builder().store(store.clone()).build().unwrap();
    assert!(format!("{:?}", orchestrator.alerts().unwrap()).starts_with("Store"));
    let given = Orchestrator::builder().alerts(memory::Alerts::new()).store(store).build().unwrap();
    assert!(!format!("{:?}", given.alerts().unwrap()).starts_with("Store"));
}
