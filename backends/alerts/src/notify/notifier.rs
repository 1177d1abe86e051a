//! Decides when a notice is sent.

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
    Flow, Incident, Severity, StepError,
    backends::{
        Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, ProcessRole, Reply, memory,
    },
};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::{Group, Notice, Receiver, group::grouped};

const EVERY: Duration = Duration::from_secs(60);
const QUIET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How many resolved alerts are read when a process starts.
const RESOLVED: usize = 1000;
/// How many open alerts are read at once.
const PAGE: usize = 1000;

/// The settings of a [`Notifier`].
#[derive(Debug)]
pub struct Settings {
    pub alert_store: Option<Arc<dyn Alerter>>,
    pub every: Duration,
    pub quiet_after: Duration,
}

impl Settings {
    pub const fn new() -> Self {
        Self { alert_store: None, every: EVERY, quiet_after: QUIET_AFTER }
    }
}

/// A receiver with valid settings.
pub struct Checked<R>(R, Settings);

impl<R: Receiver> Checked<R> {
    pub fn new(receiver: R, settings: Settings) -> Self {
        Self(receiver, settings)
    }

    pub fn notifier(self, alert_store: Option<Arc<dyn Alerter>>) -> Notifier<R> {
        Notifier::new(self.0, Settings { alert_store, ..self.1 })
    }

    /// An alerter in front of the given alert store.
    pub fn over(self, alert_store: Option<Arc<dyn Alerter>>) -> Arc<dyn Alerter> {
        Arc::new(self.notifier(alert_store))
    }
}

/// Sends the alerts of the alert store to a receiver.
pub struct Notifier<R>(Arc<Inner<R>>);

struct Inner<R> {
    receiver: R,
    alert_store: Arc<dyn Alerter>,
    every: Duration,
    quiet_after: Duration,
    /// The groups that are firing at the receiver.
    sent: Mutex<HashMap<Group, Sent>>,
    /// Counts the changes of the alert store.
    changes: AtomicU64,
    /// One task at a time sends; it sends the changes of the tasks that wait for it, too.
    sending: tokio::sync::Mutex<Sending>,
    is_repeating: AtomicBool,
}

struct Sent {
    notice: Notice,
    at: Instant,
}

#[derive(Default)]
struct Sending {
    has_begun: bool,
    /// The number of changes that the last task has sent.
    seen: u64,
    result: Option<StepError>,
}

impl<R: Receiver> Notifier<R> {
    pub fn new(receiver: R, settings: Settings) -> Self {
        let notifier = Self(Arc::new(Inner {
            receiver,
            alert_store: settings.alert_store.unwrap_or_else(|| Arc::new(memory::Alerts::new())),
            every: settings.every,
            quiet_after: settings.quiet_after,
            sent: Mutex::default(),
            changes: AtomicU64::new(0),
            sending: tokio::sync::Mutex::default(),
            is_repeating: AtomicBool::new(false),
        }));
        // Alerts that were open when the last process ended are sent again, even if no flow ends.
        notifier.repeat();
        notifier
    }

    /// Sends again at intervals: alerts that the receiver would drop, and notices that could not be sent.
    fn repeat(&self) {
        if self.0.is_repeating.load(Ordering::Relaxed) || !ProcessRole::current().runs_work() {
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
        if let Err(error) = notifier.synchronise().await {
            tracing::warn!(target: "graceful::alert", %error, "sending alerts to the receiver failed");
        }
        drop(notifier);
        tokio::time::sleep(every).await;
    }
}

impl<R: Receiver> Inner<R> {
    fn sent(&self) -> MutexGuard<'_, HashMap<Group, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_sent(&self, group: &Group) -> bool {
        self.sent().contains_key(group)
    }

    /// Sends the changes until now to the receiver.
    ///
    /// If the future is dropped half-way, `sent` holds what was sent, and the next call sends the rest.
    async fn synchronise(&self) -> Result<(), StepError> {
        let mine = self.changes.fetch_add(1, Ordering::AcqRel) + 1;
        let mut sending = self.sending.lock().await;
        if sending.seen < mine {
            let result = loop {
                let seen = self.changes.load(Ordering::Acquire);
                let result = self.send(&mut sending.has_begun).await;
                sending.seen = seen;
                // A failure may have skipped its notice because its group was still firing while this call resolved it.
                if !matches!(result, Ok(true)) || self.changes.load(Ordering::Acquire) == seen {
                    break result;
                }
            };
            sending.result = result.err();
        }
        sending.result.clone().map_or(Ok(()), Err)
    }

