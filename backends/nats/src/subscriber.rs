//! The reading side.

use std::{
    fmt,
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use graceful::{
    Orchestrator,
    backends::{
        Inbox, ProcessRole, ReceivedEvent,
        client::{ConnectError, in_real_time},
    },
};
use graceful_subscriber::{Filter, Reader, Rejected};

use super::{PoisonEvent, client::Client, reading::Consumer, stream::created_or_checked, url::Url};

const ACK_WAIT: Duration = Duration::from_secs(30);

/// Reads the events of a stream, and calls a closure with each. Each is delivered at least once, and takes effect once if its effects are in the
/// inbox's database.
///
/// **By default, use `#[subscribe]`** and a [`Source`](super::Source), which keep the order of each entity. A closure is for a service without a store for
/// the state of subscribers, and for a handler that is not known when the program is compiled.
///
/// It is a durable consumer: the server stores under its name which events were handled, also over restarts. Several processes with the
/// same name share the events. Each handles one event at a time.
///
/// | the handler | result |
/// |---|---|
/// | returns `Ok(transaction)` | the transaction is committed, and the event is acknowledged |
/// | returns an error, or panics | the transaction is dropped, and the event is redelivered after 0.5, 1, 2, … 60 s; after ten attempts it is poison |
/// | exceeds its [time limit](Self::timeout) of 60 s | the same: its future is dropped, and with it the transaction |
/// | returns [`Rejected::poison`] | the transaction is dropped, and the event is not redelivered |
/// | is interrupted by the end of its process | the transaction is rolled back, and the event is redelivered after 30 s |
///
/// While the handler runs, the time to acknowledge the event is extended. If an event is committed but its acknowledgement is lost, it is
/// redelivered; the inbox detects this, and the event is acknowledged without a call of the handler.
///
/// **An attempt** is a run of the handler. While the inbox is unavailable, the event waits: the inbox is tried again every second, and no
/// attempt is counted. The SQLite and PostgreSQL stores count attempts in their database ([`Inbox::attempted`]), except the first
/// attempt if its process dies in it. With another inbox, each redelivery for another reason (the process died or lost its
/// connection) counts as an attempt too.
///
/// **A handler that blocks its thread** cannot be stopped by the time limit, because a future can only be dropped between two polls: run
/// blocking code by [`spawn_blocking`](tokio::task::spawn_blocking).
///
/// The handler runs in [the event's context](ReceivedEvent::context), so handlers that it calls have the same tenant, correlation id and
/// trace.
///
/// **A poison event** is logged, and passed to [`on_poison`](Self::on_poison). It stays in the stream, under its sequence number, for the
/// retention time of the stream. A message that is not a CloudEvent is poison at once.
///
/// ```no_run
/// use graceful::backends::memory;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let filter = graceful_nats::Filter::new().event("user_updated");
/// let subscriber = graceful_nats::Subscriber::connect("nats://127.0.0.1", "greeter", &filter)
///     .await?
///     .on_poison(|poison| eprintln!("poison event {}: {}", poison.sequence, poison.error));
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
    consumer: Consumer,
    reader: Reader,
}

impl Subscriber {
    /// Connects, and creates or checks the stream (see [the module](super)) and the consumer of this name.
    ///
    /// The URL is that of [`Events`](super::Events). A new consumer starts at the first event of the stream.
    ///
    /// # Errors
    /// Fails like [`Events::connect`](super::Events::connect). Also fails if the name of the consumer is invalid, or if a consumer of that
    /// name has settings that cannot be changed.
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
        // A server takes it for a part of a format, and then delivers messages that cannot be acknowledged.
        if name.contains('%') {
            return Err(ConnectError::new(format!(
                "`{name}` cannot be the name of a consumer: it must not contain `%`"
            )));
        }
        let connected = in_real_time(async {
            let client = Client::connect(&url).await?;
            let stream = created_or_checked(&client, &url).await?;
            Ok::<_, ConnectError>((client, stream))
        });
        let (client, stream) = connected.await?;
        let consumer = Consumer {
            client,
            stream,
            name: name.to_owned(),
            subject: filter.subject(&url.stream),
            ack_wait: ACK_WAIT,
            on_poison: None,
        };
        if ProcessRole::current().runs_work() {
            in_real_time(consumer.created()).await.map_err(|broken| broken.error)?;
        }
        Ok(Self { consumer, reader: Reader::new(name) })
    }

    /// Sets the number of attempts before an event is poison, at least 1. Default: 10.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.attempts(3);
    /// # }
    /// ```
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { reader: self.reader.attempts(attempts), ..self }
    }

    /// Sets after which time an event is redelivered if its process dies. Default: 30 s.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.ack_wait(std::time::Duration::from_secs(5));
    /// # }
    /// ```
    #[must_use]
    pub fn ack_wait(mut self, time: Duration) -> Self {
        self.consumer.ack_wait = time;
        self
    }

    /// Sets the time limit of the handler, at least 1 ms. Default: 60 s. When it expires, the future is dropped, and with it the
    /// transaction; the attempt has failed, and the event is redelivered. The inbox's work before and after the handler has the same limit.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.timeout(std::time::Duration::from_secs(10 * 60));
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, time: Duration) -> Self {
        Self { reader: self.reader.timeout(time), ..self }
    }

    /// Sets a function that is called with each poison event.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber) {
    /// let subscriber = subscriber.on_poison(|poison| eprintln!("{poison:?}"));
    /// # }
    /// ```
    #[must_use]
    pub fn on_poison(mut self, tell: impl Fn(&PoisonEvent) + Send + Sync + 'static) -> Self {
        self.consumer.on_poison = Some(Arc::new(tell));
        self
    }

    /// Lets operators pause this subscriber by its name, in the store of this orchestrator: it asks for the pauses twice per second, and reads no
    /// event while it is paused. An event that is being handled is finished; one that arrives when the pause begins is redelivered after its
    /// [`ack_wait`](Self::ack_wait), possibly behind later events. Without this call, or if the store has no pauses, the subscriber
    /// cannot be paused.
    ///
    /// Until the store has answered once, no event is read. If it does not answer later, its last answer holds.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_nats::Subscriber, orchestrator: &graceful::Orchestrator) {
    /// let subscriber = subscriber.pausable(orchestrator);
    /// # }
    /// ```
    #[must_use]
    pub fn pausable(self, orchestrator: &Orchestrator) -> Self {
        Self { reader: self.reader.pausable(orchestrator), ..self }
    }

    /// Calls the handler with each event and the inbox's transaction, until the future is dropped. See the [table](Self) for the meaning
    /// of its results.
    ///
    /// A lost connection is re-established automatically. If the future is dropped while an event is being handled, the event is redelivered. In
    /// a process whose [role](ProcessRole) is not `Service` it reads no event.
    ///
    /// # Errors
    /// Fails if the server refuses the consumer at the beginning. Later failures are retried and logged.
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

    /// Like [`run`](Self::run), until `end` is ready. An event that is then being handled is finished; one that still waits for the
    /// inbox is returned to the stream.
    ///
    /// # Errors
    /// Fails if the server refuses the consumer at the beginning. Later failures are retried and logged.
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
        // It is large, and its caller's future would hold it twice.
        Box::pin(self.reader.run_until(&self.consumer, end, inbox, handler)).await
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("place", &self.consumer.client.place)
            .field("subject", &self.consumer.subject)
            .field("ack_wait", &self.consumer.ack_wait)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}
