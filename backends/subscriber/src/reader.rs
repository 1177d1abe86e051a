//! The loop that reads.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use graceful::{
    Orchestrator,
    backends::{
        FlowStore, Inbox, ProcessRole, ReceivedEvent,
        client::{ConnectError, Outage},
    },
};

use crate::{Reading, Rejected, Source, pauses::Pauses};

const ATTEMPTS: u32 = 10;

/// The default time limit of a handler.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The pause before a reading that failed is restarted.
const AGAIN: Duration = Duration::from_millis(500);

/// Reads events from a [`Source`], and calls a handler with each.
pub struct Reader {
    pub(crate) name: String,
    pub(crate) attempts: u32,
    pub(crate) timeout: Duration,
    /// The store with the pauses of this subscriber.
    pauses: Option<Arc<dyn FlowStore>>,
    pub(crate) outages: Outages,
}

/// Outages that affect all events.
pub(crate) struct Outages {
    pub(crate) reading: Outage,
    pub(crate) inbox: Outage,
    pub(crate) handling: Outage,
}

impl Reader {
    /// Creates a reader for the subscriber of this name: 10 attempts, and 60 s for the handler.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attempts: ATTEMPTS,
            timeout: TIMEOUT,
            pauses: None,
            outages: Outages { reading: Outage::new(), inbox: Outage::new(), handling: Outage::new() },
        }
    }

    /// Sets after how many attempts an event is poison, at least 1.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// Sets the time limit of the handler, at least 1 ms.
    #[must_use]
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: time.max(Duration::from_millis(1)), ..self }
    }

    /// Stops reading while an operator has paused the subscriber in the store of this orchestrator.
    #[must_use]
    pub fn pausable(self, orchestrator: &Orchestrator) -> Self {
        Self { pauses: orchestrator.flows().cloned(), ..self }
    }

    /// Reads until `end` is ready. An event that is then being handled is finished; one that still waits for the inbox is given back.
    ///
    /// # Errors
    /// Fails if the server refuses to let it read at the beginning. Later failures are retried and logged.
    pub async fn run_until<S: Source, I: Inbox, H>(
        &self,
        source: &S,
        end: impl Future<Output = ()>,
        inbox: &I,
        handler: impl Fn(Arc<ReceivedEvent>, I::Transaction) -> H,
    ) -> Result<(), ConnectError>
    where
        H: Future<Output = Result<I::Transaction, Rejected>>,
    {
        let mut end = pin!(end);
        if !ProcessRole::current().runs_work() {
            end.await;
            return Ok(());
        }
        let pauses = Pauses::of(self.pauses.as_ref(), &self.name);
        let mut was_open = false;
        loop {
            if within(&mut end, pauses.ended()).await.is_none() {
                return Ok(());
            }
            let error = match within(&mut end, source.open()).await {
                None => return Ok(()),
                Some(Err(broken)) if broken.refused && !was_open => return Err(broken.error),
                Some(Err(broken)) => Some(broken.error),
                Some(Ok(mut reading)) => loop {
                    was_open = true;
                    let next = within(&mut end, async {
                        let mut pause = pin!(pauses.begun());
                        within(&mut pause, reading.next()).await
                    });
                    match next.await {
                        None => return Ok(()),
                        // What arrives in this moment comes again.
                        Some(None) => break None,
                        Some(Some(Err(error))) => break Some(error),
                        Some(Some(Ok(message))) => {
                            if let Some(failures) = self.outages.reading.succeeded() {
                                tracing::info!(target: "graceful::subscriber", consumer = self.name, failures, "reading works again");
                            }
                            if !self.take(&mut end, &mut reading, message, inbox, &handler).await {
                                return Ok(());
                            }
                        }
                    }
                },
            };
            let Some(error) = error else { continue };
            if let Some(failures) = self.outages.reading.failed() {
                tracing::warn!(
                    target: "graceful::subscriber",
                    consumer = self.name, %error, failures, "reading failed; reconnecting"
                );
            }
            if within(&mut end, tokio::time::sleep(AGAIN)).await.is_none() {
                return Ok(());
            }
        }
    }
}

/// `None` where the end came first.
pub(crate) async fn within<T>(
    end: &mut Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        done = work => Some(done),
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.name)
            .field("attempts", &self.attempts)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
