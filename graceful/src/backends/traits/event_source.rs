//! The trait of brokers from which subscribers read.

use std::{fmt::Debug, future::Future, pin::Pin};

use crate::{backends::BoxFuture, step::StepError, text::Text};

/// What a subscriber reads from an [`EventSource`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The identity of the subscriber, under which the broker stores what it has not acknowledged.
    pub subscriber: Text,
    /// Its former identities. If the broker knows one of them and not the present one, reading goes on where that one has ended, if the broker can do
    /// that.
    pub was: Vec<Text>,
    /// The name of the events.
    pub event: Text,
    /// The pattern of the events.
    pub pattern: Text,
    /// The service of the events; `None` selects those of every service.
    pub service: Option<Text>,
    /// Whether a new subscriber begins with the oldest event that the broker has, not with the next one. A broker without a stream ignores it.
    pub from_start: bool,
    /// How many messages may be delivered and not acknowledged.
    pub batch: usize,
}

impl Selection {
    /// Selects the events of this name and pattern, of every service, from the next one on.
    pub fn new(subscriber: impl Into<Text>, event: impl Into<Text>, pattern: impl Into<Text>) -> Self {
        Self {
            subscriber: subscriber.into(),
            was: Vec::new(),
            event: event.into(),
            pattern: pattern.into(),
            service: None,
            from_start: false,
            batch: 256,
        }
    }
}

/// A broker from which subscribers read. It only transports: what it delivers is copied to the store of the subscribers' state, and
/// acknowledged when it is there. Order, retries and attempts are those of the store. The suite `graceful_testing::conformance::event_source` checks a
/// source for these rules.
pub trait EventSource: Debug + Send + Sync + 'static {
    /// The kind of broker and its place, for operators, such as ``the stream `orders` of NATS at 127.0.0.1:4222``. It contains no secret.
    fn place(&self) -> Text;

    /// Begins to read what this subscriber has not acknowledged. One process at a time does so; one that has lost its lease may not have noticed it, so
    /// what it has received and not acknowledged must come before all later messages. What the broker needs, a durable consumer or a queue, is
    /// created if it is missing.
    fn open(&self, selection: Selection) -> BoxFuture<Result<Box<dyn EventReading>, StepError>>;
}

/// The future of a reading.
pub type EventFuture<'r, T> = Pin<Box<dyn Future<Output = Result<T, StepError>> + Send + 'r>>;

/// One connection that reads. Dropped, it gives back what it has not acknowledged.
pub trait EventReading: Send {
    /// Waits for messages, and returns them in the order of the broker: at least one, at most a batch. They are acknowledged before the next call. The
    /// future is dropped and made anew, without a loss of messages.
    ///
    /// # Errors
    /// Fails if nothing more can be read; then the source is opened again.
    fn next(&mut self) -> EventFuture<'_, Vec<Vec<u8>>>;

    /// Acknowledges all messages that were returned. If an acknowledgement is lost, the message comes again.
    ///
    /// # Errors
    /// Fails if the broker may not have got the acknowledgement; then the source is opened again.
    fn acknowledge(&mut self) -> EventFuture<'_, ()>;
}
