//! What a broker's crate implements.

use std::{future::Future, sync::Arc, time::Duration};

use graceful::{
    StepError,
    backends::{ReceivedEvent, client::ConnectError},
};

/// Where events come from: a durable consumer or a queue of a broker.
pub trait Source {
    /// What it reads by.
    type Reading: Reading;

    /// Connects, and begins to read.
    fn open(&self) -> impl Future<Output = Result<Self::Reading, Broken>> + Send;
}

/// One connection that reads. Dropped, it gives back what it has received and not answered.
pub trait Reading {
    /// A message of the broker, until it is answered.
    type Message;

    /// Waits for a message. This future is dropped and made anew, without a loss of messages.
    ///
    /// # Errors
    /// Fails if nothing more can be read; then the source is opened again.
    fn next(&mut self) -> impl Future<Output = Result<Self::Message, ConnectError>> + Send;

    /// Returns what was delivered.
    fn delivery(message: &Self::Message) -> Delivery<'_>;

    /// How often the time to answer is extended while the handler runs. Default: `None`, which means that it need not be.
    fn extends_every(&self) -> Option<Duration> {
        None
    }

    /// Extends the time to answer.
    fn extend(_message: &Self::Message) -> impl Future<Output = Result<(), ConnectError>> + Send {
        async { Ok(()) }
    }

    /// Answers the message. If the answer is lost, the message comes again.
    ///
    /// # Errors
    /// Fails if the answer could not be sent.
    fn answer(
        &mut self,
        message: Self::Message,
        answer: Answer,
    ) -> impl Future<Output = Result<(), ConnectError>> + Send;
}

/// The contents of a message.
#[derive(Debug)]
#[non_exhaustive]
pub struct Delivery<'a> {
    /// The event, as JSON.
    pub body: &'a [u8],
    /// How often the message was delivered, including this time.
    pub deliveries: u32,
}

impl<'a> Delivery<'a> {
    /// Creates a delivery.
    pub const fn new(body: &'a [u8], deliveries: u32) -> Self {
        Self { body, deliveries }
    }
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Answer {
    /// It was handled, now or before.
    Handled,
    /// It was not begun: it comes again at once, here or to another process.
    Return,
    /// It comes again after this time.
    Again(Duration),
    /// It does not come again.
    Poison(Poisoned),
}

/// Why an event does not come again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Poisoned {
    /// The event; `None` if the message is not a CloudEvent.
    pub event: Option<Arc<ReceivedEvent>>,
    /// How often the handler was run, or one more if each run was interrupted.
    pub attempts: u32,
    /// The error of the last attempt.
    pub error: StepError,
}

impl Poisoned {
    pub(crate) fn new(event: Option<Arc<ReceivedEvent>>, attempts: u32, error: StepError) -> Self {
        Self { event, attempts, error }
    }
}

/// The error of a source that cannot be opened.
#[derive(Debug)]
pub struct Broken {
    /// Whether the server refused, as opposed to a failed connection.
    pub refused: bool,
    /// What is wrong.
    pub error: ConnectError,
}
