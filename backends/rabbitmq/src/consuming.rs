//! One consumer of the queue of a subscriber.

use std::future::{Future, ready};

use graceful::backends::client::ConnectError;
use lapin::{
    Channel, Consumer, message,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio_stream::StreamExt as _;

use super::{
    connection::{Connection, Failure, channel, within},
    names::{Key, queue, short},
    topology,
    url::Url,
};

/// Connects, and declares or checks the exchange and the queues of a subscriber.
pub(super) async fn connected(url: &Url, subscriber: &str, key: &Key) -> Result<Connection, Failure> {
    let connection = Connection::open(url).await?;
    topology::exchange(&connection, url).await?;
    topology::queue_of(&connection, url, subscriber, key).await?;
    Ok(connection)
}

/// The queue, as one consumer reads it. Any end of it is an error, after which it is opened anew: the client's own recovery would set no `qos`, and
/// would not notice that the server has cancelled the consumer.
pub(super) struct Consuming {
    consumer: Consumer,
    channel: Channel,
    url: Url,
    /// The name of the queue.
    pub queue: String,
    key: Key,
    /// Dropped last: with it, the broker gets back what is not acknowledged.
    connection: Connection,
}

impl Consuming {
    /// Begins to read; at most so many messages are delivered and not acknowledged.
    pub(super) async fn open(url: &Url, subscriber: &str, key: &Key, batch: u16) -> Result<Self, Failure> {
        let connection = connected(url, subscriber, key).await?;
        let queue = queue(&url.exchange, subscriber);
        let consuming = async {
            let channel = channel(&connection, url).await?;
            let consumer = connection.while_open(consumer(&channel, &queue, batch)).await;
            let failed = |error| Failure::using(url, &format!("the queue `{queue}`"), &error);
            Ok((channel, consumer.map_err(failed)?))
        };
        let (channel, consumer) = within(url, consuming).await?;
        Ok(Self { consumer, channel, url: url.clone(), queue, key: key.clone(), connection })
    }

    /// Waits for a message. This future is dropped and made anew, without a loss of messages.
    pub(super) async fn next(&mut self) -> Result<message::Delivery, ConnectError> {
        let message = tokio::select! {
            biased;
            () = self.connection.ended() => None,
            message = self.consumer.next() => message,
        };
        match message {
            Some(Ok(message)) => self.check().map(|()| message),
            Some(Err(error)) => Err(self.failed(&error)),
            None => Err(self.ended()),
        }
    }

    /// Returns a message that has arrived. It does not wait.
    pub(super) async fn arrived(&mut self) -> Result<Option<message::Delivery>, ConnectError> {
        tokio::select! {
            biased;
            message = self.next() => message.map(Some),
            () = ready(()) => Ok(None),
        }
    }

    /// Whether it is what the filter selects: an earlier filter may have left a binding. What somebody has put into the queue is, too.
    pub(super) fn selects(&self, message: &message::Delivery) -> bool {
        message.exchange.as_str() != self.url.exchange || self.key.selects(message.routing_key.as_str())
    }

    /// Fails if the channel or the connection has ended: then the broker gives what this process has received to another one.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        let is_open = self.channel.status().connected() && self.connection.is_open();
        if is_open { Ok(()) } else { Err(self.ended()) }
    }

    /// Waits until an answer is sent. One that was not sent because the channel is closed is reported as `Ok(false)`.
    pub(super) async fn sent(
        &self,
        sending: impl Future<Output = Result<bool, lapin::Error>> + Send,
    ) -> Result<(), ConnectError> {
        match self.connection.while_open(sending).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ConnectError::new("the channel is closed")),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn ended(&self) -> ConnectError {
        ConnectError::new(format!("{} has ended the reading of `{}`", self.url.place, self.queue))
    }

    fn failed(&self, error: &lapin::Error) -> ConnectError {
        Failure::using(&self.url, &format!("the queue `{}`", self.queue), error).error
    }
}

/// The client cancels a consumer that is dropped. The broker would then give later messages to the next consumer, while the channel still has what it
/// has received and not acknowledged. At the end of the connection the broker takes back all of that first.
impl Drop for Consuming {
    fn drop(&mut self) {
        self.connection.drop_after_end(self.consumer.clone());
    }
}

/// `qos` is of the next consumer of the channel. It stays the same, because a second consumer in the place of the first would let the broker
/// give the queue to another process.
async fn consumer(channel: &Channel, queue: &str, batch: u16) -> Result<Consumer, lapin::Error> {
    channel.basic_qos(batch, BasicQosOptions::default()).await?;
    let (tag, options) = (short("")?, BasicConsumeOptions::default());
    channel.basic_consume(short(queue)?, tag, options, FieldTable::default()).await
}
