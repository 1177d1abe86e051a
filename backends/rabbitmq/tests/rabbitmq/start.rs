//! A connection that cannot work is refused at once, without showing a secret.

use graceful_rabbitmq::{Events, Filter, Subscriber};
use graceful_tests::{Link, Proxy, gate::awaited, servers::RABBITMQ};
use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::Rabbit;

async fn refused(url: &str) -> String {
    let error = Events::connect(url).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    text
}

#[test]
async fn invalid_url_is_refused_without_showing_it() {
    for url in ["", "http://u:s3cret@a", "amqp://u:s3cret@a?exchange=a.b", "amqp://u:s3cret@a?exchanges=a"] {
        let text = refused(url).await;
        assert!(text.starts_with("not a URL of RabbitMQ: "), "{url}: {text}");
    }
}

#[test]
async fn unreachable_server_is_refused_with_its_address() {
    let text = refused("amqp://u:s3cret@127.0.0.1:1").await;
    assert!(text.starts_with("RabbitMQ at 127.0.0.1:1 cannot be used: "), "{text}");
}

#[test(requires(RabbitMq))]
async fn wrong_login_or_virtual_host_is_refused() {
    for login in ["guest:s3cret@", "s3cret:guest@", "s3cret@"] {
        let text = refused(&format!("amqp://{login}{RABBITMQ}")).await;
        assert_eq!(text, format!("RabbitMQ at {RABBITMQ} refuses the user or the password"));
    }
    let text = refused(&format!("amqp://{RABBITMQ}/s3cret")).await;
    assert_eq!(
        text,
        format!("RabbitMQ at {RABBITMQ} has no such virtual host, or refuses the user access to it")
    );
    let rabbit = Rabbit::connect().await;
    let url = format!("amqp://guest:guest@{RABBITMQ}/%2f?exchange={}", rabbit.exchange);
    let events = Events::connect(&url).await.unwrap();
    let subscriber = Subscriber::connect(&url, "reader", &Filter::new()).await.unwrap();
    for debug in [format!("{events:?}"), format!("{subscriber:?}")] {
        assert!(!debug.contains("guest"), "{debug}");
    }
    rabbit.clean().await;
}

#[test]
async fn encrypted_connection_to_an_unreachable_server_is_refused_with_its_address() {
    let text = refused("amqps://u:s3cret@127.0.0.1:1").await;
    assert!(text.starts_with("RabbitMQ at 127.0.0.1:1 cannot be used: "), "{text}");
}

#[test(requires(RabbitMq))]
async fn server_that_does_not_answer_is_refused() {
    let proxy = Proxy::to(RABBITMQ).await;
    proxy.set(Link::BlackHole).await;
    let text = refused(&format!("amqp://u:s3cret@{}", proxy.address())).await;
    assert_eq!(text, format!("RabbitMQ at {} does not answer within 2s", proxy.address()));
}

/// The server accepts the connection, and never answers the TLS handshake.
#[test]
async fn encrypted_connection_without_an_answer_is_closed() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let connecting = tokio::spawn(async move { refused(&format!("amqps://u:s3cret@{address}")).await });
    let (mut accepted, _) = awaited(server.accept()).await.unwrap();
    assert_eq!(
        awaited(connecting).await.unwrap(),
        format!("RabbitMQ at {address} does not answer within 2s")
    );
    let mut hello = Vec::new();
    awaited(accepted.read_to_end(&mut hello)).await.unwrap();
    assert!(!hello.is_empty());
}

#[test(requires(RabbitMq))]
async fn next_server_is_used_if_one_does_not_answer() {
    let rabbit = Rabbit::connect().await;
    Events::connect(&format!("amqp://127.0.0.1:1,{RABBITMQ}?exchange={}", rabbit.exchange)).await.unwrap();
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn exchange_and_queues_are_declared_once_and_then_checked() {
    let rabbit = Rabbit::connect().await;
    let url = rabbit.url();
    let checked = format!("{url}&create=false");
    let text = refused(&checked).await;
    assert_eq!(
        text,
        format!("the exchange `{}` of RabbitMQ at {} is missing", rabbit.exchange, rabbit.address)
    );

    let connected: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Events::connect(&url).await })
        })
        .collect();
    for one in connected {
        one.await.unwrap().unwrap();
    }
    let events = Events::connect(&checked).await.unwrap();
    let reader = Subscriber::connect(&checked, "reader", &Filter::new()).await.unwrap_err().to_string();
    let missing =
        format!("the queue `{}.reader.poison` of RabbitMQ at {} is missing", rabbit.exchange, rabbit.address);
    assert_eq!(reader, missing);
    assert_eq!(events.subscriber("reader", &Filter::new()).await.unwrap_err().to_string(), missing);
    assert_eq!(refused(&format!("{checked}&subscriber=reader")).await, missing);

    let connected: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Subscriber::connect(&url, "reader", &Filter::new()).await })
        })
        .collect();
    for one in connected {
        one.await.unwrap().unwrap();
    }
    Subscriber::connect(&checked, "reader", &Filter::new()).await.unwrap();
    Events::connect(&format!("{checked}&subscriber=reader")).await.unwrap();
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn exchange_or_queue_with_other_settings_is_refused_with_the_reason() {
    let rabbit = Rabbit::connect().await;
    let channel = rabbit.channel().await;
    let (options, nothing) = (ExchangeDeclareOptions::default(), FieldTable::default);
    let exchange = || rabbit.exchange.clone().into();
    channel.exchange_declare(exchange(), ExchangeKind::Fanout, options, nothing()).await.unwrap();
    let text = refused(&rabbit.url()).await;
    assert!(text.starts_with(&format!("the exchange `{}` of RabbitMQ at ", rabbit.exchange)), "{text}");
    assert!(text.contains("inequivalent arg 'type'") && !text.contains("vhost"), "{text}");
    rabbit.delete_exchange().await;

    let queue = rabbit.queue("reader");
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.clone().into(), options, nothing()).await.unwrap();
    let text = Subscriber::connect(&rabbit.url(), "reader", &Filter::new()).await.unwrap_err().to_string();
    assert!(text.starts_with(&format!("the queue `{queue}` of RabbitMQ at ")), "{text}");
    assert!(text.contains("inequivalent arg"), "{text}");
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn subscriber_with_an_invalid_name_is_refused() {
    let rabbit = Rabbit::connect().await;
    for name in ["", "a.b", "a b", "*", ">", "#"] {
        let error = Subscriber::connect(&rabbit.url(), name, &Filter::new()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{name}` is not the name of a subscriber")), "{error}");
        let events = rabbit.events().await;
        let error = events.subscriber(name, &Filter::new()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{name}` is not the name of a subscriber")), "{error}");
    }
    rabbit.clean().await;
}
