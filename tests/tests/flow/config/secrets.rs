//! No configuration error shows a part of a URL that may be a secret, even when the URL is malformed.

use std::{collections::BTreeSet, time::Duration};

use graceful::Orchestrator;
use graceful_alerts::{alertmanager::Alertmanager, webhook::Webhook};
use graceful_rdf::sparql;
use graceful_tests::BACKENDS;
use tokio::task::JoinSet;

/// Long, so that one piece at least survives what cuts it.
const SECRET: &str = "hunterhunterhunter";

const URLS: [(&str, &str); 11] = [
    ("GRACEFUL_CACHE", "redis://USER:PASSWORD@127.0.0.1:1/3"),
    ("GRACEFUL_CACHE", "rediss://:PASSWORD@127.0.0.1:1/DATABASE"),
    ("GRACEFUL_CACHE", "redis+unix:///no/PASSWORD?db=1&pass=PASSWORD"),
    ("GRACEFUL_EVENTS", "nats://USER:PASSWORD@127.0.0.1:1,127.0.0.1:2?stream=orders"),
    ("GRACEFUL_EVENTS", "amqp://USER:PASSWORD@127.0.0.1:1,127.0.0.1:2/vhost?exchange=orders"),
    ("GRACEFUL_EVENTS", "tls://TOKEN@127.0.0.1:1"),
    ("GRACEFUL_STORE", "postgres://USER:PASSWORD@127.0.0.1:1/DATABASE?options[a]=OPTION"),
    ("GRACEFUL_IDEMPOTENCY", "redis://USER:PASSWORD@127.0.0.1:1/DATABASE?allow_loss=QUERY"),
    ("GRACEFUL_GRAPH", "http://USER:PASSWORD@127.0.0.1:1/PATH?query=QUERY#/UPDATE"),
    ("GRACEFUL_ALERTS", "http://USER:PASSWORD@127.0.0.1:1/PATH"),
    ("GRACEFUL_ALERTS", "webhook+http://127.0.0.1:1/PATH#SECRET"),
];

/// The URL with a secret in each place, broken in every way at every position.
fn broken(url: &str) -> impl Iterator<Item = String> + use<> {
    let names = ["USER", "PASSWORD", "DATABASE", "TOKEN", "OPTION", "PATH", "QUERY", "UPDATE", "SECRET"];
    let mut all = BTreeSet::new();
    let secret = names.iter().fold(url.to_owned(), |url, name| url.replace(name, SECRET));
    for special in ["@", "/", ":", "?", "#", "%", "%zz", "[", " ", "\n", "\u{202e}", ",", "\\"] {
        for name in names.iter().filter(|name| url.contains(**name)) {
            for part in [
                format!("{SECRET}{special}{SECRET}"),
                format!("12{special}{SECRET}"),
                format!("{special}{SECRET}"),
            ] {
                all.insert(url.replace(name, &part));
            }
        }
        for (index, _) in secret.char_indices().filter(|(_, c)| !c.is_ascii_alphabetic()) {
            all.insert(format!("{}{special}{}", &secret[..index], &secret[index + 1..]));
            all.insert(format!("{}{special}{}", &secret[..index], &secret[index..]));
        }
    }
    for (index, _) in secret.char_indices() {
        all.insert(format!("{}{}", &secret[..index], &secret[index + 1..]));
        all.insert(secret[index..].to_owned());
        all.insert(secret[..index].to_owned());
    }
    for part in ["127.0.0.1", "127.0.0.1:1", ":1", "1", "no/such", "orders"] {
        all.insert(secret.replace(part, SECRET));
    }
    let scheme = secret.find("://").unwrap_or_default();
    all.insert(format!("{SECRET}{}", &secret[scheme..]));
    all.insert(secret);
    // What can be read leads to a server that is looked for: all of them would take minutes.
    all.into_iter().step_by(8)
}

#[track_caller]
fn holds_no_secret(url: &str, text: &str) {
    assert!(!text.contains("hunter"), "{url:?}: {text}");
    let is_plain = |c: char| (!c.is_control() || c == '\n') && c != '\u{202e}';
    assert!(text.chars().all(is_plain), "{url:?}: {text:?}");
}

/// What an attempt comes to; one that waits for a server has nothing to tell yet.
async fn told(url: String, work: impl Future<Output = Result<(), String>>) -> (String, String) {
    let ended = tokio::time::timeout(Duration::from_secs(2), work).await;
    (url, ended.map_or_else(|_| String::new(), |ended| ended.err().unwrap_or_default()))
}

async fn all_hold_no_secret(mut attempts: JoinSet<(String, String)>) {
    let mut told = 0;
    while let Some(attempt) = attempts.join_next().await {
        let (url, text) = attempt.unwrap();
        holds_no_secret(&url, &text);
        told += usize::from(!text.is_empty());
    }
    assert!(told > 10, "{told} were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_errors_hold_no_part_of_a_broken_url() {
    for (variable, url) in URLS {
        let mut attempts = JoinSet::new();
        for url in broken(url) {
            let settings = [(variable, url.clone())];
            attempts.spawn(told(url, async move {
                let built = Orchestrator::builder().settings(BACKENDS, settings).await;
                built.map(drop).map_err(|error| format!("{error} {error:?}"))
            }));
        }
        all_hold_no_secret(attempts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_errors_hold_no_part_of_a_broken_url() {
    fn shown<T>(result: Result<T, impl std::error::Error>) -> Result<(), String> {
        result.map(drop).map_err(|error| format!("{error} {error:?}"))
    }
    for (_, url) in URLS.iter().filter(|(variable, _)| *variable != "GRACEFUL_STORE") {
        let mut attempts = JoinSet::new();
        for url in broken(url) {
            attempts.spawn(told(url.clone(), async move {
                let plain = url.trim_start_matches("webhook+");
                let all = [
                    shown(graceful_redis::Cache::connect(&url).await),
                    shown(graceful_redis::IdempotentCalls::connect(&url).await),
                    shown(graceful_nats::Events::connect(&url).await),
                    shown(
                        graceful_nats::Subscriber::connect(&url, "reader", &graceful_nats::Filter::new())
                            .await,
                    ),
                    shown(graceful_rabbitmq::Events::connect(&url).await),
                    shown(
                        graceful_rabbitmq::Subscriber::connect(
                            &url,
                            "reader",
                            &graceful_rabbitmq::Filter::new(),
                        )
                        .await,
                    ),
                    shown(graceful_postgres::Store::connect(&url).await),
                    shown(sparql::Graph::builder(plain).build()),
                    shown(Alertmanager::builder(plain).build()),
                    shown(Webhook::builder(plain, "secret").build()),
                ];
                Err(all.into_iter().filter_map(Result::err).collect::<Vec<_>>().join(" "))
            }));
        }
        all_hold_no_secret(attempts).await;
    }
}
