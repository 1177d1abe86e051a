//! Reading from the queue of a subscriber.

use std::{
    future::{Future, pending},
    mem,
    sync::Arc,
};

use graceful::backends::client::ConnectError;
use graceful_subscriber::{Answer, Broken, Delivery, Poisoned, Reading, Source};
use lapin::{
    Channel, Consumer, message,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt as _;

use super::{
    PoisonEvent,
    connection::{Connection, Failure, channel, within},
    names::{Key, poison_queue, queue, short},
    poison_event::OnPoison,
    topology,
    url::Url,
};

/// How many events the broker delivers before one of them is answered.
const BATCH: u16 = 100;

/// The most deliveries that are told of an event which is not the first. For an inbox that does not count attempts, the others that the process
/// had received must not run out of attempts when one event kills each process that reads it.
const LATER: u32 = 2;

/// The header with the number of deliveries before this one. Only an event that was delivered before has it.
const DELIVERIES: &str = "x-delivery-count";

pub(super) struct Queue {
    pub url: Url,
    pub subscriber: String,
    pub key: Key,
    pub on_poison: Option<Arc<OnPoison>>,
}

impl Queue {
    /// Connects, and declares or checks the exchange and the queues.
    pub(super) async fn connected(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(&self.url).await?;
        topology::exchange(&connection, &self.url).await?;
        topology::queue_of(&connection, &self.url, &self.subscriber, &self.key).await?;
        Ok(connection)
    }

    async fn messages(&self) -> Result<Messages, Failure> {
        let connection = self.connected().await?;
        let queue = queue(&self.url.exchange, &self.subscriber);
        let consuming = async {
            let channel = channel(&connection, &self.url).await?;
            let consumer = connection.while_open(consuming(&channel, &queue)).await;
            let failed = |error| Failure::using(&self.url, &format!("the queue `{queue}`"), &error);
            Ok((channel, consumer.map_err(failed)?))
        };
        let (channel, consumer) = within(&self.url, consuming).await?;
        Ok(Messages {
            consumer,
            is_first: true,
            is_fresh_next: false,
            held: Vec::new(),
            channel,
            url: self.url.clone(),
            queue,
            key: self.key.clone(),
            subscriber: self.subscriber.clone(),
            on_poison: self.on_poison.clone(),
            connection,
        })
    }
}

impl Source for Queue {
    type Reading = Messages;

    async fn open(&self) -> Result<Messages, Broken> {
        self.messages().await.map_err(|Failure { refused, error }| Broken { refused, error })
    }
}

/// `qos` is of the next consumer of the channel. It stays the same, because a second consumer in the place of the first would let the broker
/// give the queue to another process.
async fn consuming(channel: &Channel, queue: &str) -> Result<Consumer, lapin::Error> {
    channel.basic_qos(BATCH, BasicQosOptions::default()).await?;
    let (tag, options) = (short("")?, BasicConsumeOptions::default());
    channel.basic_consume(short(queue)?, tag, options, FieldTable::default()).await
}

/// The queue, as one consumer reads it.
pub(super) struct Messages {
    consumer: Consumer,
    /// Whether no event has come yet. The first one may have killed the process that had it; the others were only near it, however often.
    is_first: bool,
    /// Whether an event that waited has been returned, so that a fresh one is next. Otherwise, slow attempts would keep fresh events out.
    is_fresh_next: bool,
    /// What waits for its next attempt. It stays unacknowledged, so the broker gives it to another process if this one ends.
    held: Vec<(Instant, Received)>,
    channel: Channel,
    url: Url,
    queue: String,
    key: Key,
    subscriber: String,
    on_poison: Option<Arc<OnPoison>>,
    /// Dropped last: with it, the broker gets back what is not acknowledged.
    connection: Connection,
}

/// A message, until it is answered.
pub(super) struct Received {
    message: message::Delivery,
    deliveries: u32,
}

impl Reading for Messages {
    type Message = Received;

    async fn next(&mut self) -> Result<Received, ConnectError> {
        loop {
            let first = self.held.iter().enumerate().min_by_key(|(_, (due, _))| *due);
            let (index, due) = first.map_or((0, None), |(index, (due, _))| (index, Some(*due)));
            let message = tokio::select! {
                biased;
                () = self.connection.ended() => None,
                () = is_due(due), if !self.is_fresh_next => return self.again(index),
                message = self.consumer.next() => message,
                () = is_due(due), if self.is_fresh_next => return self.again(index),
            };
            let message = match message {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(self.failed(&error)),
                None => return Err(self.ended()),
            };
            self.check()?;
            self.is_fresh_next = false;
            if !self.selects(&message) {
                self.sent(message.acker.ack(BasicAckOptions::default())).await?;
                continue;
            }
            let mut deliveries = deliveries(&message);
            if !mem::take(&mut self.is_first) {
                deliveries = deliveries.min(LATER);
            }
            return Ok(Received { message, deliveries });
        }
    }

    fn delivery(received: &Received) -> Delivery<'_> {
        Delivery::new(&received.message.data, received.deliveries)
    }

    async fn answer(&mut self, mut received: Received, answer: Answer) -> Result<(), ConnectError> {
        let acker = &received.message.acker;
        match answer {
            Answer::Handled => self.sent(acker.ack(BasicAckOptions::default())).await,
            Answer::Return => {
                let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                self.sent(acker.nack(options)).await
            }
            Answer::Again(after) => {
                received.deliveries = received.deliveries.saturating_add(1);
                self.held.push((Instant::now() + after, received));
                Ok(())
            }
            Answer::Poison(poisoned) => {
                self.poison(&received.message, poisoned);
                // It goes to the queue of poison events.
                self.sent(acker.reject(BasicRejectOptions { requeue: false })).await
            }
        }
    }
}

