//! A job: the events of one entity that one thread handles, one after the other.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{attempt::Attempted, event_data::Provided, registered::Subscriber, workers::Slot};
use crate::{
    backends::{ParkedEvent, ReaderId, ReceivedEvent, Subscriptions, escaped},
    outage::Outage,
    pipeline::Orchestrator,
    step::StepError,
    text::Text,
};

/// An event that waits for its turn.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) position: u64,
    pub(super) body: Box<[u8]>,
    /// How many attempts were made before.
    pub(super) attempts: u32,
    pub(super) kind: Kind,
    /// The number of the next attempt, if it is counted and has not begun.
    counted: Option<u32>,
    /// How its last attempt has ended, if that is not recorded: it must not run again.
    ended: Option<Result<(), Failure>>,
}

/// A failed attempt.
#[derive(Clone, Debug)]
struct Failure {
    attempt: u32,
    error: Text,
    /// No attempt can succeed.
    is_poison: bool,
    is_counted: bool,
}

/// What happened to an event before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    New,
    /// The process before may have died in an attempt, so the next is counted before it begins.
    Interrupted,
    /// It was parked, and an operator has resubmitted it.
    Released,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) entity: i64,
    pub(super) items: VecDeque<Item>,
    /// Events of the entity are parked.
    pub(super) is_parked: bool,
    /// How often its partition was claimed before.
    pub(super) tenure: u32,
}

/// A job that has ended.
#[derive(Debug)]
pub(super) struct Done {
    /// The job, with the events that are left.
    pub(super) job: Job,
    /// The positions of the events that were handled or parked.
    pub(super) handled: Vec<u64>,
    pub(super) end: End,
}

/// Why a job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its events, or its time, have come to an end.
    Over,
    /// A resubmitted event has ended: the next of its entity may be released.
    Released,
    /// Its first event goes on after this time.
    Again(Duration),
    /// The process stops, or has lost its partitions.
    Stopped,
}

/// What a running job shares with its thread.
pub(super) struct Running<'a> {
    /// Changes when the handler must stop.
    pub(super) stopped: &'a mut watch::Receiver<u32>,
    pub(super) slot: &'a Slot,
}

/// A job ends after this time, so that other entities get their turns.
const TURN: Duration = Duration::from_millis(100);

/// The first pause before an event is retried; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pause before an unavailable store is tried again.
const UNAVAILABLE: Duration = Duration::from_secs(1);

/// What all jobs of a subscriber share.
pub(super) struct Handling {
    pub(super) subscriber: &'static Subscriber,
    pub(super) orchestrator: Orchestrator,
    pub(super) subscriptions: Arc<dyn Subscriptions>,
    pub(super) reader: ReaderId,
    pub(super) provided: Provided,
    /// Changes when running handlers must stop.
    pub(super) stop: watch::Sender<u32>,
    pub(super) failures: Outage,
    pub(super) store: Outage,
}

impl Handling {
    /// Runs a job until it ends, or `stopped` changes.
    pub(super) async fn run(&self, mut job: Job, stopped: &mut watch::Receiver<u32>, slot: &Slot) -> Done {
        let (began, mut handled) = (Instant::now(), Vec::with_capacity(job.items.len()));
        while let Some(mut item) = job.items.pop_front() {
            let mut running = Running { stopped: &mut *stopped, slot };
            let ended = match item.kind {
                Kind::Released => self.released(&mut job, &mut item, &mut running).await,
                Kind::New | Kind::Interrupted => self.event(&mut job, &mut item, &mut running).await,
            };
            match ended {
                Ok(()) if item.is_released() => return Done { job, handled, end: End::Released },
                Ok(()) => handled.push(item.position),
                Err(end) => {
                    job.items.push_front(item);
                    return Done { job, handled, end };
                }
            }
            if !job.items.is_empty() && began.elapsed() >= TURN {
                break;
            }
        }
        Done { job, handled, end: End::Over }
    }

