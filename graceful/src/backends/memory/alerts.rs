//! The in-memory alert store.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, RwLock},
};

use jiff::Timestamp;

use super::{DEFAULT_CAPACITY, ordered::Ordered, unpoisoned};
use crate::{
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply},
    flow::{Flow, Incident, Severity},
};

const DEFAULT_RESOLVED: usize = 1000;

/// An in-memory alert store with at most one open alert per incident, and a summary in a [storm](crate::Incident::storm). It logs each
/// change.
///
/// Firing logs an event on the target `graceful::alert`, at the level of the severity (critical and error: `ERROR`, warning: `WARN`,
/// info: `INFO`), and resolving logs one at `INFO`. The fields are `entity`, `handler`, `code`, `severity`, `flow` and `count`. When it is
/// full, the alert that fired first is evicted, and with the last single alert of a storm the summary.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Success,
///     backends::{Alerter, IncidentFilter, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let alerts = memory::Alerts::new();
/// let orchestrator = Orchestrator::builder().service("users").alerts(alerts.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
/// let open = alerts.open(IncidentFilter::default(), None, 10).await?;
/// assert_eq!(open.items[0].message, "disk full");
///
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// assert!(alerts.open(IncidentFilter::default(), None, 10).await?.items.is_empty());
/// assert!(alerts.resolved(10).await?[0].resolved_at.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Alerts(Arc<Inner>);

struct Inner {
    // A lock for many readers: every success asks for its incident's alert, and few find one.
    open: RwLock<Ordered<Alert>>,
    resolved: Mutex<VecDeque<Alert>>,
    resolved_capacity: usize,
}

impl Alerts {
    /// Creates a store of 10 000 open alerts and the last 1000 resolved ones.
    ///
    /// ```
    /// let alerts = graceful::backends::memory::Alerts::new();
    /// ```
    pub fn new() -> Self {
        Self::bounded(DEFAULT_CAPACITY, DEFAULT_RESOLVED)
    }

    /// Creates a store of this many open alerts, and as many resolved ones.
    ///
    /// ```
    /// let alerts = graceful::backends::memory::Alerts::with_capacity(100);
    /// ```
    pub fn with_capacity(alerts: usize) -> Self {
        Self::bounded(alerts, alerts.max(1))
    }

    fn bounded(open: usize, resolved_capacity: usize) -> Self {
        let (open, resolved) = (RwLock::new(Ordered::new(open)), Mutex::default());
        Self(Arc::new(Inner { open, resolved, resolved_capacity }))
    }

    /// How many open alerts were evicted.
    ///
    /// ```
    /// assert_eq!(graceful::backends::memory::Alerts::new().dropped(), 0);
    /// ```
    pub fn dropped(&self) -> u64 {
        unpoisoned(self.0.open.read()).dropped()
    }

    /// Resolves the open alert of an incident, and with the last single one of a storm the summary.
    fn end(&self, incident: &Incident, at: Timestamp, log: impl Fn(&Alert)) -> AlertChange {
        if !unpoisoned(self.0.open.read()).contains(incident) {
            return AlertChange::NotOpen;
        }
        // Another task may have resolved it since.
        let Some((alert, summary)) = unpoisoned(self.0.open.write()).close(incident) else {
            return AlertChange::NotOpen;
        };
        for alert in std::iter::once(alert).chain(summary) {
            let alert = Alert { resolved_at: Some(at), ..alert };
            let mut resolved = unpoisoned(self.0.resolved.lock());
            if resolved.len() >= self.0.resolved_capacity {
                resolved.pop_front();
            }
            resolved.push_back(alert.clone());
            drop(resolved);
            log(&alert);
        }
        AlertChange::Resolved
    }
}

impl Alerter for Alerts {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        let incident = flow.incident();
        let (mut change, mut worst, mut count) = (AlertChange::Opened, severity, 1);
        unpoisoned(self.0.open.write()).put(incident, flow.code(), |incident, open| {
            let alert = match open {
                None if incident.is_storm() => Alert::summarised(flow, severity),
                None => Alert::opened(flow, severity),
                Some(open) => {
                    change = AlertChange::Repeated;
                    open.repeated(flow, severity)
                }
            };
            (worst, count) = (alert.severity, alert.count);
            (alert.fired_at, alert)
        });
        // Logs outside of the lock, because a subscriber may run any code.
        Alert::log_fired(flow, worst, count);
        Reply::ready(change)
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        Reply::ready(self.end(&flow.incident(), flow.timestamp(), |alert| alert.log_resolved(flow)))
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        Reply::ready(self.end(incident, Timestamp::now(), Alert::log_closed))
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        let open = unpoisoned(self.0.open.read());
        let read = |_: &Incident, alert: &Alert| alert.clone();
        Reply::ready(open.page(&filter, after.as_ref(), limit, read, |alert| alert.fired_at))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        Reply::ready(unpoisoned(self.0.resolved.lock()).iter().rev().take(limit).cloned().collect())
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, resolved) =
            (unpoisoned(self.0.open.read()).len(), unpoisoned(self.0.resolved.lock()).len());
        f.debug_struct("Alerts").field("open", &open).field("resolved", &resolved).finish()
    }
}

#[cfg(test)]
mod tests;
