//! The exchange and the queues: declared, or checked.

use graceful::backends::{ProcessRole, client::ConnectError};
use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::AMQPSoftError,
    types::{AMQPValue, FieldTable},
};

use super::{
    connection::{Connection, Failure, channel, is_soft, within},
    names::{Key, poison_queue, queue, short},
    url::Url,
};

/// Attempts are counted by the inbox, so the server's limit, which is 20 since RabbitMQ 4.0, must be off. There a limit of -1 means none; before,
/// it makes each event that is redelivered poison.
const DELIVERY_LIMIT: i32 = i32::MAX;

/// Declares the exchange, or checks whether it is there.
pub(super) async fn exchange(connection: &Connection, url: &Url) -> Result<(), Failure> {
    within(url, declared_exchange(connection, url)).await
}

async fn declared_exchange(connection: &Connection, url: &Url) -> Result<(), Failure> {
    let channel = channel(connection, url).await?;
    let failed = |error| missing_or(url, &format!("the exchange `{}`", url.exchange), &error);
    let name = short(&url.exchange).map_err(failed)?;
    let options =
        ExchangeDeclareOptions { passive: !creates(url), durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(name, ExchangeKind::Topic, options, FieldTable::default());
    connection.while_open(declared).await.map_err(failed)
}

/// Declares the queue of a subscriber with the queue of its poison events, or checks whether they are there, and binds it.
pub(super) async fn queue_of(
    connection: &Connection,
    url: &Url,
    subscriber: &str,
    key: &Key,
) -> Result<(), Failure> {
    within(url, declared_queues(connection, url, subscriber, key)).await
}

async fn declared_queues(
    connection: &Connection,
    url: &Url,
    subscriber: &str,
    key: &Key,
) -> Result<(), Failure> {
    let name = queue(&url.exchange, subscriber);
    let poison = poison_queue(&name);
    declared(connection, url, &poison, FieldTable::default()).await?;
    let mut arguments = FieldTable::default();
    for (argument, value) in [
        // One process at a time, so that events have an order.
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
        ("x-dead-letter-exchange", AMQPValue::LongString("".into())),
        ("x-dead-letter-routing-key", AMQPValue::LongString(poison.as_str().into())),
        // A poison event stays in its queue until the other has it; that mode needs the last argument.
        ("x-dead-letter-strategy", AMQPValue::LongString("at-least-once".into())),
        ("x-overflow", AMQPValue::LongString("reject-publish".into())),
    ] {
        arguments.insert(argument.into(), value);
    }
    declared(connection, url, &name, arguments).await?;
    if !creates(url) {
        return Ok(());
    }
    let failed = |error| Failure::using(url, &format!("the queue `{name}`"), &error);
    let channel = channel(connection, url).await?;
    let (exchange, key) = (short(&url.exchange).map_err(failed)?, short(key.as_str()).map_err(failed)?);
    let bound = channel.queue_bind(
        short(&name).map_err(failed)?,
        exchange,
        key,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    connection.while_open(bound).await.map_err(failed)
}

async fn declared(
    connection: &Connection,
    url: &Url,
    name: &str,
    mut arguments: FieldTable,
) -> Result<(), Failure> {
    let failed = |error| missing_or(url, &format!("the queue `{name}`"), &error);
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options =
        QueueDeclareOptions { passive: !creates(url), durable: true, ..QueueDeclareOptions::default() };
    // An error ends the channel.
    let channel = channel(connection, url).await?;
    let declared = channel.queue_declare(short(name).map_err(failed)?, options, arguments);
    connection.while_open(declared).await.map(drop).map_err(failed)
}

fn creates(url: &Url) -> bool {
    url.create && ProcessRole::current().changes_schema()
}

fn missing_or(url: &Url, what: &str, error: &lapin::Error) -> Failure {
    if is_soft(error, &AMQPSoftError::NOTFOUND) {
        return Failure {
            refused: true,
            error: ConnectError::new(format!("{what} of {} is missing", url.place)),
        };
    }
    Failure::using(url, what, error)
}
