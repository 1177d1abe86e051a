//! A stream as the source of subscribers.

use std::{collections::BTreeMap, fmt, future::ready, sync::Arc, time::Duration};

use async_nats::jetstream::{
    Message,
    consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull},
    context::{ConsumerInfoError, ConsumerInfoErrorKind},
    stream::Stream,
};
use graceful::{
    Sha256, StepError, Text,
    backends::{
        BoxFuture, EventFuture, EventReading, EventSource, Selection,
        client::{ConnectError, in_real_time},
        encoded,
    },
};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::{
    Filter,
    client::Client,
    reading::HEARTBEAT,
    stream::{created_or_checked, with_causes},
    url::Url,
};

/// The server delivers a message again if it is not acknowledged within this time. A copy takes some milliseconds; one that takes longer gets its
/// messages twice, and ignores that.
const ACK_WAIT: Duration = Duration::from_secs(2);

/// How often the server is asked again whether a message is missing that has not arrived.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The longest name of a consumer: servers make it the name of a directory.
const LONGEST_NAME: usize = 200;

/// A stream of NATS JetStream, from which the handlers with `#[subscribe]` read.
///
/// Each subscriber is a durable consumer of the stream, whose name is its identity, [encoded](graceful::backends::encoded) with `=` for each `%`, such as
/// `shop=3A=3Aon_order`: the server stores under this name which events were copied to the store, also over restarts. It is created when the subscriber first runs, and begins with the next event,
/// or with the oldest one (`from = "start"`). A renamed subscriber (`was`) goes on where it was. Processes whose stores are different must not read from one stream with the same identity, because
/// they would share the events.
///
/// The events arrive in the order of the stream, whichever process dies: while another process could have an earlier event, later ones wait, 2 s at most
/// after its death.
///
/// An orchestrator that emits to NATS has the source already; another one is given it:
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_nats::Source;
///
/// # async fn example(orchestrator: Orchestrator) -> Result<(), Box<dyn std::error::Error>> {
/// let source = Source::connect("nats://127.0.0.1?stream=orders").await?;
/// orchestrator.subscribers().source(source).run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Source {
    client: Arc<Client>,
    stream: String,
}

impl Source {
    /// Connects, and creates or checks the stream (see [the module](super)).
    ///
    /// The URL is that of [`Events`](super::Events).
    ///
    /// # Errors
    /// Fails like [`Events::connect`](super::Events::connect).
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let source = graceful_nats::Source::connect("nats://127.0.0.1").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        let client = in_real_time(async {
            let client = Client::connect(&url).await?;
            created_or_checked(&client, &url).await?;
            Ok::<_, ConnectError>(Arc::new(client))
        });
        Ok(Self::of(client.await?, url.stream))
    }

    pub(super) fn of(client: Arc<Client>, stream: String) -> Self {
        Self { client, stream }
    }

    async fn opened(&self, selection: &Selection) -> Result<Reading, StepError> {
        let name = consumer_name(&selection.subscriber);
        let of = format!("the consumer `{name}` of {}", self.place());
        let consumer = self.consumer(&name, selection).await.map_err(|error| failed(&of, &*error))?;
        let messages =
            consumer.stream().max_messages_per_batch(selection.batch).heartbeat(HEARTBEAT).messages().await;
        let messages = messages.map_err(|error| failed(&of, &error))?;
        Ok(Reading { messages, consumer, of, held: BTreeMap::new(), stored_to: 0 })
    }

    /// Creates the consumer, or changes what may be changed of it.
    async fn consumer(&self, name: &str, selection: &Selection) -> Result<PullConsumer, async_nats::Error> {
        let stream = self.client.jetstream.get_stream_no_info(&self.stream).await?;
        let (begin, former) = begin(&stream, name, selection).await?;
        let mut filter = Filter::new().pattern(selection.pattern.clone()).event(selection.event.clone());
        if let Some(service) = &selection.service {
            filter = filter.service(service.clone());
        }
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            description: Some(format!("subscriber {} of graceful", selection.subscriber)),
            filter_subject: filter.subject(&self.stream),
            deliver_policy: begin,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(selection.batch)?,
            max_deliver: -1,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        if let Some(former) = former {
            stream.delete_consumer(&former).await?;
        }
        Ok(consumer)
    }
}

impl EventSource for Source {
    fn place(&self) -> Text {
        format!("the stream `{}` of {}", self.stream, self.client.place).into()
    }