    async fn event(&self, job: &mut Job, item: &mut Item, running: &mut Running<'_>) -> Result<(), End> {
        let (entity, position) = (job.entity, item.position);
        if let Some(Err(failure)) = item.ended.take() {
            return self.failed(job, item, failure).await;
        }
        if job.is_parked {
            let waiting = ParkedEvent::new(position, entity, item.body.clone(), item.attempts, "");
            if self.stored(self.subscriptions.park_behind(self.reader.clone(), waiting).await)? {
                return Ok(());
            }
            job.is_parked = false;
        }
        let is_counted = item.is_interrupted();
        let attempt = if is_counted { self.counted(entity, item).await? } else { item.attempts + 1 };
        let failed = |error, is_poison| Failure { attempt, error, is_poison, is_counted };
        if attempt > self.subscriber.attempts {
            return self.failed(job, item, failed("all attempts were interrupted".into(), false)).await;
        }
        match self.attempt(entity, item, attempt >= self.subscriber.attempts, running).await {
            Attempted::Handled | Attempted::WasHandled => Ok(()),
            Attempted::Unavailable(error) => self.stored(Err(error)),
            Attempted::Stopped => {
                item.counted = None;
                Err(End::Stopped)
            }
            Attempted::Failed { error, is_poison } => self.failed(job, item, failed(error, is_poison)).await,
        }
    }

    /// Records a failed attempt, and parks the event after the last one.
    async fn failed(&self, job: &mut Job, item: &mut Item, mut failure: Failure) -> Result<(), End> {
        if !failure.is_counted && !failure.is_poison {
            let counted = self.attempted(job.entity, item.position).await;
            match counted {
                Ok(counted) => (failure.attempt, failure.is_counted) = (failure.attempt.max(counted), true),
                Err(end) => {
                    item.ended = Some(Err(failure));
                    return Err(end);
                }
            }
        }
        if failure.is_poison || failure.attempt >= self.subscriber.attempts {
            let parked = self.park(job, item, &failure).await;
            item.ended = parked.is_err().then_some(Err(failure));
            return parked;
        }
        (item.attempts, item.kind, item.counted) = (failure.attempt, Kind::New, None);
        if let Some(failures) = self.failures.failed() {
            let (event, subject) = item.names();
            tracing::warn!(
                target: "graceful::subscriber",
                subscriber = self.subscriber.identity, position = item.position, event, subject, attempt = failure.attempt,
                error = %escaped(&failure.error), failures,
                "handling an event failed; it is retried"
            );
        }
        Err(End::Again(pause(failure.attempt)))
    }

    async fn park(&self, job: &mut Job, item: &Item, failure: &Failure) -> Result<(), End> {
        let Failure { attempt: attempts, error, .. } = failure;
        let event = ParkedEvent::new(item.position, job.entity, item.body.clone(), *attempts, error.clone());
        if self.stored(self.subscriptions.park(self.reader.clone(), event).await)? {
            job.is_parked = true;
            let (event, subject) = item.names();
            tracing::error!(
                target: "graceful::subscriber",
                subscriber = self.subscriber.identity, position = item.position, event, subject, attempts, error = %escaped(error),
                "event parked, and with it the later ones of its entity: resubmit or discard it"
            );
            return Ok(());
        }
        Err(End::Stopped)
    }

    /// Runs a resubmitted event once.
    async fn released(&self, job: &mut Job, item: &mut Item, running: &mut Running<'_>) -> Result<(), End> {
        let (entity, position) = (job.entity, item.position);
        job.is_parked = true;
        let ended = match item.ended.take() {
            Some(ended) => ended,
            None => match self.released_attempt(entity, item, running).await? {
                Some(ended) => ended,
                None => return Ok(()),
            },
        };
        let failed = ended.as_ref().err().map(|failure| (failure.attempt, failure.error.clone()));
        let recorded = self.subscriptions.end_released(self.reader.clone(), entity, position, failed);
        match (self.stored(recorded.await), ended) {
            (Err(end), ended) => {
                item.ended = Some(ended);
                return Err(end);
            }
            (Ok(true), Err(Failure { attempt, error, .. })) => {
                let (event, subject) = item.names();
                tracing::error!(
                    target: "graceful::subscriber",
                    subscriber = self.subscriber.identity, position, event, subject, attempts = attempt, error = %escaped(&error),
                    "a resubmitted event failed again, and stays parked"
                );
            }
            // If it was discarded meanwhile, or another process holds the partition, nothing is left to do here.
            (Ok(_), _) => {}
        }
        Ok(())
    }

