//! The reading side.

use std::{
    error::Error,
    fmt,
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::{
    consumer::{AckPolicy, Consumer, pull},
    stream::{ConsumerErrorKind, Stream},
};
use graceful::backends::{
    Inbox, ReceivedEvent,
    client::{ConnectError, Outage, in_real_time},
};
use tokio_stream::StreamExt as _;

use super::{
    Filter, PoisonEvent, Rejected,
    client::Client,
    stream::{created_or_checked, told},
    url::Url,
};

const ATTEMPTS: u32 = 10;
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long a handler may take for an event, unless it is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server that has nothing to deliver says so as often as this.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long to wait before a reading that broke off is begun anew.
const AGAIN: Duration = Duration::from_millis(500);

/// Reads the events of a stream, each at least once, and handles each once, if its effects are in the inbox's database.
///
/// It is a durable consumer: under its name, the server remembers what was handled, over restarts; several processes with
/// the same name share the work. It takes one event at a time, and asks for the next when that one is done.
///
/// | the handler | then |
/// |---|---|
/// | answers `Ok(transaction)` | it is committed; the event is acknowledged |
/// | answers an error, or panics | the transaction is dropped; the event comes again after 0.5, 1, 2, … 60 s, ten times in all, then it is poison |
/// | has not finished within its [time](Self::timeout) of 60 s | the same: its future is dropped, and the transaction with it |
/// | answers [`Rejected::poison`] | the transaction is dropped; the event does not come again |
/// | is dropped, with its process | the transaction is dropped; the event comes again after 30 s |
///
/// While the handler is at work the server is told so. An event that was committed, but whose acknowledgement got lost, comes
/// again; the inbox knows it, and it is acknowledged without the handler.
///
/// **An attempt** is a run of the handler, and nothing else. While the inbox is unavailable, the event waits: the inbox is asked again
/// every second, and no attempt is counted, however long that lasts. The inboxes of the SQLite and PostgreSQL stores count attempts
/// in their database ([`Inbox::attempted`]), except the first one where its process dies in it; with another inbox, an event that comes
/// again for another reason (its process died or lost its connection) has used an attempt, too.
///
/// **A handler that blocks its thread** cannot be stopped by its time, since a future is dropped between two polls only: let it call
/// what blocks by [`spawn_blocking`](tokio::task::spawn_blocking).
///
/// The handler is called within [the event's context](ReceivedEvent::context): what it calls is of the same tenant, correlation and
/// trace.
///
/// **PoisonEvent** is told by a `tracing` event and to [`on_poison`](Self::on_poison), and stays in the stream, under its
/// sequence number, for as long as the stream keeps it. A message that is no CloudEvent is poison at once.
///
/// ```no_run
/// use graceful::backends::memory;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let filter = graceful_nats::Filter::new().event("user_updated");
/// let subscriber = graceful_nats::Subscriber::connect("nats://127.0.0.1", "greeter", &filter)
///     .await?
///     .on_poison(|poison| eprintln!("event {} was given up: {}", poison.sequence, poison.error));
/// subscriber
///     .run(&memory::Inbox::new(), |event, transaction| async move {
///         let name: String = event.result()?;
///         println!("hello {name}");
///         Ok(transaction)
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct Subscriber {
    client: Client,
    stream: Stream,
    pub(super) name: String,
    subject: String,
    pub(super) attempts: u32,
    pub(super) ack_wait: Duration,
    pub(super) timeout: Duration,
    pub(super) on_poison: Option<Arc<OnPoison>>,
    pub(super) outages: Outages,
}

type OnPoison = dyn Fn(&PoisonEvent) + Send + Sync;

/// What may fail for each event alike.
pub(super) struct Outages {
    reading: Outage,
    pub(super) inbox: Outage,
    pub(super) handling: Outage,
}

impl Subscriber {
    /// Connects, creates or checks the stream as [the module](super) says, and the consumer of this name on it.
    ///
    /// The URL is that of [`Events`](super::Events). An event is delivered from the stream's first on.
    ///
    /// # Errors
    /// As [`Events::connect`](super::Events::connect); the name is none for a consumer, or there is a consumer of that name
    /// with other settings that cannot be changed.
    ///
    /// ```no_run
    /// # use graceful_nats::{Filter, Subscriber};
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let subscriber = Subscriber::connect("nats://127.0.0.1", "greeter", &Filter::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str, name: &str, filter: &Filter) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        let connected = in_real_time(async {
            let client = Client::connect(&url).await?;
            let stream = created_or_checked(&client, &url).await?;
            Ok::<_, ConnectError>((client, stream))
        });
        let (client, stream) = connected.await?;
        let this = Self {
            client,
            stream,
            name: name.to_owned(),
            subject: filter.subject(&url.stream),
            attempts: ATTEMPTS,
            ack_wait: ACK_WAIT,
            timeout: TIMEOUT,
            on_poison: None,
            outages: Outages { reading: Outage::new(), inbox: Outage::new(), handling: Outage::new() },
        };
        in_real_time(this.consumer()).await.map_err(|broken| broken.error)?;
        Ok(this)
    }

    /// How often the handler may be run for an event before that is poison; 10 by default, at least 1.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.attempts(3);
    /// # }
    /// ```
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// After how long a silence of its handler an event comes again; 30 s by default. That is the time which it takes to
    /// come again from a process that died.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.ack_wait(std::time::Duration::from_secs(5));
    /// # }
    /// ```
    #[must_use]
    pub fn ack_wait(self, time: Duration) -> Self {
        Self { ack_wait: time, ..self }
    }

    /// How long the handler may take for an event; 60 s by default, at least 1 ms. Then its future is dropped, and its transaction with
    /// it; that was an attempt, and the event comes again. The inbox's own work, before and after it, may take as long.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.timeout(std::time::Duration::from_secs(10 * 60));
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: time.max(Duration::from_millis(1)), ..self }
    }

    /// Is told of each event that is given up.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.on_poison(|poison| eprintln!("{poison:?}"));
    /// # }
    /// ```
    #[must_use]
    pub fn on_poison(self, tell: impl Fn(&PoisonEvent) + Send + Sync + 'static) -> Self {
        Self { on_poison: Some(Arc::new(tell)), ..self }
    }

    /// Hands each event to the handler, with the inbox's transaction, until the future is dropped. See the [table](Self)
    /// for what its answers mean.
    ///
    /// A connection that is lost comes back by itself. Dropped in the middle of an event, it leaves that one to come again.
    ///
    /// # Errors
    /// The server refuses the consumer, at the beginning. What fails later is tried again, and told by `tracing`.
    ///
    /// ```no_run
    /// # use graceful::backends::memory;
    /// # use graceful_nats::Subscriber;
    /// # async fn example(subscriber: Subscriber) -> Result<(), graceful::backends::client::ConnectError> {
    /// subscriber.run(&memory::Inbox::new(), |event, transaction| async move {
    ///     println!("{}", event.name);
    ///     Ok(transaction)
    /// }).await
    /// # }
    /// ```
    pub async fn run<I: Inbox, H>(
        &self,
        inbox: &I,
        handler: impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Result<(), ConnectError>
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        self.run_until(pending(), inbox, handler).await
    }

    /// As [`run`](Self::run), until `end` is done; an event that is being handled then is handled to its end. One that still waits for
    /// the inbox is given back.
    ///
    /// # Errors
    /// The server refuses the consumer, at the beginning. What fails later is tried again, and told by `tracing`.
    ///
    /// ```no_run
    /// # use graceful::backends::memory;
    /// # use graceful_nats::Subscriber;
    /// # async fn example(subscriber: Subscriber, stop: tokio::sync::oneshot::Receiver<()>) {
    /// let stop = async { _ = stop.await };
    /// subscriber.run_until(stop, &memory::Inbox::new(), |_, transaction| async { Ok(transaction) }).await.unwrap();
    /// # }
    /// ```
    pub async fn run_until<I: Inbox, H>(
        &self,
        end: impl Future<Output = ()>,
        inbox: &I,
        handler: impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Result<(), ConnectError>
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let mut end = pin!(end);
        let mut was_there = false;
        loop {
            let broken = match within(&mut end, self.messages()).await {
                None => return Ok(()),
                Some(Err(broken)) if broken.refused && !was_there => return Err(broken.error),
                Some(Err(broken)) => broken.error,
                Some(Ok(mut messages)) => loop {
                    was_there = true;
                    match within(&mut end, messages.next()).await {
                        None => return Ok(()),
                        Some(Some(Ok(message))) => {
                            if let Some(failures) = self.outages.reading.succeeded() {
                                tracing::info!(target: "graceful::subscriber", consumer = self.name, failures, "reading the stream works again");
                            }
                            if !self.take(&mut end, &message, inbox, &handler).await {
                                return Ok(());
                            }
                        }
                        Some(Some(Err(error))) => break self.failed(&error),
                        Some(None) => break ConnectError::new("the message stream has ended"),
                    }
                },
            };
            if let Some(failures) = self.outages.reading.failed() {
                tracing::warn!(
                    target: "graceful::subscriber",
                    consumer = self.name, error = %broken, failures, "reading the stream failed; reconnecting"
                );
            }
            if within(&mut end, tokio::time::sleep(AGAIN)).await.is_none() {
                return Ok(());
            }
        }
    }

    async fn messages(&self) -> Result<pull::Stream, Broken> {
        let consumer = self.consumer().await?;
        // One at a time: what waits here behind another would be given up by the server, and come again.
        let messages = consumer.stream().max_messages_per_batch(1).heartbeat(HEARTBEAT).messages().await;
        messages.map_err(|error| Broken { refused: false, error: self.failed(&error) })
    }

    async fn consumer(&self) -> Result<Consumer<pull::Config>, Broken> {
        let config = pull::Config {
            durable_name: Some(self.name.clone()),
            filter_subject: self.subject.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // Counted here: of the last attempt of a process that dies in it the server would tell nobody.
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
            told(error)
        ))
    }
}

/// Why there is nothing to read.
struct Broken {
    /// By the server, and not by the way to it.
    refused: bool,
    error: ConnectError,
}

/// `None` where the end came first.
pub(super) async fn within<T>(
    end: &mut Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        done = work => Some(done),
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("place", &self.client.place)
            .field("name", &self.name)
            .field("subject", &self.subject)
            .field("attempts", &self.attempts)
            .field("ack_wait", &self.ack_wait)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
