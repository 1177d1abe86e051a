//! The trait of alert stores, and of backends that send alerts to a receiver.

use std::{fmt::Debug, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    backends::{IncidentCursor, IncidentFilter, Page, Reply},
    code::Code,
    escape::escaped,
    flow::{Flow, Incident, Severity},
    key::Key,
    text::{Text, text},
};

/// The beginning of the message of a summary, before that of the last error.
const BEYOND: &str = "further entities fail, beyond 20 open alerts: ";

/// An alert of an [`Alerter`].
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Severity,
///     backends::{Alerter, IncidentFilter, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let alerts = memory::Alerts::new();
/// let orchestrator = Orchestrator::builder().service("users").alerts(alerts.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let alert = alerts.open(IncidentFilter::default(), None, 10).await?.items.remove(0);
/// assert_eq!((alert.entity.id(), alert.severity, alert.count), ("42", Severity::Error, 1));
/// assert_eq!(alert.resolved_at, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// The entity that it is about; at most one alert is open per entity and owner. That of a summary is no entity's key.
    pub entity: Key,
    /// The handler's identity, or the incident that it shares; see [`Incident`].
    #[serde(default)]
    pub owner: Text,
    /// The environment of the service; empty if none is configured.
    #[serde(default)]
    pub environment: Text,
    /// The highest severity of all failures of this alert.
    pub severity: Severity,
    /// The code of the last error.
    pub code: Code,
    /// The message of the last error.
    pub message: Text,
    /// How many flows fired it.
    pub count: u64,
    /// When it first fired.
    pub fired_at: Timestamp,
    /// When it last fired.
    pub last_fired_at: Timestamp,
    /// When it was resolved; `None` while it is open.
    pub resolved_at: Option<Timestamp>,
    /// The last flow that fired it.
    pub flow: Uuid,
    /// Whether it is the summary of a [storm](Incident::storm): its count is the number of flows of all entities that have no alert of
    /// their own.
    #[serde(default)]
    pub summary: bool,
}

impl Alert {
    /// The incident of the alert.
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, backends::IncidentFilter};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").handler("update_user").id(42).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
    /// let alerts = orchestrator.alerts().unwrap();
    /// let alert = alerts.open(IncidentFilter::default(), None, 10).await.unwrap().items.remove(0);
    /// assert_eq!(alert.incident(), report.flow().incident());
    /// # });
    /// ```
    pub fn incident(&self) -> Incident {
        Incident::new(self.entity.clone(), self.owner.clone())
    }

    /// Creates an open alert, which has fired once. Its message and its environment are empty.
    pub fn new(incident: &Incident, severity: Severity, code: Code, flow: Uuid, fired_at: Timestamp) -> Self {
        Self {
            entity: incident.entity().clone(),
            owner: incident.owner().clone(),
            environment: Text::default(),
            severity,
            code,
            message: Text::default(),
            count: 1,
            fired_at,
            last_fired_at: fired_at,
            resolved_at: None,
            flow,
            summary: incident.is_storm(),
        }
    }

    /// The alert of an incident that had no open one.
    pub fn opened(flow: &Flow, severity: Severity) -> Self {
        Self {
            environment: flow.origin.environment.clone(),
            message: flow.message.clone(),
            ..Self::new(&flow.incident(), severity, flow.code(), flow.id(), flow.timestamp())
        }
    }

    /// The summary of a storm that had no open one, for the flow of an entity that gets no alert of its own.
    pub fn summarised(flow: &Flow, severity: Severity) -> Self {
        let storm = flow.incident().storm(flow.code());
        Self {
            environment: flow.origin.environment.clone(),
            message: text!("{BEYOND}{}", flow.message),
            ..Self::new(&storm, severity, flow.code(), flow.id(), flow.timestamp())
        }
    }

    /// The open alert after it has fired again for this flow. A flow that was delivered again is not counted twice.
    #[must_use]
    pub fn repeated(&self, flow: &Flow, severity: Severity) -> Self {
        let message = match self.message.strip_prefix(BEYOND) {
            // In a storm, most failures have the same message.
            Some(last) if self.summary && *last == *flow.message => self.message.clone(),
            _ if self.summary => text!("{BEYOND}{}", flow.message),
            _ => flow.message.clone(),
        };
        Self {
            environment: flow.origin.environment.clone(),
            severity: self.severity.max(severity),
            code: flow.code(),
            message,
            // A relay may deliver the same flow again.
            count: self.count + u64::from(self.flow != flow.id()),
            last_fired_at: flow.timestamp(),
            flow: flow.id(),
            ..self.clone()
        }
    }

    /// The place behind this open alert in a page of [`Alerter::open`].
    pub fn cursor(&self) -> IncidentCursor {
        IncidentCursor::new(self.fired_at, &self.incident())
    }

    /// Logs an alert that fired, at the level of its severity, with the target `graceful::alert`.
    pub fn log_fired(flow: &Flow, severity: Severity, count: u64) {
        let incident = flow.incident();
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    target: "graceful::alert",
                    entity = %incident.entity(),
                    handler = flow.handler(),
                    code = %flow.code(),
                    severity = severity.as_str(),
                    flow = %flow.id(),
                    count,
                    "{}",
                    escaped(flow.message())
                )
            };
        }
        match severity {
            Severity::Critical | Severity::Error => log!(error),
            Severity::Warning => log!(warn),
            Severity::Info => log!(info),
        }
    }

    /// Logs that an operator has closed the alert, at `INFO`, with the target `graceful::alert`.
    pub fn log_closed(&self) {
        tracing::info!(
            target: "graceful::alert",
            entity = %self.entity,
            handler = &*self.owner,
            code = %self.code,
            severity = self.severity.as_str(),
            flow = %self.flow,
            count = self.count,
            "closed by an operator: {}",
            escaped(&self.message)
        );
    }

    /// Logs that the alert is resolved, at `INFO`, with the target `graceful::alert`.
    pub fn log_resolved(&self, flow: &Flow) {
        tracing::info!(
            target: "graceful::alert",
            entity = %self.entity,
            handler = flow.handler(),
            code = %flow.code(),
            severity = self.severity.as_str(),
            flow = %flow.id(),
            count = self.count,
            "resolved: {}",
            escaped(&self.message)
        );
    }
}

