//! The reading side.

use std::{
    error::Error,
    fmt,
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, Consumer, pull},
    stream::{ConsumerErrorKind, Stream},
};
use tokio_stream::StreamExt as _;

use super::{
    Filter, Poison, Rejected,
    client::Client,
    stream::{created_or_checked, told},
    url::Url,
};
use crate::{
    backends::{ConnectError, Inbox, InboxEntry, ReceivedEvent, connect::in_real_time},
    context,
    step::contain,
};

const ATTEMPTS: u32 = 10;
const ACK_WAIT: Duration = Duration::from_secs(30);

/// The first pause before an event comes again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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
/// | answers [`Rejected::poison`] | the transaction is dropped; the event does not come again |
/// | is dropped, with its process | the transaction is dropped; the event comes again after 30 s |
///
/// While the handler is at work the server is told so, however long it takes. An event that was committed, but whose
/// acknowledgement got lost, comes again; the inbox knows it, and it is acknowledged without the handler.
///
/// The handler is called within [the event's context](ReceivedEvent::context): what it calls is of the same tenant, correlation and
/// trace.
///
/// **Poison** is told by a `tracing` event and to [`on_poison`](Self::on_poison), and stays in the stream, under its
/// sequence number, for as long as the stream keeps it. A message that is no CloudEvent is poison at once.
///
/// ```no_run
/// use graceful::backends::{memory, nats};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let filter = nats::Filter::new().event("user_updated");
/// let subscriber = nats::Subscriber::connect("nats://127.0.0.1", "greeter", &filter)
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
    name: String,
    subject: String,
    attempts: u32,
    ack_wait: Duration,
    on_poison: Option<Arc<OnPoison>>,
}

