//! Events are emitted to and read from a real RabbitMQ.

#[macro_use(test)]
extern crate graceful_tests;

mod attempts;
mod broker;
mod context;
mod emitted;
mod faults;
mod names;
mod pauses;
mod read;
mod recovery;
mod resubmitted;
mod source;
mod start;
mod subscribed;
mod unroutable;

use std::{net::SocketAddr, process::ExitCode};

use graceful_rabbitmq::Events;
use graceful_tests::{
    gate::{awaited, until},
    servers::{self, unique},
};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::FieldTable,
};
use serde_json::Value;
use tokio_stream::StreamExt as _;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The server, with an exchange of the test's own, which is removed by [`clean`](Self::clean) together with the queues of the test.
struct Rabbit {
    address: SocketAddr,
    exchange: String,
    connection: Connection,
}

impl Rabbit {
    async fn connect() -> Self {
        Self::at(servers::RABBITMQ).await
    }

    async fn at(address: SocketAddr) -> Self {
        Self::of(address, unique("test")).await
    }

    async fn of(address: SocketAddr, exchange: String) -> Self {
        let url = format!("amqp://{address}/%2f");
        let connection = awaited(Connection::connect(&url, ConnectionProperties::default())).await.unwrap();
        Self { address, exchange, connection }
    }

    fn url(&self) -> String {
        self.url_at(self.address)
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("amqp://{address}?exchange={}", self.exchange)
    }

    /// An emitter, beside a queue that gets everything.
    async fn events(&self) -> Events {
        self.tap().await;
        Events::connect(&self.url()).await.unwrap()
    }

    async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    fn tapped(&self) -> String {
        format!("{}.everything", self.exchange)
    }

    fn queue(&self, subscriber: &str) -> String {
        format!("{}.{subscriber}", self.exchange)
    }

    /// Declares the exchange, and a queue that gets everything.
    async fn tap(&self) {
        let (channel, nothing) = (self.channel().await, FieldTable::default);
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = || self.exchange.clone().into();
        channel.exchange_declare(exchange(), ExchangeKind::Topic, options, nothing()).await.unwrap();
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let queue = || self.tapped().into();
        channel.queue_declare(queue(), options, nothing()).await.unwrap();
        channel
            .queue_bind(queue(), exchange(), "#".into(), QueueBindOptions::default(), nothing())
            .await
            .unwrap();
    }

    /// All that is in a queue and not with a consumer, in its order. It is then gone.
    async fn take(&self, queue: &str) -> Vec<Message> {
        let channel = self.channel().await;
        let mut messages = Vec::new();
        let (tag, options) = (unique("taker"), BasicConsumeOptions::default());
        // A queue with a single active consumer has no `basic_get`.
        let consume =
            channel.basic_consume(queue.to_owned().into(), tag.into(), options, FieldTable::default());
        let (count, mut consumer) = (self.state(queue).await.0, consume.await.unwrap());
        for _ in 0..count {
            let message = awaited(consumer.next()).await.unwrap().unwrap();
            message.acker.ack(BasicAckOptions::default()).await.unwrap();
            let properties = &message.properties;
            messages.push(Message {
                key: message.routing_key.to_string(),
                id: properties.message_id().as_ref().map(ToString::to_string),
                content_type: properties.content_type().as_ref().map(ToString::to_string),
                persistent: *properties.delivery_mode() == Some(2),
                event: serde_json::from_slice(&message.data).unwrap_or_default(),
                data: message.data.clone(),
            });
        }
        messages
    }

    /// What was emitted since the last call.
    async fn messages(&self) -> Vec<Message> {
        self.take(&self.tapped()).await
    }

    /// Publishes a message without an id to the exchange.
    async fn publish(&self, key: &str, data: &[u8]) {
        let channel = self.channel().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let (exchange, key) = (self.exchange.clone().into(), key.to_owned().into());
        let options = BasicPublishOptions::default();
        let sent =
            channel.basic_publish(exchange, key, options, data, BasicProperties::default()).await.unwrap();
        assert!(sent.await.unwrap().is_ack());
    }

    /// How many events are in the queue and not with a consumer, and how many consumers it has.
    async fn state(&self, queue: &str) -> (u32, u32) {
        self.state_if_any(queue).await.unwrap()
    }

    async fn state_if_any(&self, queue: &str) -> Option<(u32, u32)> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let channel = self.channel().await;
        let queue =
            channel.queue_declare(queue.to_owned().into(), options, FieldTable::default()).await.ok()?;
        Some((queue.message_count(), queue.consumer_count()))
    }

    /// After the end of the reading: whether the broker had an answer to every event.
    async fn all_answered(&self, subscriber: &str) -> bool {
        let queue = self.queue(subscriber);
        until(async || self.state(&queue).await.1 == 0).await;
        self.state(&queue).await.0 == 0
    }

    async fn delete_queue(&self, queue: &str) {
        let channel = self.channel().await;
        channel.queue_delete(queue.to_owned().into(), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn clean(self) {
        let channel = self.channel().await;
        for name in ["everything", "reader", "reader.poison", "other", "other.poison"] {
            channel.queue_delete(self.queue(name).into(), QueueDeleteOptions::default()).await.unwrap();
        }
        self.delete_exchange().await;
    }

    async fn delete_exchange(&self) {
        let options = ExchangeDeleteOptions::default();
        self.channel().await.exchange_delete(self.exchange.clone().into(), options).await.unwrap();
    }
}

#[derive(Debug)]
struct Message {
    key: String,
    id: Option<String>,
    content_type: Option<String>,
    persistent: bool,
    event: Value,
    data: Vec<u8>,
}
