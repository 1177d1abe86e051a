//! The emitter.

use std::{fmt, sync::Arc, time::Duration};

use graceful::{
    Event, StepError, Text,
    backends::{
        Destination, EventEmitter, EventSource, Reply,
        client::{Breaker, ConnectError, in_real_time},
    },
};
use lapin::{BasicProperties, protocol::AMQPSoftError};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::{
    Filter, Source,
    connection::{Failure, is_refusal, is_soft, shown},
    names::{Key, is_subscriber, short},
    publisher::{Confirmed, Message, Publisher},
    routing_key,
    unroutable::{Unroutable, Unrouted},
    url::Url,
};

/// The default timeout of a confirm.
const TIMEOUT: Duration = Duration::from_millis(800);

/// The first pause after a connection broke while an event was on its way; it doubles each time.
const PAUSE: Duration = Duration::from_millis(20);

/// So that a broker stores a message on disk.
const PERSISTENT: u8 = 2;

/// Emits events to an exchange of RabbitMQ; see [the module](super) for exchanges, queues and addresses.
///
/// **Confirms.** The step succeeds when the broker has confirmed the event, which for a queue of a subscriber means that a majority of its
/// replicas has it on disk. If the connection breaks before, the event is sent again by the next one. After the [timeout](Self::timeout) the
/// step fails, although the event may have arrived. RabbitMQ does not detect duplicates; the inbox of a subscriber does. The id of
/// the message is the [delivery's id](graceful::Event::delivery_id).
///
/// **An event that no queue takes** is returned by the broker, and the step fails, so that a durable flow is retried until there is a queue.
/// With `?unroutable=accept` in the URL the step succeeds, and the event is lost. Both are logged, [counted](Self::unroutable) and
/// shown by [`Orchestrator::health`](graceful::Orchestrator::health).
///
/// **If the server is unavailable**, the connection is established again within seconds. After three failures in a row a circuit breaker
/// opens: events fail at once, and each second one event probes the server. A successful probe closes the breaker. A broker that is low on
/// memory or disk says that it **blocks** publishers: then events fail at once, and the health of the process says why.
///
/// **An event that is too large** for the server (`max_message_size`, 16 MiB since RabbitMQ 4.0) fails at once, and a durable flow with such an
/// event becomes a dead letter at once.
///
/// A call that has begun is finished by the runtime in which the emitter was connected, even if its reply is dropped.
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_rabbitmq::Events;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let events = Events::connect("amqp://127.0.0.1").await?;
/// let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
    timeout: Duration,
}

struct Inner {
    publisher: Publisher,
    unrouted: Unrouted,
    breaker: Breaker,
    runtime: Handle,
}

impl Events {
    /// Connects, and declares the exchange, and the queues of the subscribers that the URL names. With `?create=false` it only checks that they
    /// exist, not their settings: see [the module](super) for the arguments without which poison events are lost.
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server is unavailable or refuses the login, or if the exchange or a queue is missing, cannot be declared,
    /// or has other settings.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use graceful_rabbitmq::Events;
    ///
    /// let events = Events::connect("amqp://user:password@a.internal,b.internal?exchange=orders").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        let publisher = in_real_time(Publisher::connect(url)).await.map_err(|failure| failure.error)?;
        let inner = Inner {
            publisher,
            unrouted: Unrouted::default(),
            breaker: Breaker::new("RabbitMQ"),
            runtime: Handle::current(),
        };
        Ok(Self { inner: Arc::new(inner), timeout: TIMEOUT })
    }

    /// Sets the timeout of a confirm. Default: 800 ms.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use std::time::Duration;
    ///
    /// use graceful_rabbitmq::Events;
    ///
    /// let events = Events::connect("amqp://127.0.0.1").await?.timeout(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Declares the queue of a [`Subscriber`](super::Subscriber) of this name, or of the handler with `#[subscribe]` that has this identity, so that
    /// events are stored for it before it first runs. The filter is the subscriber's own. The URL can do the same: `?subscriber=NAME`, or
    /// `?subscriber=NAME:KEY` with the [routing key](super::routing_key) of the filter; write `::` of an identity as `%3A%3A`.
    ///
    /// # Errors
    /// Fails if the name is invalid, or if the queue is missing, cannot be declared, or has other settings.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use graceful_rabbitmq::{Events, Filter};
    ///
    /// let events = Events::connect("amqp://127.0.0.1").await?;
    /// let events = events.subscriber("letters", &Filter::new().event("user_renamed")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subscriber(self, name: &str, filter: &Filter) -> Result<Self, ConnectError> {
        if !is_subscriber(name) {
            return Err(invalid_name(name));
        }
        let declared = in_real_time(self.inner.publisher.declare(name, Key::of(filter)));
        declared.await.map_err(|failure| failure.error)?;
        Ok(self)
    }

    /// Returns how many events no queue has taken, since this emitter was connected.
    ///
    /// ```no_run
    /// # fn example(events: &graceful_rabbitmq::Events) {
    /// println!("{} events had no queue", events.unroutable());
    /// # }
    /// ```
    pub fn unroutable(&self) -> u64 {
        self.inner.unrouted.count()
    }
}

pub(super) fn invalid_name(name: &str) -> ConnectError {
    ConnectError::new(format!(
        "`{name}` is not the name of a subscriber: it must have 1 to 128 bytes, without spaces, `.`, `*`, `#` and `>`"
    ))
}

