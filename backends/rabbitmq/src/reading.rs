//! Reading from the queue of a subscriber.

use std::{future::pending, mem, sync::Arc};

use graceful::backends::client::ConnectError;
use graceful_subscriber::{Answer, Broken, Delivery, Poisoned, Reading, Source};
use lapin::{
    message,
    options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions},
    types::AMQPValue,
};
use tokio::time::{Instant, sleep_until};

use super::{
    PoisonEvent,
    connection::Failure,
    consuming::Consuming,
    names::{Key, poison_queue},
    poison_event::OnPoison,
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

impl Source for Queue {
    type Reading = Messages;

    async fn open(&self) -> Result<Messages, Broken> {
        let consuming = Consuming::open(&self.url, &self.subscriber, &self.key, BATCH).await;
        Ok(Messages {
            consuming: consuming.map_err(|Failure { refused, error }| Broken { refused, error })?,
            is_first: true,
            is_fresh_next: false,
            held: Vec::new(),
            subscriber: self.subscriber.clone(),
            on_poison: self.on_poison.clone(),
        })
    }
}

/// The queue, as one consumer reads it.
pub(super) struct Messages {
    consuming: Consuming,
    /// Whether no event has come yet. The first one may have killed the process that had it; the others were only near it, however often.
    is_first: bool,
    /// Whether an event that waited has been returned, so that a fresh one is next. Otherwise, slow attempts would keep fresh events out.
    is_fresh_next: bool,
    /// What waits for its next attempt. It stays unacknowledged, so the broker gives it to another process if this one ends.
    held: Vec<(Instant, Received)>,
    subscriber: String,
    on_poison: Option<Arc<OnPoison>>,
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
                () = is_due(due), if !self.is_fresh_next => return self.again(index),
                message = self.consuming.next() => message?,
                () = is_due(due), if self.is_fresh_next => return self.again(index),
            };
            self.is_fresh_next = false;
            if !self.consuming.selects(&message) {
                self.consuming.sent(message.acker.ack(BasicAckOptions::default())).await?;
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
            Answer::Handled => self.consuming.sent(acker.ack(BasicAckOptions::default())).await,
            Answer::Return => {
                let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                self.consuming.sent(acker.nack(options)).await
            }
            Answer::Again(after) => {
                received.deliveries = received.deliveries.saturating_add(1);
                self.held.push((Instant::now() + after, received));
                Ok(())
            }
            Answer::Poison(poisoned) => {
                self.poison(&received.message, poisoned);
                // It goes to the queue of poison events.
                self.consuming.sent(acker.reject(BasicRejectOptions { requeue: false })).await
            }
        }
    }
}

impl Messages {
    /// What has waited long enough.
    fn again(&mut self, index: usize) -> Result<Received, ConnectError> {
        self.consuming.check()?;
        self.is_fresh_next = true;
        Ok(self.held.swap_remove(index).1)
    }

    fn poison(&self, message: &message::Delivery, poisoned: Poisoned) {
        let poison = PoisonEvent {
            queue: poison_queue(&self.consuming.queue),
            message_id: message.properties.message_id().as_ref().map(ToString::to_string),
            routing_key: message.routing_key.to_string(),
            event: poisoned.event,
            attempts: poisoned.attempts,
            error: poisoned.error,
        };
        poison.tell(&self.subscriber, self.on_poison.as_deref());
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
