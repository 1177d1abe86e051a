//! Reading by a durable consumer of a stream.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{self, AckPolicy, pull},
    stream::{ConsumerErrorKind, Stream},
};
use graceful::backends::{client::ConnectError, escaped};
use graceful_subscriber::{Answer, Broken, Delivery, Reading, Source};
use tokio_stream::StreamExt as _;

use super::{client::Client, poison_event::OnPoison, stream::with_causes};

/// The interval of heartbeats of a server that has nothing to deliver.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);

pub(super) struct Consumer {
    pub client: Client,
    pub stream: Stream,
    pub name: String,
    pub subject: String,
    pub ack_wait: Duration,
    pub on_poison: Option<Arc<OnPoison>>,
}

impl Consumer {
    pub(super) async fn created(&self) -> Result<consumer::Consumer<pull::Config>, Broken> {
        let config = pull::Config {
            durable_name: Some(self.name.clone()),
            filter_subject: self.subject.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // Attempts are counted here, because the server does not report a last attempt that is interrupted.
            max_deliver: -1,
            ..pull::Config::default()
        };
        self.stream.create_consumer(config).await.map_err(|error| Broken {
            refused: matches!(error.kind(), ConsumerErrorKind::JetStream(_) | ConsumerErrorKind::InvalidName),
            error: self.failed(&error),
        })
    }

    fn failed(&self, error: &dyn Error) -> ConnectError {
        let Self { name, client, .. } = self;
        ConnectError::new(format!(
            "the consumer `{name}` of {} cannot be used: {}",
            client.place,
            with_causes(error)
        ))
    }
}

impl Source for Consumer {
    type Reading = Messages;

    async fn open(&self) -> Result<Messages, Broken> {
        let consumer = self.created().await?;
        // One event at a time: the server would redeliver events that wait here for too long.
        let messages = consumer.stream().max_messages_per_batch(1).heartbeat(HEARTBEAT).messages().await;
        let messages = messages.map_err(|error| Broken { refused: false, error: self.failed(&error) })?;
        let of = format!("the consumer `{}` of {}", self.name, self.client.place);
        let (name, on_poison) = (self.name.clone(), self.on_poison.clone());
        Ok(Messages { stream: messages, of, name, ack_wait: self.ack_wait, on_poison })
    }
}

pub(super) struct Messages {
    stream: pull::Stream,
    /// The consumer, for messages.
    of: String,
    name: String,
    ack_wait: Duration,
    on_poison: Option<Arc<OnPoison>>,
}

/// A message with its place in the stream.
pub(super) struct Numbered {
    message: Message,
    sequence: u64,
    deliveries: u32,
}

impl Reading for Messages {
    type Message = Numbered;

    async fn next(&mut self) -> Result<Numbered, ConnectError> {
        loop {
            let message = match self.stream.next().await {
                None => return Err(ConnectError::new("the message stream has ended")),
                Some(Err(error)) => {
                    let why = with_causes(&error);
                    return Err(ConnectError::new(format!("{} cannot be used: {why}", self.of)));
                }
                Some(Ok(message)) => message,
            };
            match message.info().map(|info| (info.stream_sequence, info.delivered)) {
                Ok((sequence, delivered)) => {
                    let deliveries = u32::try_from(delivered).unwrap_or(u32::MAX);
                    return Ok(Numbered { message, sequence, deliveries });
                }
                // The message comes from no stream, so it cannot be acknowledged.
                Err(error) => {
                    let error = error.to_string();
                    tracing::error!(target: "graceful::subscriber", consumer = self.name, error = %escaped(&error), "message without JetStream metadata ignored");
                }
            }
        }
    }

    fn delivery(message: &Numbered) -> Delivery<'_> {
        Delivery::new(&message.message.payload, message.deliveries)
    }

    fn extends_every(&self) -> Option<Duration> {
        Some(self.ack_wait / 3)
    }

    fn extend(message: &Numbered) -> impl Future<Output = Result<(), ConnectError>> + Send {
        acknowledge(&message.message, AckKind::Progress)
    }

    async fn answer(&mut self, numbered: Numbered, answer: Answer) -> Result<(), ConnectError> {
        let Numbered { message, sequence, .. } = numbered;
        let kind = match answer {
            Answer::Handled => AckKind::Ack,
            Answer::Return => AckKind::Nak(None),
            Answer::Again(after) => AckKind::Nak(Some(after)),
            Answer::Poison(poisoned) => {
                let poison = super::PoisonEvent {
                    sequence,
                    subject: message.subject.to_string(),
                    event: poisoned.event,
                    attempts: poisoned.attempts,
                    error: poisoned.error,
                };
                poison.tell(&self.name, self.on_poison.as_deref());
                AckKind::Term
            }
        };
        acknowledge(&message, kind).await
    }
}

async fn acknowledge(message: &Message, kind: AckKind) -> Result<(), ConnectError> {
    message.ack_with(kind).await.map_err(|error| ConnectError::new(error.to_string()))
}
