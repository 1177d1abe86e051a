//! An exchange as the source of subscribers.

use std::fmt;

use graceful::{
    StepError, Text,
    backends::{
        BoxFuture, EventFuture, EventReading, EventSource, Selection,
        client::{ConnectError, in_real_time},
    },
};
use lapin::{Acker, message, options::BasicAckOptions};

use super::{
    Filter,
    connection::{Connection, Failure},
    consuming::Consuming,
    names::{Key, subscriber_name},
    topology,
    url::Url,
};

/// An exchange of RabbitMQ, from which the handlers with `#[subscribe]` read.
///
/// Each subscriber has a queue, `{exchange}.{identity}`, and gets the events that are emitted after its queue was declared: by the subscriber when
/// it first runs, or by a service that emits and [knows it](super::Events::subscriber). An exchange stores nothing, so `from = "start"` means the same
/// as the default. Processes whose stores are different must not read with the same identity, because they would share the events.
///
/// The events arrive in the order of the queue, whichever process dies: one process has all that was delivered and not acknowledged, and when its
/// connection ends, the broker puts it back to the front. Any end of the reading (a closed channel, a deleted queue, a lost connection) is
/// followed by a new connection, and the queue is declared anew.
///
/// An orchestrator that emits to RabbitMQ has the source already; another one is given it:
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_rabbitmq::Source;
///
/// # async fn example(orchestrator: Orchestrator) -> Result<(), Box<dyn std::error::Error>> {
/// let source = Source::connect("amqp://127.0.0.1?exchange=orders").await?;
/// orchestrator.subscribers().source(source).run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Source {
    url: Url,
}

impl Source {
    /// Connects once, and declares or checks the exchange. Each subscriber then reads by a connection of its own.
    ///
    /// The URL is that of [`Events`](super::Events).
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server is unavailable or refuses the login, or if the exchange is missing, cannot be declared, or has other
    /// settings.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let source = graceful_rabbitmq::Source::connect("amqp://127.0.0.1").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url)?;
        let connected = in_real_time(async {
            let connection = Connection::open(&url).await?;
            topology::exchange(&connection, &url).await
        });
        connected.await.map_err(|failure: Failure| failure.error)?;
        Ok(Self::of(url))
    }

    pub(super) fn of(url: Url) -> Self {
        Self { url }
    }

    async fn opened(&self, selection: Selection) -> Result<Reading, StepError> {
        let mut filter = Filter::new().pattern(selection.pattern).event(selection.event);
        if let Some(service) = selection.service {
            filter = filter.service(service);
        }
        let (name, key) = (subscriber_name(&selection.subscriber), Key::of(&filter));
        // A limit of 0 would be none.
        let batch = u16::try_from(selection.batch).unwrap_or(u16::MAX).max(1);
        let consuming = Consuming::open(&self.url, &name, &key, batch).await;
        let consuming = consuming.map_err(|failure| failed(&failure.error))?;
        Ok(Reading { consuming, last: None })
    }
}

impl EventSource for Source {
    fn place(&self) -> Text {
        format!("the exchange `{}` of {}", self.url.exchange, self.url.place).into()
    }

    fn open(&self, selection: Selection) -> BoxFuture<Result<Box<dyn EventReading>, StepError>> {
        let this = self.clone();
        Box::pin(async move { Ok(Box::new(this.opened(selection).await?) as Box<dyn EventReading>) })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("place", &self.url.place)
            .field("exchange", &self.url.exchange)
            .finish_non_exhaustive()
    }
}

fn failed(error: &ConnectError) -> StepError {
    StepError::new(error.to_string())
}

/// Reads in the order of the queue.
struct Reading {
    consuming: Consuming,
    /// Acknowledges the last message that was returned, and all before it.
    last: Option<Acker>,
}

impl EventReading for Reading {
    fn next(&mut self) -> EventFuture<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            loop {
                let mut message = Some(self.consuming.next().await.map_err(|error| failed(&error))?);
                // Nothing waits until all that has arrived is returned, so no message is lost when this future is dropped.
                let mut bodies = Vec::new();
                while let Some(one) = message {
                    self.take(one, &mut bodies);
                    message = self.consuming.arrived().await.map_err(|error| failed(&error))?;
                }
                if !bodies.is_empty() {
                    return Ok(bodies);
                }
                // An earlier filter has selected them.
                self.acknowledge().await?;
            }
        })
    }

    fn acknowledge(&mut self) -> EventFuture<'_, ()> {
        Box::pin(async move {
            let Some(last) = self.last.take() else { return Ok(()) };
            let sending = last.ack(BasicAckOptions { multiple: true });
            self.consuming.sent(sending).await.map_err(|error| failed(&error))
        })
    }
}

impl Reading {
    fn take(&mut self, message: message::Delivery, bodies: &mut Vec<Vec<u8>>) {
        let is_selected = self.consuming.selects(&message);
        self.last = Some(message.acker);
        if is_selected {
            bodies.push(message.data);
        }
    }
}