type OnPoison = dyn Fn(&Poison) + Send + Sync;

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
    /// # use graceful::backends::nats::{Filter, Subscriber};
    /// # async fn example() -> Result<(), graceful::backends::ConnectError> {
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
            on_poison: None,
        };
        in_real_time(this.consumer()).await.map_err(|broken| broken.error)?;
        Ok(this)
    }

    /// How often an event may come before it is poison; 10 by default, at least 1.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful::backends::nats::Subscriber) {
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
    /// # fn example(subscriber: graceful::backends::nats::Subscriber) {
    /// let subscriber = subscriber.ack_wait(std::time::Duration::from_secs(5));
    /// # }
    /// ```
    #[must_use]
    pub fn ack_wait(self, time: Duration) -> Self {
        Self { ack_wait: time, ..self }
    }

    /// Is told of each event that is given up.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful::backends::nats::Subscriber) {
    /// let subscriber = subscriber.on_poison(|poison| eprintln!("{poison:?}"));
    /// # }
    /// ```
    #[must_use]
    pub fn on_poison(self, tell: impl Fn(&Poison) + Send + Sync + 'static) -> Self {
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
    /// # use graceful::backends::{memory, nats::Subscriber};
    /// # async fn example(subscriber: Subscriber) -> Result<(), graceful::backends::ConnectError> {
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

    /// As [`run`](Self::run), until `end` is done; an event that is being handled then is handled to its end.
    ///
    /// # Errors
    /// The server refuses the consumer, at the beginning. What fails later is tried again, and told by `tracing`.
    ///
    /// ```no_run
    /// # use graceful::backends::{memory, nats::Subscriber};
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
                        Some(Some(Ok(message))) => self.take(&message, inbox, &handler).await,
                        Some(Some(Err(error))) => break self.failed(&error),
                        Some(None) => break ConnectError::new("the stream of messages has ended"),
                    }
                },
            };
            tracing::warn!(
                target: "graceful::subscriber",
                consumer = self.name, error = %broken, "reading broke off, and is begun anew"
            );
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

    async fn take<I: Inbox, H>(
        &self,
        message: &Message,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let (sequence, attempts) = match message.info() {
            Ok(info) => (info.stream_sequence, u32::try_from(info.delivered).unwrap_or(u32::MAX)),
            Err(error) => {
                // No message of a stream, so there is nobody to answer.
                tracing::error!(target: "graceful::subscriber", consumer = self.name, %error, "a message from nowhere");
                return;
            }
        };
        let event = serde_json::from_slice::<ReceivedEvent>(&message.payload).map(Arc::new);
        let outcome = match &event {
            Err(error) => Err(Rejected::poison(format!("no CloudEvent: {error}"))),
            // A handler that took its process down each time was never there to say so.
            Ok(_) if attempts > self.attempts => Err(Rejected::poison("no attempt came to an end")),
            Ok(event) => self.kept_alive(message, self.handle(event, inbox, handler)).await,
        };
        let answer = match outcome {
            Ok(()) => AckKind::Ack,
            Err(Rejected { error, poison: false }) if attempts < self.attempts => {
                tracing::warn!(
                    target: "graceful::subscriber",
                    consumer = self.name, sequence, attempts, %error, "an event was not handled, and comes again"
                );
                AckKind::Nak(Some(pause(attempts)))
            }
            Err(Rejected { error, .. }) => {
                self.give_up(&Poison {
                    sequence,
                    subject: message.subject.to_string(),
                    event: event.ok(),
                    attempts,
                    error,
                });
                AckKind::Term
            }
        };
        self.answer(message, answer).await;
    }

    async fn handle<I: Inbox, H>(
        &self,
        event: &Arc<ReceivedEvent>,
        inbox: &I,
        handler: &impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Result<(), Rejected>
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let transaction = match inbox.begin(&self.name, event).await? {
            InboxEntry::First(transaction) => transaction,
            InboxEntry::Again => return Ok(()),
        };
        let within = Arc::new(event.context.clone());
        let handling = contain(|| context::enter(&within, || handler(Arc::clone(event), transaction)))?;
        let transaction = context::scope(within, contained(handling)).await?;
        Ok(inbox.commit(transaction).await?)
    }

    /// Tells the server that the event is being handled, as often as it wants to hear it.
    async fn kept_alive<T>(&self, message: &Message, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let tick = tokio::time::sleep(self.ack_wait / 3);
            if let Some(done) = within(&mut pin!(tick), work.as_mut()).await {
                return done;
            }
            self.answer(message, AckKind::Progress).await;
        }
    }

    /// An answer that gets lost brings the event again.
    async fn answer(&self, message: &Message, answer: AckKind) {
        if let Err(error) = message.ack_with(answer).await {
            tracing::warn!(target: "graceful::subscriber", consumer = self.name, %error, "an answer got lost");
        }
    }

    fn give_up(&self, poison: &Poison) {
        let Poison { sequence, attempts, error, .. } = poison;
        tracing::error!(
            target: "graceful::subscriber",
            consumer = self.name, sequence, attempts, %error, "an event is given up"
        );
        if let Some(tell) = &self.on_poison
            && let Err(error) = contain(|| tell(poison))
        {
            tracing::error!(target: "graceful::subscriber", consumer = self.name, %error, "`on_poison` failed");
        }
    }
}

/// Why there is nothing to read.
struct Broken {
    /// By the server, and not by the way to it.
    refused: bool,
    error: ConnectError,
}

/// `None` where the end came first.
async fn within<T>(
    end: &mut std::pin::Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        done = work => Some(done),
    }
}

/// A handler's own panic ends the attempt, not the reading.
async fn contained<T>(work: impl Future<Output = Result<T, Rejected>>) -> Result<T, Rejected> {
    let mut work = pin!(work);
    poll_fn(|cx| match contain(|| work.as_mut().poll(cx)) {
        Ok(polled) => polled,
        Err(panicked) => Poll::Ready(Err(panicked.into())),
    })
    .await
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << (attempts.max(1) - 1).min(10)).min(LONGEST_PAUSE)
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("place", &self.client.place)
            .field("name", &self.name)
            .field("subject", &self.subject)
            .field("attempts", &self.attempts)
            .field("ack_wait", &self.ack_wait)
            .finish_non_exhaustive()
    }
}
