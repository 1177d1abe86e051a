//! Settings come from a map.

use graceful::{
    Code, Failure, OrchestrationConfig, Orchestrator, Step,
    backends::{Alerter, IncidentFilter, memory},
    error::ConfigError,
};
use graceful_tests::{BACKENDS, Log, raw_http::Inbox, servers::unique};

async fn refused(settings: &[(&str, &str)]) -> ConfigError {
    let error = Orchestrator::builder().settings(BACKENDS, settings.iter().copied()).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    error
}

#[tokio::test]
async fn unset_or_empty_setting_leaves_the_builder_unchanged() {
    let cache = memory::Cache::new();
    let builder = Orchestrator::builder().service("users").cache(cache);
    let settings = [("GRACEFUL_CACHE", " "), ("GRACEFUL_SERVICE", "")];
    let orchestrator = builder.settings(BACKENDS, settings).await.unwrap().build().unwrap();
    assert!(orchestrator.cache().is_some() && orchestrator.events().is_none());
    assert_eq!(orchestrator.key("user", 1).service(), "users");
}

#[tokio::test]
async fn value_that_is_not_a_url_or_has_another_scheme_is_refused() {
    for (variable, value, why) in [
        (
            "GRACEFUL_CACHE",
            "s3cret",
            "its value is not a URL; expected `redis://…` (graceful-redis), `redis+unix://…` (graceful-redis), `rediss://…`",
        ),
        ("GRACEFUL_CACHE", "s3cret:s3cret://s3cret", "its value is a URL of an unknown scheme"),
        (
            "GRACEFUL_CACHE",
            "nats://:s3cret@a",
            "its value is a URL of an unknown scheme; expected `redis://…`",
        ),
        ("GRACEFUL_CACHE", "redis://:s3cret@a:99999", "not a URL of Redis; "),
        (
            "GRACEFUL_EVENTS",
            "redis://:s3cret@a",
            "its value is a URL of an unknown scheme; expected `nats://…` (graceful-nats), `tls://…`",
        ),
        ("GRACEFUL_EVENTS", "nats://u:s3cret@a?stream=a.b", "not a URL of NATS: "),
        ("GRACEFUL_EVENTS", "amqp://u:s3cret@a?exchange=a.b", "not a URL of RabbitMQ: "),
        (
            "GRACEFUL_STORE",
            "mysql://u:s3cret@a",
            "its value is a URL of an unknown scheme; expected `postgres://…`",
        ),
        ("GRACEFUL_STORE", "postgres://u:s3cret@a:99999/b", "not a URL of PostgreSQL"),
        ("GRACEFUL_STORE", "sqlite:///no/such/directory/app.db", "the store cannot be opened: "),
        ("GRACEFUL_IDEMPOTENCY", "redis://:s3cret@a:99999", "not a URL of Redis; "),
        ("GRACEFUL_IDEMPOTENCY", "redis://:s3cret@a?allow_loss=yes", "not a URL of Redis: "),
        ("GRACEFUL_GRAPH", "https://u:s3cret@", "not a URL: "),
        ("GRACEFUL_ALERTS", "https://u:s3cret@a:99999", "not a URL: "),
    ] {
        let error = refused(&[(variable, value)]).await;
        assert!(error.to_string().starts_with(&format!("{variable}: {why}")), "{error}");
        assert_eq!(error.variables().collect::<Vec<_>>(), [variable]);
    }
}

#[tokio::test]
async fn unknown_variable_forges_no_line_of_the_log() {
    let (log, _listening) = Log::listen();
    let settings = [("GRACEFUL_COLOUR\nERROR forged\u{202e}", "red")];
    drop(Orchestrator::builder().settings(BACKENDS, settings).await.unwrap());
    let lines = log.of("graceful::config");
    assert_eq!(lines[0].field("variable"), "GRACEFUL_COLOUR\\nERROR forged\\u{202e}");
}

#[tokio::test]
async fn several_unusable_settings_are_reported_together() {
    let error = refused(&[
        ("GRACEFUL_EVENTS", "nats://u:s3cret@127.0.0.1:1"),
        ("GRACEFUL_CACHE", "redis://:s3cret@127.0.0.1:1"),
    ])
    .await;
    let text = error.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("GRACEFUL_CACHE: Redis at 127.0.0.1:1 cannot be used: "), "{text}");
    assert!(lines[1].starts_with("GRACEFUL_EVENTS: NATS at 127.0.0.1:1 cannot be used: "), "{text}");
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn store_graph_and_alerts_settings_are_used_without_showing_secrets() {
    let directory = std::env::temp_dir().join(unique("graceful-config"));
    std::fs::create_dir_all(&directory).unwrap();
    let settings = [
        ("GRACEFUL_STORE", format!("sqlite://{}/app.db", directory.display())),
        ("GRACEFUL_GRAPH", "http://u:s3cret@127.0.0.1:1/sparql".to_owned()),
        ("GRACEFUL_ALERTS", "http://u:s3cret@127.0.0.1:1".to_owned()),
    ];
    let orchestrator = Orchestrator::builder().settings(BACKENDS, settings).await.unwrap().build().unwrap();
    assert!(orchestrator.flows().is_some() && orchestrator.audit().is_some());
    assert!(orchestrator.graph().is_some() && orchestrator.alerts().is_some());
    assert!(!format!("{orchestrator:?}").contains("s3cret"), "{orchestrator:?}");
    drop(orchestrator);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn alerts_setting_sends_the_alerts_of_the_store_setting() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let mut receiver = Inbox::open().await;
    let settings = [
        ("GRACEFUL_STORE", format!("sqlite://{}", file.display())),
        ("GRACEFUL_ALERTS", format!("webhook+{}#secret", receiver.url("", "/hooks"))),
    ];
    let orchestrator = Orchestrator::builder().settings(BACKENDS, settings).await.unwrap().build().unwrap();
    let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
    let report = Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
    assert_eq!(report.step(Step::Alert).to_string(), "fired");
    assert!(receiver.next().await.body.contains("disk full"));
    let store = graceful_sqlite::Store::open(&file).await.unwrap();
    assert_eq!(
        Alerter::open(&store, IncidentFilter::default(), None, 9).await.unwrap().items[0].message,
        "disk full"
    );
}
