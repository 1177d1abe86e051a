//! When a receiver is told.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use graceful::{
    Flow, Severity, StepError,
    backends::{Alert, AlertChange, Alerter, Reply, memory},
};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::{Group, Notice, Receiver, group::grouped};

const EVERY: Duration = Duration::from_secs(60);
const QUIET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How many resolved alerts are looked at when a process starts.
const RESOLVED: usize = 1000;

/// What a [`Notifier`] is made from.
#[derive(Debug)]
pub struct Settings {
    pub book: Option<Arc<dyn Alerter>>,
    pub every: Duration,
    pub quiet_after: Duration,
}

impl Settings {
    pub const fn new() -> Self {
        Self { book: None, every: EVERY, quiet_after: QUIET_AFTER }
    }
}

/// A receiver whose settings will do.
pub struct Checked<R>(R, Settings);

impl<R: Receiver> Checked<R> {
    pub fn new(receiver: R, settings: Settings) -> Self {
        Self(receiver, settings)
    }

    pub fn notifier(self, book: Option<Arc<dyn Alerter>>) -> Notifier<R> {
        Notifier::new(self.0, Settings { book, ..self.1 })
    }

    /// An alerter over the book that is there.
    pub fn over(self, book: Option<Arc<dyn Alerter>>) -> Arc<dyn Alerter> {
        Arc::new(self.notifier(book))
    }
}

/// Tells a receiver what the book holds.
pub struct Notifier<R>(Arc<Inner<R>>);

struct Inner<R> {
    receiver: R,
    book: Arc<dyn Alerter>,
    every: Duration,
    quiet_after: Duration,
    /// What the receiver takes to be firing.
    told: Mutex<HashMap<Group, Told>>,
    /// Counts what happened to the book.
    changes: AtomicU64,
    /// One at a time tells; those who waited for it need not.
    telling: tokio::sync::Mutex<Telling>,
    is_repeating: AtomicBool,
}

struct Told {
    notice: Notice,
    at: Instant,
}

#[derive(Default)]
struct Telling {
    has_begun: bool,
    /// How many changes were seen by the last one who told.
    seen: u64,
    result: Option<StepError>,
}

impl<R: Receiver> Notifier<R> {
    pub fn new(receiver: R, settings: Settings) -> Self {
        let notifier = Self(Arc::new(Inner {
            receiver,
            book: settings.book.unwrap_or_else(|| Arc::new(memory::Alerts::new())),
            every: settings.every,
            quiet_after: settings.quiet_after,
            told: Mutex::default(),
            changes: AtomicU64::new(0),
            telling: tokio::sync::Mutex::default(),
            is_repeating: AtomicBool::new(false),
        }));
        // What was open when the last process ended is told again, though nothing happens.
        notifier.repeat();
        notifier
    }

    /// Tells again from time to time: what the receiver would forget, and what it could not be told.
    fn repeat(&self) {
        if self.0.is_repeating.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.0.is_repeating.swap(true, Ordering::Relaxed) {
            runtime.spawn(repeat(Arc::downgrade(&self.0), self.0.every));
        }
    }
}

async fn repeat<R: Receiver>(notifier: Weak<Inner<R>>, every: Duration) {
    while let Some(notifier) = notifier.upgrade() {
        if let Err(error) = notifier.record_outcome().await {
            tracing::warn!(target: "graceful::alert", %error, "the receiver of alerts could not be told");
        }
        drop(notifier);
        tokio::time::sleep(every).await;
    }
}

