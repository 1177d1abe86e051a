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
        Inbox, ReceivedEvent,
        client::{ConnectError, in_real_time},
    },
};
use graceful_subscriber::Reader;

use super::{
    Filter, PoisonEvent, Rejected,
    consuming::connected,
    events::invalid_name,
    names::{Key, is_subscriber, queue},
    reading::Queue,
    url::Url,
};

/// Reads the events of a queue, and calls a closure with each. Each is delivered at least once, and takes effect once if its effects are in the
/// inbox's database.
///
/// **By default, use `#[subscribe]`** and a [`Source`](super::Source), which keep the order of each entity. A closure is for a service without a store for
/// the state of subscribers, and for a handler that is not known when the program is compiled.
///
/// The queue has the name of the exchange, a dot and the name of the subscriber, and stores events from the moment when it is declared, by the
/// first process that connects the subscriber or that emits and [knows it](super::Events::subscriber). If several processes read with the
/// same name, one of them gets the events, one at a time, and another one takes over when it ends.
///
/// | the handler | result |
/// |---|---|
/// | returns `Ok(transaction)` | the transaction is committed, and the event is acknowledged |
/// | returns an error, or panics | the transaction is dropped, and the event is tried again after 0.5, 1, 2, … 60 s; after ten attempts it is poison |
/// | exceeds its [time limit](Self::timeout) of 60 s | the same: its future is dropped, and with it the transaction |
/// | returns [`Rejected::poison`] | the transaction is dropped, and the event is not tried again |
/// | is interrupted by the end of its process | the transaction is rolled back, and the event is redelivered when the broker notices, after 10 s at most |
///
/// If an event is committed but its acknowledgement is lost, it is redelivered; the inbox detects this, and the event is acknowledged without a
/// call of the handler. While an event waits for its next attempt, others are handled; while 100 of them wait, none. The server ends the
/// reading if one of the 100 events that it delivers ahead is not acknowledged within its `consumer_timeout` (30 minutes).
///
/// **An attempt** is a run of the handler. While the inbox is unavailable, the event waits: the inbox is tried again every second, and no
/// attempt is counted. The SQLite and PostgreSQL stores count attempts in their database ([`Inbox::attempted`]), except the first
/// attempt if its process dies in it. With another inbox, each redelivery for another reason (the process died or lost its
/// connection) counts as an attempt too, of the event that comes first afterwards. For the others that the process had received, all such
/// redeliveries together count as one.
///
/// **A handler that blocks its thread** cannot be stopped by the time limit, because a future can only be dropped between two polls: run
/// blocking code by [`spawn_blocking`](tokio::task::spawn_blocking). In a runtime with one thread it also stops the heartbeats, and the broker
/// gives the event to another process.
///
/// The handler runs in [the event's context](ReceivedEvent::context), so handlers that it calls have the same tenant, correlation id and
/// trace.
///
/// **A poison event** is logged, and passed to [`on_poison`](Self::on_poison). The broker moves it to a queue with `.poison` behind the name
/// of the subscriber's queue, where it stays until somebody takes it. A message that is not a CloudEvent is poison at once.
///
/// ```no_run
/// use graceful::backends::memory;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let filter = graceful_rabbitmq::Filter::new().event("user_updated");
/// let subscriber = graceful_rabbitmq::Subscriber::connect("amqp://127.0.0.1", "greeter", &filter)
///     .await?
///     .on_poison(|poison| eprintln!("poison event in {}: {}", poison.queue, poison.error));
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
    queue: Queue,
    reader: Reader,
}

impl Subscriber {
    /// Connects, and declares or checks the exchange and the queues of this name (see [the module](super)).
    ///
    /// The URL is that of [`Events`](super::Events).
    ///
    /// # Errors
    /// Fails like [`Events::connect`](super::Events::connect). Also fails if the name of the subscriber is invalid.
    ///
    /// ```no_run
    /// # use graceful_rabbitmq::{Filter, Subscriber};
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let subscriber = Subscriber::connect("amqp://127.0.0.1", "greeter", &Filter::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str, name: &str, filter: &Filter) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        if !is_subscriber(name) {
            return Err(invalid_name(name));
        }
        let queue = Queue { url, subscriber: name.to_owned(), key: Key::of(filter), on_poison: None };
        in_real_time(connected(&queue.url, name, &queue.key)).await.map_err(|failure| failure.error)?;
        Ok(Self { queue, reader: Reader::new(name) })
    }

    /// Sets the number of attempts before an event is poison, at least 1. Default: 10.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_rabbitmq::Subscriber) {
    /// let subscriber = subscriber.attempts(3);
    /// # }
    /// ```
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { reader: self.reader.attempts(attempts), ..self }
    }

    /// Sets the time limit of the handler, at least 1 ms. Default: 60 s. When it expires, the future is dropped, and with it the
    /// transaction; the attempt has failed, and the event is tried again. The inbox's work before and after the handler has the same limit.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_rabbitmq::Subscriber) {
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
    /// # fn example(subscriber: graceful_rabbitmq::Subscriber) {
    /// let subscriber = subscriber.on_poison(|poison| eprintln!("{poison:?}"));
    /// # }
    /// ```
    #[must_use]
    pub fn on_poison(mut self, tell: impl Fn(&PoisonEvent) + Send + Sync + 'static) -> Self {
        self.queue.on_poison = Some(Arc::new(tell));
        self
    }

    /// Lets operators pause this subscriber by its name, in the store of this orchestrator: it asks for the pauses twice per second, and reads no
    /// event while it is paused. An event that is being handled is finished; what waits for its next attempt goes back to the queue.
    /// Without this call, or if the store has no pauses, the subscriber cannot be paused.
    ///
    /// Until the store has answered once, no event is read. If it does not answer later, its last answer holds.
    ///
    /// ```no_run
    /// # fn example(subscriber: graceful_rabbitmq::Subscriber, orchestrator: &graceful::Orchestrator) {
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
    /// a process whose [role](graceful::backends::ProcessRole) is not `Service` it reads no event.
    ///
    /// # Errors
    /// Fails if the server refuses the reading at the beginning. Later failures are retried and logged.
    ///
    /// ```no_run
    /// # use graceful::backends::memory;
    /// # use graceful_rabbitmq::Subscriber;
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
    /// inbox goes back to the queue.
    ///
    /// # Errors
    /// Fails if the server refuses the reading at the beginning. Later failures are retried and logged.
    ///
    /// ```no_run
    /// # use graceful::backends::memory;
    /// # use graceful_rabbitmq::Subscriber;
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
        Box::pin(self.reader.run_until(&self.queue, end, inbox, handler)).await
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Queue { url, subscriber, key, .. } = &self.queue;
        f.debug_struct("Subscriber")
            .field("place", &url.place)
            .field("queue", &queue(&url.exchange, subscriber))
            .field("key", key)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}
