//! From a map.

use graceful::{Code, ConfigError, Orchestrator, Step, backends::memory, orchestrate};
use graceful_tests::{
    Reports, User, ada,
    servers::{self, Server, unique},
};

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
async fn update(user: User, error: Option<Code>) -> Result<User, Code> {
    error.map_or(Ok(user), Err)
}

async fn refused(settings: &[(&str, &str)]) -> ConfigError {
    let error = Orchestrator::builder().with_settings(settings.iter().copied()).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    error
}

#[tokio::test]
async fn both_servers_are_used_for_both_arms() {
    let (Some(redis), Some(nats)) = (servers::redis().await, servers::nats().await) else { return };
    let (service, stream, reports) = (unique("users"), unique("test"), Reports::default());
    let settings = [
        ("GRACEFUL_SERVICE", service.clone()),
        ("GRACEFUL_ENVIRONMENT", "staging".to_owned()),
        ("GRACEFUL_CACHE", format!(" redis://{redis}/0\n")),
        ("GRACEFUL_EVENTS", format!("nats://{nats}?stream={stream}")),
        ("PATH", "/bin".to_owned()),
    ];
    let builder = Orchestrator::builder().service("overridden").with_settings(settings).await.unwrap();
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
    let client = async_nats::connect(format!("nats://{nats}")).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let state = jetstream.get_stream(&stream).await.unwrap().cached_info().state.clone();
    assert_eq!(state.messages, 2);
    jetstream.delete_stream(&stream).await.unwrap();
}

#[tokio::test]
async fn what_is_not_set_or_empty_stays_as_it_was() {
    let cache = memory::Cache::new();
    let builder = Orchestrator::builder().service("users").cache(cache);
    let settings = [("GRACEFUL_CACHE", " "), ("GRACEFUL_SERVICE", "")];
    let orchestrator = builder.with_settings(settings).await.unwrap().build().unwrap();
    assert!(orchestrator.cache().is_some() && orchestrator.events().is_none());
    assert_eq!(orchestrator.key("user", 1).service(), "users");
}

#[tokio::test]
async fn a_value_that_is_no_url_or_of_another_scheme() {
    for (variable, value, why) in [
        (
            "GRACEFUL_CACHE",
            "s3cret",
            "its value is no URL; known are `redis://…`, `redis+unix://…`, `rediss://…`",
        ),
        ("GRACEFUL_CACHE", "s3cret:s3cret://s3cret", "its value is no URL"),
        ("GRACEFUL_CACHE", "nats://:s3cret@a", "the scheme `nats` is unknown here; known are `redis://…`"),
        ("GRACEFUL_CACHE", "redis://:s3cret@a:99999", "no URL of Redis: "),
        (
            "GRACEFUL_EVENTS",
            "redis://:s3cret@a",
            "the scheme `redis` is unknown here; known are `nats://…`, `tls://…`",
        ),
        ("GRACEFUL_EVENTS", "nats://u:s3cret@a?stream=a.b", "no URL of NATS: "),
    ] {
        let error = refused(&[(variable, value)]).await;
        assert!(error.to_string().starts_with(&format!("{variable}: {why}")), "{error}");
        assert_eq!(error.variables().collect::<Vec<_>>(), [variable]);
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
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
async fn a_wrong_password() {
    let Some(redis) = Server::redis(&["--requirepass", "right"]).await else { return };
    let Some(nats) = Server::nats("authorization { user: u, password: right }\n").await else { return };
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
    let builder = Orchestrator::builder().with_settings(right).await.unwrap();
    assert!(!format!("{builder:?}").contains("right"), "{builder:?}");
    assert!(!format!("{:?}", builder.build().unwrap()).contains("right"));
}

#[tokio::test]
async fn a_missing_stream() {
    let Some(nats) = servers::nats().await else { return };
    let stream = unique("missing");
    let error = refused(&[("GRACEFUL_EVENTS", &format!("nats://{nats}?stream={stream}&create=false"))]).await;
    assert_eq!(
        error.to_string(),
        format!("GRACEFUL_EVENTS: the stream `{stream}` of NATS at {nats} is missing")
    );
}