impl<R: Receiver> Inner<R> {
    fn told(&self) -> MutexGuard<'_, HashMap<Group, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_told(&self, group: &Group) -> bool {
        self.told().contains_key(group)
    }

    /// Tells the receiver what has changed until now.
    ///
    /// Where it is dropped half-way, what was told is known, and the next one tells the rest.
    async fn record_outcome(&self) -> Result<(), StepError> {
        let mine = self.changes.fetch_add(1, Ordering::AcqRel) + 1;
        let mut telling = self.telling.lock().await;
        if telling.seen < mine {
            let result = loop {
                let seen = self.changes.load(Ordering::Acquire);
                let result = self.tell(&mut telling.has_begun).await;
                telling.seen = seen;
                // A failure that thought that its group was firing, while it was being resolved, did not wait for us.
                if !matches!(result, Ok(true)) || self.changes.load(Ordering::Acquire) == seen {
                    break result;
                }
            };
            telling.result = result.err();
        }
        telling.result.clone().map_or(Ok(()), Err)
    }

    /// What was resolved just before the last process ended may not have been told.
    async fn remember(&self, since: Timestamp) -> Result<(), StepError> {
        if !R::FORGETS {
            return Ok(());
        }
        let resolved = self.book.resolved(RESOLVED).await?;
        let recent = resolved.iter().filter(|alert| alert.resolved_at.is_some_and(|at| at >= since));
        let at = Instant::now();
        self.told().extend(grouped(recent).into_iter().map(|(group, notice)| (group, Told { notice, at })));
        Ok(())
    }

    /// Whether something was resolved.
    async fn tell(&self, has_begun: &mut bool) -> Result<bool, StepError> {
        let (open, since) = (self.book.open().await?, self.since());
        if !*has_begun {
            // After what is open: an alert that is resolved in between is seen twice, and not never.
            self.remember(since).await?;
            *has_begun = true;
        }
        let firing = grouped(open.iter().filter(|alert| alert.last_fired_at >= since));
        let gone: Vec<Notice> = {
            let told = self.told();
            let gone = told.iter().filter(|(group, _)| !firing.contains_key(group));
            gone.map(|(_, told)| told.notice.clone()).collect()
        };
        for notice in &gone {
            let resolved = Notice { resolved_at: Some(Timestamp::now()), ..notice.clone() };
            self.receiver.tell(&resolved).await?;
            self.told().remove(&notice.group);
        }
        for (group, notice) in firing {
            let is_known = match self.told().get(&group) {
                Some(told) => !R::FORGETS || told.at.elapsed() < self.every,
                None => false,
            };
            if !is_known {
                self.receiver.tell(&notice).await?;
                self.told().insert(group, Told { notice, at: Instant::now() });
            }
        }
        Ok(!gone.is_empty())
    }

    /// What last fired before this is an alert of nobody's any more.
    fn since(&self) -> Timestamp {
        Timestamp::now().checked_sub(self.quiet_after).unwrap_or(Timestamp::MIN)
    }
}

impl<R: Receiver> Alerter for Notifier<R> {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        self.repeat();
        let group = Group::of_flow(flow, severity);
        let fired = self.0.book.fire(flow, severity);
        if let Reply::Ready(Some(Ok(_))) = &fired {
            self.0.changes.fetch_add(1, Ordering::AcqRel);
            if self.0.is_told(&group) {
                // In a storm nobody waits for the receiver.
                return fired;
            }
        }
        let inner = Arc::clone(&self.0);
        Reply::pending(async move {
            let change = fired.await?;
            inner.record_outcome().await?;
            Ok(change)
        })
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        self.repeat();
        let resolved = self.0.book.resolve(flow);
        if let Reply::Ready(Some(Ok(AlertChange::NotOpen))) = &resolved {
            return resolved;
        }
        let inner = Arc::clone(&self.0);
        Reply::pending(async move {
            let change = resolved.await?;
            if change == AlertChange::Resolved {
                inner.record_outcome().await?;
            }
            Ok(change)
        })
    }

    fn open(&self) -> Reply<Vec<Alert>> {
        self.0.book.open()
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.0.book.resolved(limit)
    }
}

impl<R> Clone for Notifier<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Receiver> fmt::Debug for Notifier<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier")
            .field("receiver", &self.0.receiver)
            .field("firing", &self.0.told().len())
            .field("book", &self.0.book)
            .finish()
    }
}
