//! The exchange and the queues: declared, or checked.

use std::sync::atomic::{AtomicBool, Ordering};

use graceful::backends::{ProcessRole, client::ConnectError};
use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::AMQPSoftError,
    types::{AMQPValue, FieldTable},
};

use super::{
    connection::{Connection, Failure, channel, is_soft},
    names::{Key, poison_queue, queue, short},
    url::Url,
};

/// The argument that limits the deliveries of an event; since RabbitMQ 4.0 there is a limit of 20 without it.
const DELIVERY_LIMIT: &str = "x-delivery-limit";

/// Whether this process has seen that the server has no limit to turn off, and refuses the argument for it.
static HAS_NO_LIMIT: AtomicBool = AtomicBool::new(false);

/// Declares the exchange, or checks whether it is there.
pub(super) async fn exchange(connection: &Connection, url: &Url) -> Result<(), Failure> {
    let channel = channel(connection, url).await?;
    let failed = |error| missing_or(url, &format!("the exchange `{}`", url.exchange), &error);
    let name = short(&url.exchange).map_err(failed)?;
    let options =
        ExchangeDeclareOptions { passive: !creates(url), durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name, ExchangeKind::Topic, options, FieldTable::default()).await.map_err(failed)
}

/// Declares the queue of a subscriber with the queue of its poison events, or checks whether they are there, and binds it.
pub(super) async fn queue_of(
    connection: &Connection,
    url: &Url,
    subscriber: &str,
    key: &Key,
) -> Result<(), Failure> {
    let name = queue(&url.exchange, subscriber);
    let poison = poison_queue(&name);
    declared(connection, url, &poison, &|_| FieldTable::default()).await?;
    let arguments = |is_unlimited| {
        let mut arguments = FieldTable::default();
        let mut set = |name: &'static str, value: AMQPValue| {
            arguments.insert(name.into(), value);
        };
        // One process at a time, so that events have an order.
        set("x-single-active-consumer", AMQPValue::Boolean(true));
        set("x-dead-letter-exchange", AMQPValue::LongString("".into()));
        set("x-dead-letter-routing-key", AMQPValue::LongString(poison.as_str().into()));
        // A poison event stays in its queue until the other has it; that mode needs the third one.
        set("x-dead-letter-strategy", AMQPValue::LongString("at-least-once".into()));
        set("x-overflow", AMQPValue::LongString("reject-publish".into()));
        if is_unlimited {
            set(DELIVERY_LIMIT, AMQPValue::LongInt(-1));
        }
        arguments
    };
    declared(connection, url, &name, &arguments).await?;
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
    bound.await.map_err(failed)
}

/// Attempts are counted by the inbox, so the server's limit is off, if it has one.
async fn declared(
    connection: &Connection,
    url: &Url,
    name: &str,
    arguments: &(dyn Fn(bool) -> FieldTable + Sync),
) -> Result<(), Failure> {
    let failed = |error: &lapin::Error| missing_or(url, &format!("the queue `{name}`"), error);
    let declare = async |is_unlimited: bool| {
        let channel = connection.create_channel().await?;
        let mut arguments = arguments(is_unlimited);
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let options =
            QueueDeclareOptions { passive: !creates(url), durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(short(name)?, options, arguments).await.map(drop)
    };
    let is_unlimited = !HAS_NO_LIMIT.load(Ordering::Relaxed);
    match declare(is_unlimited).await {
        Err(error)
            if is_unlimited
                && is_soft(&error, &AMQPSoftError::PRECONDITIONFAILED)
                && error.to_string().contains(DELIVERY_LIMIT) =>
        {
            declare(false).await.map_err(|error| failed(&error))?;
            if error.to_string().contains("inequivalent") {
                let queue = name;
                tracing::warn!(
                    target: "graceful::subscriber",
                    queue, "the queue may limit deliveries, because an older server or somebody else has declared it: set its policy `delivery-limit` to -1"
                );
            } else {
                HAS_NO_LIMIT.store(true, Ordering::Relaxed);
            }
            Ok(())
        }
        declared => declared.map_err(|error| failed(&error)),
    }
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