/// How a call changed an alert.
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator, Severity,
///     backends::{AlertChange, Alerter, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::in_memory();
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let alerts = memory::Alerts::new();
/// assert_eq!(alerts.fire(report.flow(), Severity::Error).await?, AlertChange::Opened);
/// assert_eq!(alerts.fire(report.flow(), Severity::Error).await?, AlertChange::Repeated);
/// assert_eq!(alerts.resolve(report.flow()).await?, AlertChange::Resolved);
/// assert_eq!(alerts.resolve(report.flow()).await?, AlertChange::NotOpen);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertChange {
    /// A new alert was opened; in a storm that may be the summary.
    Opened,
    /// The open alert fired again.
    Repeated,
    /// The open alert was resolved.
    Resolved,
    /// The incident has no open alert. In a storm its failures may be counted on the summary.
    NotOpen,
}

/// Fires alerts and resolves them: an alert store, or a backend that sends the contents of an alert store to a receiver.
///
/// Alert state must be shared between processes; otherwise an `Ok` in one process does not resolve an alert fired by another.
///
/// In a [storm](Incident::storm), if an entity has no open alert and [`STORM_LIMIT`](super::STORM_LIMIT) single alerts of the storm are open, its flow is counted
/// on the open *summary* of the storm, or opens it. An alert belongs to the storm of the code with which it was opened. The suite
/// `graceful_testing::conformance::alerter` checks a store for these rules.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Failure, Flow, Incident, OrchestrationConfig, Orchestrator, Severity,
///     backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes alerts to the standard error, and stores none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl Alerter for Print {
///     fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
///         eprintln!("{}: {}: {}", severity.as_str(), flow.entity(), flow.message());
///         Reply::ready(AlertChange::Opened)
///     }
///
///     fn resolve(&self, _: &Arc<Flow>) -> Reply<AlertChange> {
///         Reply::ready(AlertChange::NotOpen)
///     }
///
///     fn close(&self, _: &Incident) -> Reply<AlertChange> {
///         Reply::ready(AlertChange::NotOpen)
///     }
///
///     fn open(
///         &self,
///         _: IncidentFilter,
///         _: Option<IncidentCursor>,
///         _: usize,
///     ) -> Reply<Page<Alert, IncidentCursor>> {
///         Reply::ready(Page { items: Vec::new(), next: None })
///     }
///
///     fn resolved(&self, _: usize) -> Reply<Vec<Alert>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").alerts(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait Alerter: Debug + Send + Sync + 'static {
    /// Fires the alert of the flow's [incident](Flow::incident), or in a storm the summary. A flow that is delivered again is not counted
    /// again.
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange>;
    /// Resolves the open alert of the flow's [incident](Flow::incident): never that of another handler. With the last single alert of a
    /// storm it also resolves the summary.
    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange>;
    /// Resolves the open alert of an incident, as an operator decides, at the present time: `Resolved`, or `NotOpen` if none is open. With the
    /// last single alert of a storm it also resolves the summary. The summary can be resolved by its own incident; the single alerts stay
    /// open, and the next flow beyond them opens a new summary. The next failure of the incident opens a new alert.
    ///
    /// ```
    /// use graceful::{
    ///     Code, Failure, OrchestrationConfig, Orchestrator,
    ///     backends::{AlertChange, Alerter, memory},
    /// };
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let alerts = memory::Alerts::new();
    /// let orchestrator = Orchestrator::builder().service("users").alerts(alerts.clone()).build()?;
    /// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
    ///
    /// let incident = report.flow().incident();
    /// assert_eq!(alerts.close(&incident).await?, AlertChange::Resolved);
    /// assert_eq!(alerts.close(&incident).await?, AlertChange::NotOpen);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn close(&self, incident: &Incident) -> Reply<AlertChange>;
    /// Returns a page of the open alerts that a filter selects, by the time at which they first fired and the names of their incidents, behind
    /// a cursor. An alert that is opened or resolved meanwhile may be missing or be on two pages.
    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>>;
    /// Lists up to `limit` resolved alerts, newest first.
    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>>;
}