impl EventEmitter for Events {
    fn emit(&self, event: Event) -> Reply<()> {
        let message = match self.message(&event) {
            Ok(message) => message,
            Err(error) => return Reply::failed(error),
        };
        let (inner, timeout) = (Arc::clone(&self.inner), self.timeout);
        Reply::within(&self.inner.runtime, async move { inner.emit(&message, timeout).await })
    }

    /// The exchange: routing keys contain the tenant.
    fn destination(&self) -> Option<Destination> {
        Some(Destination::new("rabbitmq", &*self.inner.publisher.url.exchange))
    }

    /// The exchange, read by connections of their own.
    fn source(&self) -> Option<Arc<dyn EventSource>> {
        Some(Arc::new(Source::of(self.inner.publisher.url.clone())))
    }

    fn degradation(&self) -> Option<Text> {
        let Inner { publisher, unrouted, .. } = &*self.inner;
        publisher.trouble().or_else(|| unrouted.sentence(&publisher.url.place))
    }
}

impl Events {
    fn message(&self, event: &Event) -> Result<Message, StepError> {
        let flow = event.flow();
        let filter = Filter::new()
            .service(flow.service())
            .tenant(flow.tenant())
            .pattern(flow.pattern())
            .event(event.name());
        let properties = BasicProperties::default()
            .with_content_type("application/cloudevents+json".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(short(&event.delivery_id()).map_err(StepError::caused_by)?);
        Ok(Message {
            exchange: short(&self.inner.publisher.url.exchange).map_err(StepError::caused_by)?,
            key: short(&routing_key(&filter)).map_err(StepError::caused_by)?,
            body: event.to_json().map_err(StepError::caused_by)?.into(),
            properties,
        })
    }
}

impl Inner {
    async fn emit(&self, message: &Message, limit: Duration) -> Result<(), StepError> {
        // A broker that has said so needs no probe.
        if let Some(why) = self.publisher.blocked() {
            return Err(StepError::new(why));
        }
        let attempt = self.breaker.admit()?;
        match timeout(limit, self.confirmed(message)).await {
            Ok(answer) => {
                // A server that refuses an event is available.
                attempt.succeeded();
                answer
            }
            Err(_) => {
                attempt.failed();
                let place = &self.publisher.url.place;
                let why = self.publisher.trouble().map(|why| format!(": {why}")).unwrap_or_default();
                Err(StepError::new(format!("{place}: no confirm within {limit:?}{why}")))
            }
        }
    }

    /// Publishes the event, over several connections if they break, until the broker has answered.
    async fn confirmed(&self, message: &Message) -> Result<(), StepError> {
        let (mut pause, mut has_declared) = (PAUSE, false);
        loop {
            let live =
                self.publisher.live().await.map_err(|failure| StepError::new(failure.error.to_string()))?;
            match live.publish(message).await {
                Ok(Confirmed::Stored) => return Ok(()),
                Ok(Confirmed::Returned) => {
                    let mut returned = Returned { inner: self, message, is_counted: true };
                    // Somebody may have deleted a queue.
                    if !has_declared && self.publisher.declare_again(&live).await {
                        has_declared = true;
                        returned.is_counted = false;
                        continue;
                    }
                    drop(returned);
                    return self.unroutable(message);
                }
                Ok(Confirmed::Refused) => {
                    let place = &self.publisher.url.place;
                    return Err(StepError::new(format!("{place} could not store the event")));
                }
                Ok(Confirmed::Blocked(why)) => return Err(StepError::new(why)),
                Err(error) if is_refusal(&error) => return Err(self.refused(&error)),
                // The connection or the channel broke, or the broker closes the connection, e.g. because it stops.
                Err(_) => {
                    sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    fn unroutable(&self, message: &Message) -> Result<(), StepError> {
        let (url, key) = (&self.publisher.url, message.key.as_str());
        match url.unroutable {
            Unroutable::Accept => Ok(()),
            Unroutable::Retry => Err(StepError::new(format!(
                "no queue of {} takes the event (exchange `{}`, routing key `{key}`): start a subscriber once, or name it in the URL by \
                 `subscriber=NAME`; `unroutable=accept` drops such events",
                url.place, url.exchange
            ))),
        }
    }

    fn refused(&self, error: &lapin::Error) -> StepError {
        let url = &self.publisher.url;
        if is_soft(error, &AMQPSoftError::PRECONDITIONFAILED) {
            return StepError::refused(format!("{} refuses the event: {}", url.place, shown(error)));
        }
        let what = format!("the exchange `{}`", url.exchange);
        let Failure { error, .. } = Failure::using(url, &what, error);
        StepError::new(error.to_string())
    }
}

/// A returned event, which is counted when this is dropped, also if the time limit ends the declaration of the queues.
struct Returned<'a> {
    inner: &'a Inner,
    message: &'a Message,
    is_counted: bool,
}

impl Drop for Returned<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            let url = &self.inner.publisher.url;
            self.inner.unrouted.add(&url.place, self.message.key.as_str(), url.unroutable);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { publisher, breaker, .. } = &*self.inner;
        f.debug_struct("Events")
            .field("place", &publisher.url.place)
            .field("exchange", &publisher.url.exchange)
            .field("breaker", breaker)
            .finish_non_exhaustive()
    }
}