    /// How the attempt at a resubmitted event has ended; `None` if that is recorded.
    async fn released_attempt(
        &self,
        entity: i64,
        item: &mut Item,
        running: &mut Running<'_>,
    ) -> Result<Option<Result<(), Failure>>, End> {
        let attempt = self.counted(entity, item).await?;
        let failed = |error| Some(Err(Failure { attempt, error, is_poison: false, is_counted: true }));
        if attempt > item.attempts + 1 {
            return Ok(failed("the attempt before was interrupted".into()));
        }
        match self.attempt(entity, item, true, running).await {
            // Its transaction has removed it.
            Attempted::Handled if self.subscriber.transaction.is_some() => Ok(None),
            Attempted::WasHandled => Ok(None),
            Attempted::Handled => Ok(Some(Ok(()))),
            Attempted::Failed { error, .. } => Ok(failed(error)),
            Attempted::Stopped => {
                item.counted = None;
                Err(End::Stopped)
            }
            Attempted::Unavailable(error) => self.stored(Err(error)),
        }
    }

    /// Counts the next attempt, unless it is counted: it may not have begun, because the store was unavailable.
    async fn counted(&self, entity: i64, item: &mut Item) -> Result<u32, End> {
        let attempt = match item.counted {
            Some(counted) => counted,
            None => self.attempted(entity, item.position).await?,
        };
        item.counted = Some(attempt);
        Ok(attempt)
    }

    async fn attempted(&self, entity: i64, position: u64) -> Result<u32, End> {
        match self.stored(self.subscriptions.attempted(self.reader.clone(), entity, position).await)? {
            // Another process holds the partition.
            0 => Err(End::Stopped),
            attempt => Ok(attempt),
        }
    }

    /// The reply of the store. While it is unavailable the event waits, and no attempt is counted.
    fn stored<T>(&self, reply: Result<T, StepError>) -> Result<T, End> {
        match reply {
            Ok(reply) => {
                if let Some(failures) = self.store.succeeded() {
                    tracing::info!(target: "graceful::subscriber", subscriber = self.subscriber.identity, failures, "the store works again");
                }
                Ok(reply)
            }
            Err(error) => {
                if let Some(failures) = self.store.failed() {
                    tracing::warn!(
                        target: "graceful::subscriber",
                        subscriber = self.subscriber.identity, error = error.message(), failures,
                        "the store is unavailable; events wait, and no attempt is counted"
                    );
                }
                Err(End::Again(UNAVAILABLE))
            }
        }
    }
}

impl Item {
    pub(super) fn new(position: u64, body: Box<[u8]>, kind: Kind) -> Self {
        Self { position, body, attempts: 0, kind, counted: None, ended: None }
    }

    pub(super) fn released(event: ParkedEvent) -> Self {
        let ParkedEvent { position, body, attempts, .. } = event;
        Self { attempts, ..Self::new(position, body, Kind::Released) }
    }

    /// The id and the subject of the event, for the log; empty if it is no event.
    fn names(&self) -> (String, String) {
        let Ok(event) = serde_json::from_slice::<ReceivedEvent>(&self.body) else {
            return Default::default();
        };
        let subject = event.subject.unwrap_or_default();
        (escaped(&event.id).into_owned(), escaped(&subject).into_owned())
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.kind == Kind::Interrupted
    }

    pub(super) fn is_released(&self) -> bool {
        self.kind == Kind::Released
    }
}

pub(super) fn partition_of(entity: i64) -> usize {
    usize::try_from(entity & i64::from(crate::backends::PARTITIONS - 1)).unwrap_or_default()
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << (attempts.max(1) - 1).min(10)).min(LONGEST_PAUSE)
}