impl Messages {
    /// Whether it is what the filter selects: an earlier filter may have left a binding. What somebody has put into the queue is, too.
    fn selects(&self, message: &message::Delivery) -> bool {
        message.exchange.as_str() != self.url.exchange || self.key.selects(message.routing_key.as_str())
    }

    /// What has waited long enough.
    fn again(&mut self, index: usize) -> Result<Received, ConnectError> {
        self.check()?;
        self.is_fresh_next = true;
        Ok(self.held.swap_remove(index).1)
    }

    /// Fails if the channel or the connection has ended: then the broker gives what this process has received to another one.
    fn check(&self) -> Result<(), ConnectError> {
        let is_open = self.channel.status().connected() && self.connection.is_open();
        if is_open { Ok(()) } else { Err(self.ended()) }
    }

    fn ended(&self) -> ConnectError {
        ConnectError::new(format!("{} has ended the reading of `{}`", self.url.place, self.queue))
    }

    fn poison(&self, message: &message::Delivery, poisoned: Poisoned) {
        let poison = PoisonEvent {
            queue: poison_queue(&self.queue),
            message_id: message.properties.message_id().as_ref().map(ToString::to_string),
            routing_key: message.routing_key.to_string(),
            event: poisoned.event,
            attempts: poisoned.attempts,
            error: poisoned.error,
        };
        poison.tell(&self.subscriber, self.on_poison.as_deref());
    }

    /// Waits until an answer is sent. One that was not sent because the channel is closed is reported as `Ok(false)`.
    async fn sent(
        &self,
        sending: impl Future<Output = Result<bool, lapin::Error>> + Send,
    ) -> Result<(), ConnectError> {
        match self.connection.while_open(sending).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ConnectError::new("the channel is closed")),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &lapin::Error) -> ConnectError {
        Failure::using(&self.url, &format!("the queue `{}`", self.queue), error).error
    }
}

async fn is_due(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

/// How often the message was delivered, including this time.
fn deliveries(message: &message::Delivery) -> u32 {
    let headers = message.properties.headers().as_ref();
    let before = headers.and_then(|headers| match headers.inner().get(DELIVERIES)? {
        AMQPValue::LongLongInt(count) => u32::try_from(*count).ok(),
        AMQPValue::LongInt(count) => u32::try_from(*count).ok(),
        AMQPValue::ShortInt(count) => u32::try_from(*count).ok(),
        AMQPValue::ShortShortInt(count) => u32::try_from(*count).ok(),
        _ => None,
    });
    before.unwrap_or_else(|| u32::from(message.redelivered)).saturating_add(1)
}
