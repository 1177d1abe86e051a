//! Settings come from a map, and name servers.

use graceful::{Code, Orchestrator, Step, error::ConfigError, orchestrate};
use graceful_tests::{
    BACKENDS, Reports, User, ada,
    servers::{NATS, POSTGRES, REDIS, Server, unique},
};

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
async fn update(user: User, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

async fn refused(settings: &[(&str, &str)]) -> ConfigError {
    let error = Orchestrator::builder().settings(BACKENDS, settings.iter().copied()).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    error
}

#[test(requires(Redis, Nats))]
async fn redis_and_nats_settings_are_used_by_both_arms() {
    let (service, stream, reports) = (unique("users"), unique("test"), Reports::default());
    let settings = [
        ("GRACEFUL_SERVICE", service.clone()),
        ("GRACEFUL_ENVIRONMENT", "staging".to_owned()),
        ("GRACEFUL_CACHE", format!(" redis://{REDIS}/0\n")),
        ("GRACEFUL_EVENTS", format!("nats://{NATS}?stream={stream}")),
        ("PATH", "/bin".to_owned()),
    ];
    let builder = Orchestrator::builder().service("overridden").settings(BACKENDS, settings).await.unwrap();
    let orchestrator = reports.of(builder).build().unwrap();
    let cache = orchestrator.cache().unwrap();
    let key = orchestrator.key("user", 42);
    assert_eq!(key.service(), service);

    orchestrator.scope(update(ada(), None)).await.unwrap();
    assert_eq!(orchestrator.cached::<User>("user", 42).await.unwrap(), Some(ada()));
    orchestrator.scope(update(ada(), Some(Code::Internal))).await.unwrap_err();
    assert_eq!(cache.get(&key).await.unwrap(), None);
    for report in reports.all() {
        assert_eq!(report.flow().environment(), "staging");
        assert_eq!(report.step(Step::Event).to_string(), "emitted");
    }
    let client = async_nats::connect(format!("nats://{NATS}")).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let state = jetstream.get_stream(&stream).await.unwrap().cached_info().state.clone();
    assert_eq!(state.messages, 2);
    jetstream.delete_stream(&stream).await.unwrap();
}

#[test(requires("redis-server", "nats-server"))]
async fn wrong_password_is_refused_for_each_server() {
    let redis = Server::redis(&["--requirepass", "right"]).await;
    let nats = Server::nats("authorization { user: u, password: right }\n").await;
    let (redis, nats) = (redis.address(), nats.address());
    let error = refused(&[
        ("GRACEFUL_CACHE", &format!("redis://:s3cret@{redis}")),
        ("GRACEFUL_EVENTS", &format!("nats://u:s3cret@{nats}")),
    ])
    .await;
    let text = error.to_string();
    assert!(text.starts_with(&format!("GRACEFUL_CACHE: Redis at {redis} cannot be used: ")), "{text}");
    assert!(
        text.ends_with(&format!(
            "GRACEFUL_EVENTS: NATS at {nats} refuses the user, the password or the token"
        )),
        "{text}"
    );

    let right = [
        ("GRACEFUL_CACHE", format!("redis://:right@{redis}")),
        ("GRACEFUL_EVENTS", format!("nats://u:right@{nats}")),
    ];
    let builder = Orchestrator::builder().settings(BACKENDS, right).await.unwrap();
    assert!(!format!("{builder:?}").contains("right"), "{builder:?}");
    assert!(!format!("{:?}", builder.build().unwrap()).contains("right"));
}

#[test(requires(Nats))]
async fn missing_stream_is_refused_by_name() {
    let stream = unique("missing");
    let error = refused(&[("GRACEFUL_EVENTS", &format!("nats://{NATS}?stream={stream}&create=false"))]).await;
    assert_eq!(
        error.to_string(),
        format!("GRACEFUL_EVENTS: the stream `{stream}` of NATS at {NATS} is missing")
    );
}

#[test(requires(Postgres))]
async fn postgres_store_that_cannot_make_its_tables_is_refused() {
    // Where nothing is left behind: the schema does not exist, and so no table can be made.
    let url = format!(
        "postgres://postgres:s3cret@{POSTGRES}/test?options[search_path]={}",
        unique("none").replace('-', "_")
    );
    let error = refused(&[("GRACEFUL_STORE", &url)]).await;
    assert!(
        error.to_string().starts_with(&format!("GRACEFUL_STORE: PostgreSQL at {POSTGRES} cannot be used: ")),
        "{error}"
    );
}