    fn open(&self, selection: Selection) -> BoxFuture<Result<Box<dyn EventReading>, StepError>> {
        let this = self.clone();
        Box::pin(async move { Ok(Box::new(this.opened(&selection).await?) as Box<dyn EventReading>) })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("place", &self.client.place)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// The name of a subscriber's consumer: its identity, [encoded] with `=` for each `%`, or `~` and its SHA-256 if that would be too long. The two cannot be
/// confused, because nothing encoded contains a `~`. A server takes a `%` in the name for a part of a format, and then delivers messages that cannot be
/// acknowledged.
fn consumer_name(identity: &str) -> String {
    let name = encoded(identity).to_string().replace('%', "=");
    if name.len() <= LONGEST_NAME { name } else { format!("~{}", Sha256::of(identity.as_bytes())) }
}

/// Returns where a consumer begins, and the former one that it continues.
async fn begin(
    stream: &Stream<()>,
    name: &str,
    selection: &Selection,
) -> Result<(DeliverPolicy, Option<String>), ConsumerInfoError> {
    if let Some(info) = info(stream, name).await? {
        // It cannot be changed.
        return Ok((info.config.deliver_policy, None));
    }
    for was in &selection.was {
        let former = consumer_name(was);
        if let Some(info) = info(stream, &former).await? {
            let start_sequence = info.ack_floor.stream_sequence + 1;
            return Ok((DeliverPolicy::ByStartSequence { start_sequence }, Some(former)));
        }
    }
    Ok((if selection.from_start { DeliverPolicy::All } else { DeliverPolicy::New }, None))
}

async fn info(stream: &Stream<()>, consumer: &str) -> Result<Option<consumer::Info>, ConsumerInfoError> {
    match stream.consumer_info(consumer).await {
        Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn failed(of: &str, error: &(dyn std::error::Error + 'static)) -> StepError {
    StepError::new(format!("{of} cannot be used: {}", with_causes(error)))
}

/// Reads in the order of the stream.
///
/// The server delivers in this order, but a message that was delivered and not acknowledged comes again behind later ones: 1 to 3 are delivered to
/// a process that dies; the next process gets 4 and 5 at once, and 1 to 3 when their time is over. Or the process has not died, but lost
/// its lease, and its last request for messages is still open: it gets 6 while the next process gets 7. Or the connection breaks, and with it what was
/// on its way.
///
/// So messages are held until none is missing. The server knows how many messages it has delivered and got no acknowledgement for. If
/// that are no more than are held here, all of them are held here: a message that another process has, or that has not arrived, would be one
/// more. What is acknowledged was stored before, so no message before those that are held is still to be stored. As the server delivers one batch
/// and no more without an acknowledgement, not more than that is ever held.
struct Reading {
    messages: pull::Stream,
    consumer: PullConsumer,
    /// The consumer, for messages.
    of: String,
    /// Messages by their sequence numbers in the stream.
    held: BTreeMap<u64, Message>,
    /// Messages up to this sequence number were stored.
    stored_to: u64,
}

impl EventReading for Reading {
    fn next(&mut self) -> EventFuture<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            loop {
                self.take_arrived().await?;
                if self.is_complete().await? {
                    return Ok(self.held.values().map(|message| message.payload.to_vec()).collect());
                }
                self.wait().await?;
            }
        })
    }

    fn acknowledge(&mut self) -> EventFuture<'_, ()> {
        Box::pin(async move {
            let Some((&last, message)) = self.held.last_key_value() else { return Ok(()) };
            for (_, earlier) in self.held.range(..last) {
                earlier.ack().await.map_err(|error| failed(&self.of, &*error))?;
            }
            // The server handles acknowledgements in their order, so when this one is answered, the others were handled.
            message.double_ack().await.map_err(|error| failed(&self.of, &*error))?;
            self.held.clear();
            self.stored_to = last;
            Ok(())
        })
    }
}

impl Reading {
    /// Holds what has arrived. It does not wait.
    async fn take_arrived(&mut self) -> Result<(), StepError> {
        loop {
            let message = tokio::select! {
                biased;
                message = self.messages.next() => message,
                () = ready(()) => return Ok(()),
            };
            self.hold(message).await?;
        }
    }

    /// Waits for a message, but not for long if others are held.
    async fn wait(&mut self) -> Result<(), StepError> {
        let next = self.messages.next();
        let message = match self.held.is_empty() {
            true => next.await,
            false => match timeout(ASK_AGAIN, next).await {
                Ok(message) => message,
                Err(_) => return Ok(()),
            },
        };
        self.hold(message).await
    }

    async fn hold(&mut self, message: Option<Result<Message, pull::MessagesError>>) -> Result<(), StepError> {
        let message = match message {
            None => return Err(StepError::new(format!("{} has ended the reading", self.of))),
            Some(message) => message.map_err(|error| failed(&self.of, &error))?,
        };
        let sequence = match message.info() {
            Ok(info) => info.stream_sequence,
            Err(error) => return Err(failed(&self.of, &*error)),
        };
        if sequence > self.stored_to {
            self.held.insert(sequence, message);
        } else {
            // It was delivered again while it was being stored, or its acknowledgement was lost.
            message.ack().await.map_err(|error| failed(&self.of, &*error))?;
        }
        Ok(())
    }

    /// Whether something is held, and nothing is missing.
    async fn is_complete(&mut self) -> Result<bool, StepError> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let info = self.consumer.get_info().await.map_err(|error| failed(&self.of, &error))?;
        // A process that had them before has stored and acknowledged them late.
        self.held = self.held.split_off(&(info.ack_floor.stream_sequence + 1));
        Ok(!self.held.is_empty() && info.num_ack_pending <= self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumer_names_are_injective_and_permitted() {
        let long = "a".repeat(LONGEST_NAME);
        let names = [
            "shop::on_order",
            "shop.on_order",
            "shop__on_order",
            "a b",
            "*",
            ">",
            "/",
            "%",
            "=",
            "~",
            &long,
            &format!("{long}a"),
        ];
        let names = names.map(consumer_name);
        for (index, name) in names.iter().enumerate() {
            let is_permitted = |c: char| c.is_ascii_alphanumeric() || "_-=~".contains(c);
            assert!((1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_permitted), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
        assert_eq!(names[0], "shop=3A=3Aon_order");
    }
}