    /// Loads alerts that were resolved recently: the last process may have ended before it sent the resolution.
    async fn remember(&self, since: Timestamp) -> Result<(), StepError> {
        if !R::FORGETS {
            return Ok(());
        }
        let resolved = self.alert_store.resolved(RESOLVED).await?;
        let recent = resolved.iter().filter(|alert| alert.resolved_at.is_some_and(|at| at >= since));
        let at = Instant::now();
        self.sent().extend(grouped(recent).into_iter().map(|(group, notice)| (group, Sent { notice, at })));
        Ok(())
    }

    /// Reads all open alerts, page by page.
    async fn open(&self) -> Result<Vec<Alert>, StepError> {
        let (mut open, mut after) = (Vec::new(), None);
        loop {
            let page = self.alert_store.open(IncidentFilter::default(), after, PAGE).await?;
            open.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(open);
            }
        }
    }

    /// Sends the difference, and returns whether a group was resolved.
    async fn send(&self, has_begun: &mut bool) -> Result<bool, StepError> {
        let (open, since) = (self.open().await?, self.since());
        if !*has_begun {
            // The open alerts are read first, so an alert that is resolved in between is read twice instead of never.
            self.remember(since).await?;
            *has_begun = true;
        }
        let firing = grouped(open.iter().filter(|alert| alert.last_fired_at >= since));
        let closed: Vec<Notice> = {
            let sent = self.sent();
            let closed = sent.iter().filter(|(group, _)| !firing.contains_key(group));
            closed.map(|(_, sent)| sent.notice.clone()).collect()
        };
        for notice in &closed {
            let resolved = Notice { resolved_at: Some(Timestamp::now()), ..notice.clone() };
            self.receiver.send(&resolved).await?;
            self.sent().remove(&notice.group);
        }
        for (group, notice) in firing {
            let is_known = match self.sent().get(&group) {
                Some(sent) => !R::FORGETS || sent.at.elapsed() < self.every,
                None => false,
            };
            if !is_known {
                self.receiver.send(&notice).await?;
                self.sent().insert(group, Sent { notice, at: Instant::now() });
            }
        }
        Ok(!closed.is_empty())
    }

    /// Alerts that last fired before this time count as resolved.
    fn since(&self) -> Timestamp {
        Timestamp::now().checked_sub(self.quiet_after).unwrap_or(Timestamp::MIN)
    }
}

impl<R: Receiver> Alerter for Notifier<R> {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        self.repeat();
        let group = Group::of_flow(flow, severity);
        let fired = self.0.alert_store.fire(flow, severity);
        if let Reply::Ready(Some(Ok(_))) = &fired {
            self.0.changes.fetch_add(1, Ordering::AcqRel);
            if self.0.is_sent(&group) {
                // The group is firing already, so there is no notice to wait for.
                return fired;
            }
        }
        let inner = Arc::clone(&self.0);
        Reply::pending(async move {
            let change = fired.await?;
            inner.synchronise().await?;
            Ok(change)
        })
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        self.repeat();
        let resolved = self.0.alert_store.resolve(flow);
        if let Reply::Ready(Some(Ok(AlertChange::NotOpen))) = &resolved {
            return resolved;
        }
        let inner = Arc::clone(&self.0);
        Reply::pending(async move {
            let change = resolved.await?;
            if change == AlertChange::Resolved {
                inner.synchronise().await?;
            }
            Ok(change)
        })
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.repeat();
        let closed = self.0.alert_store.close(incident);
        if !ProcessRole::current().runs_work() {
            // The processes of the service know what the receiver was sent; they send the difference.
            return closed;
        }
        let inner = Arc::clone(&self.0);
        Reply::pending(async move {
            let change = closed.await?;
            if change == AlertChange::Resolved {
                inner.synchronise().await?;
            }
            Ok(change)
        })
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.0.alert_store.open(filter, after, limit)
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.0.alert_store.resolved(limit)
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
            .field("firing", &self.0.sent().len())
            .field("alert_store", &self.0.alert_store)
            .finish()
    }
}
