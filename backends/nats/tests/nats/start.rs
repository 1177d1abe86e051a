//! A connection that cannot work is refused at once, without showing a secret.

use async_nats::jetstream::stream::{Config, StorageType};
use graceful_nats::{Events, Filter, Subscriber};
use graceful_tests::servers::Server;

use super::Nats;

async fn refused(url: &str) -> String {
    let error = Events::connect(url).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    text
}

#[test]
async fn invalid_url_is_refused_without_showing_it() {
    for url in ["", "http://u:s3cret@a", "nats://u:s3cret@a?stream=a.b", "nats://u:s3cret@a?steam=a"] {
        let text = refused(url).await;
        assert!(text.starts_with("not a URL of NATS: "), "{url}: {text}");
    }
}

#[test]
async fn unreachable_server_is_refused_with_its_address() {
    let text = refused("nats://u:s3cret@127.0.0.1:1").await;
    assert!(text.starts_with("NATS at 127.0.0.1:1 cannot be used: "), "{text}");
}

#[test(requires("nats-server"))]
async fn wrong_or_missing_login_is_refused() {
    for (login, right) in [("user: u, password: right", "u:right"), ("token: right", "right")] {
        let server = Server::nats(&format!("authorization {{ {login} }}\n")).await;
        let address = server.address();
        for wrong in [
            format!("nats://u:s3cret@{address}"),
            format!("nats://s3cret@{address}"),
            format!("nats://{address}"),
        ] {
            let text = refused(&wrong).await;
            assert_eq!(text, format!("NATS at {address} refuses the user, the password or the token"));
        }
        let events = Events::connect(&format!("nats://{right}@{address}")).await.unwrap();
        assert!(!format!("{events:?}").contains("right"), "{events:?}");
    }
}

#[test(requires("nats-server"))]
async fn server_without_jetstream_is_refused() {
    let server = Server::start("nats-server", |port, _| {
        ["--addr", "127.0.0.1", "--port", port].map(ToOwned::to_owned).to_vec()
    })
    .await;
    let text = refused(&format!("nats://{}", server.address())).await;
    assert!(text.starts_with("the stream `graceful` of NATS at 127.0.0.1:"), "{text}");
}

#[test(requires(Nats))]
async fn stream_is_created_once_and_then_checked() {
    let nats = Nats::connect().await;
    let text = refused(&format!("{}&create=false", nats.url())).await;
    assert_eq!(text, format!("the stream `{}` of NATS at {} is missing", nats.stream, nats.address));

    let url = nats.url();
    let connected: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let url = url.clone();
                async move { Events::connect(&url).await }
            })
        })
        .collect();
    for one in connected {
        one.await.unwrap().unwrap();
    }
    let config = nats.stream().await.cached_info().config.clone();
    assert_eq!(config.subjects, [format!("{}.>", nats.stream)]);
    assert_eq!((config.max_age.as_secs(), config.duplicate_window.as_secs()), (7 * 24 * 3600, 120));
    Events::connect(&format!("{}&create=false", nats.url())).await.unwrap();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn existing_stream_is_used_unchanged_or_refused_with_the_reason() {
    let nats = Nats::connect().await;
    let own = Config { name: nats.stream.clone(), max_messages: 5_000_000, ..Config::default() };
    nats.jetstream
        .create_stream(Config { subjects: vec![format!("{}.a.>", nats.stream)], ..own.clone() })
        .await
        .unwrap();
    let text = refused(&nats.url()).await;
    assert!(text.ends_with(&format!("does not take the subjects `{}.>`", nats.stream)), "{text}");

    let fit = Config { subjects: vec![format!("{}.>", nats.stream)], ..own };
    nats.jetstream.update_stream(fit).await.unwrap();
    nats.events().await;
    assert_eq!(nats.stream().await.cached_info().config.max_messages, 5_000_000);
    nats.clean().await;
}

#[test(requires("nats-server"))]
async fn stream_that_can_lose_events_is_refused_unless_allowed() {
    let server = Server::nats("").await;
    let nats = Nats::at(server.address()).await;
    let own = Config {
        name: nats.stream.clone(),
        subjects: vec![format!("{}.>", nats.stream)],
        storage: StorageType::Memory,
        max_messages: 5,
        ..Config::default()
    };
    nats.jetstream.create_stream(own).await.unwrap();
    let text = refused(&nats.url()).await;
    assert_eq!(
        text,
        format!(
            "the stream `{}` of NATS at {} can lose events: it is in memory (set `storage` to `file`); beyond 5 it discards the oldest \
             (`max_msgs`: set it to -1, to 1000000 or more, or `discard` to `new`). Change the stream, or allow it by \
             `allow_loss=true` in the URL",
            nats.stream,
            server.address()
        )
    );
    let reader = Subscriber::connect(&nats.url(), "reader", &Filter::new()).await.unwrap_err().to_string();
    assert_eq!(reader, text);

    let allowed = format!("{}&allow_loss=true", nats.url());
    Events::connect(&allowed).await.unwrap();
    Subscriber::connect(&allowed, "reader", &Filter::new()).await.unwrap();
    nats.clean().await;
}

#[test(requires(Nats))]
async fn stream_that_cannot_be_created_is_refused_with_the_reason() {
    let nats = Nats::connect().await;
    let other = Config {
        name: format!("{}-other", nats.stream),
        subjects: vec![format!("{}.a.>", nats.stream)],
        ..Config::default()
    };
    nats.jetstream.create_stream(&other).await.unwrap();
    let text = refused(&nats.url()).await;
    assert!(text.contains("cannot be created") && text.contains("overlap"), "{text}");
    nats.jetstream.delete_stream(&other.name).await.unwrap();
}

#[test(requires(Nats))]
async fn consumer_with_an_invalid_name_is_refused() {
    let nats = Nats::connect().await;
    for name in ["", "a.b", "a b", "*", ">"] {
        let error = Subscriber::connect(&nats.url(), name, &Filter::new()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("the consumer `{name}` of NATS at ")), "{error}");
    }
    let error = Subscriber::connect(&nats.url(), "a%2Eb", &Filter::new()).await.unwrap_err().to_string();
    assert_eq!(error, "`a%2Eb` cannot be the name of a consumer: it must not contain `%`");
    nats.clean().await;
}
