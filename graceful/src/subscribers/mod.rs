//! Subscribers: handlers that are called with the events of this and other services.

mod attempt;
mod copying;
mod event_data;
mod hand;
mod incoming;
mod job;
mod reading;
mod registered;
mod registration;
mod start_check;
mod workers;

use std::{
    convert::Infallible,
    fmt,
    future::pending,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use self::{
    copying::Copying,
    job::Handling,
    reading::{Feed, Reading},
    start_check::Source,
};
pub use self::{
    event_data::{EventData, FromEvent, Needed, Provided, State},
    registered::{Delivery, HandlerFuture, Subscriber, transaction_type},
    start_check::SubscribeError,
};
use crate::{
    backends::{EventSource, ProcessRole, ReaderId},
    outage::Outage,
    pipeline::Orchestrator,
    text::Text,
};

/// How many handlers of one subscriber run at once, by default.
const CONCURRENCY: usize = 32;

/// How long a process holds its partitions without a sign of life.
const LEASE: Duration = Duration::from_secs(15);

/// How long the end waits for the registrations at most.
const TRIED: Duration = Duration::from_secs(5);

/// The subscribers of a program: the handlers with `#[subscribe]`.
///
/// ```no_run
/// use graceful::{EventData, Orchestrator, subscribe};
///
/// #[subscribe(event = "user_updated", pattern = "user")]
/// async fn on_update(event: EventData<String>) -> Result<(), std::fmt::Error> {
///     println!("{} was updated", event.result);
///     Ok(())
/// }
///
/// # async fn example(orchestrator: Orchestrator) -> Result<(), Box<dyn std::error::Error>> {
/// // Reads the event log of the orchestrator's store until the orchestrator is shut down.
/// orchestrator.subscribers().run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "subscribers read nothing until they run"]
pub struct Subscribers {
    orchestrator: Orchestrator,
    paths: Vec<String>,
    provided: Provided,
    concurrency: usize,
    lease: Duration,
    source: Option<Arc<dyn EventSource>>,
}

impl Orchestrator {
    /// The subscribers of this program, which read with the backends of this orchestrator.
    pub fn subscribers(&self) -> Subscribers {
        Subscribers {
            orchestrator: self.clone(),
            paths: Vec::new(),
            provided: Provided::default(),
            concurrency: CONCURRENCY,
            lease: LEASE,
            source: None,
        }
    }
}

impl Subscribers {
    /// Runs only the subscriber of this identity, or those in this module. It can be called several times. By default all of the
    /// program run.
    pub fn only(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Provides a value for the parameters of type [`State<T>`](State). A second value of a type replaces the first.
    pub fn provide<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.provided.add(value);
        self
    }

    /// Reads from this broker. Default: the broker to which the orchestrator emits, otherwise its event log.
    pub fn source(mut self, source: impl EventSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Sets how many handlers of each subscriber run at once in this process, at least 1. Default: 32. Handlers of one entity
    /// run one at a time.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers.max(1);
        self
    }

    /// Sets how long this process holds its partitions without a sign of life, at least 1 s. Default: 15 s. If a process dies, another one goes on
    /// with its events after this time.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Runs the subscribers until the orchestrator [is shut down](Orchestrator::shutdown_begins). Running handlers are then finished, within 10 s.
    ///
    /// If the future is dropped, running handlers are dropped at their next `await`, and another process goes on after the
    /// [lease](Self::lease). In a process whose [role](ProcessRole) is not `Service` it reads no event.
    ///
    /// # Errors
    /// Fails at the beginning, if a subscriber cannot run: no store, no source of events, or a parameter that nothing provides. The error names
    /// each subscriber with file and line; it is also logged, and [`health`](Orchestrator::health) reports it. Later failures are retried and logged.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    pub async fn run(self) -> Result<(), SubscribeError> {
        self.run_until(pending()).await
    }

    /// Like [`run`](Self::run), but ends also when `end` is ready. `end` begins when every subscriber is registered, so that a new
    /// subscriber of the event log receives the events that `end` emits; at the latest it begins after 5 s, or when a registration has failed, which is then tried again.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Result<(), SubscribeError> {
        let orchestrator = self.orchestrator.clone();
        let (tried, mut all_tried) = mpsc::channel::<Infallible>(1);
        let end = async {
            // Its senders are dropped when each subscriber is registered, or that has failed.
            _ = tokio::time::timeout(TRIED, all_tried.recv()).await;
            end.await;
        };
        let end = async {
            tokio::select! {
                () = orchestrator.shutdown_begins() => {}
                () = end => {}
            }
        };
        let end = pin!(end);
        if !ProcessRole::current().runs_work() {
            drop(tried);
            end.await;
            return Ok(());
        }
        let (subscribers, subscriptions, source) =
            start_check::check(&self).inspect_err(|error| self.not_started(error))?;
        let process = Uuid::from_u128(fastrand::u128(..));
        let (ended, _) = watch::channel(false);
        let mut reading = tokio::task::JoinSet::new();
        for subscriber in subscribers {
            let handling = Arc::new(Handling {
                subscriber,
                orchestrator: self.orchestrator.clone(),
                subscriptions: Arc::clone(&subscriptions),
                reader: ReaderId::new(Text::new_static(subscriber.identity), process),
                provided: self.provided.clone(),
                stop: watch::Sender::new(0),
                failures: Outage::new(),
                store: Outage::new(),
            });
            let (source, tried, mut ended) = (source.clone(), tried.clone(), ended.subscribe());
            let (concurrency, lease) = (self.concurrency, self.lease);
            reading.spawn(async move {
                // The sender lives as long as the task.
                let mut ended = pin!(async { _ = ended.wait_for(|ended| *ended).await });
                if registration::registered(&handling, &source, tried, ended.as_mut()).await {
                    read(handling, source, concurrency, lease, ended).await;
                }
            });
        }
        drop(tried);
        end.await;
        ended.send_replace(true);
        while reading.join_next().await.is_some() {}
        Ok(())
    }

    /// The task of `run` may be one whose error nobody sees.
    fn not_started(&self, error: &SubscribeError) {
        tracing::error!(target: "graceful::subscriber", %error, "no subscriber runs");
        for subscriber in start_check::chosen(self) {
            let fault = Text::new_static("it could not be started: the log has the reason");
            self.orchestrator.0.subscriber_faults.set(subscriber.identity, Some(fault));
        }
    }
}

/// Reads the events of a subscriber until the end.
async fn read(
    handling: Arc<Handling>,
    source: Source,
    concurrency: usize,
    lease: Duration,
    ended: Pin<&mut impl Future<Output = ()>>,
) {
    let copies = watch::Sender::new(false);
    let (feed, copying) = match source {
        Source::Log(log) => (Feed::Log(log), None),
        Source::Broker(source) => {
            let (received, batches) = watch::channel(0);
            let copying = Copying {
                subscriber: handling.subscriber,
                source,
                subscriptions: Arc::clone(&handling.subscriptions),
                reader: handling.reader.clone(),
                copies: copies.subscribe(),
                received,
                outage: Outage::new(),
            };
            (Feed::Received(Arc::clone(&handling.subscriptions), batches), Some(copying.run()))
        }
    };
    let read = Box::pin(Reading::new(handling, feed, concurrency, lease, copies).run_until(ended));
    match copying {
        // It ends with the reading, which drops the sender of `copies`.
        Some(copying) => drop(tokio::join!(read, copying)),
        None => read.await,
    }
}

impl fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribers")
            .field("paths", &self.paths)
            .field("provided", &self.provided)
            .field("concurrency", &self.concurrency)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
