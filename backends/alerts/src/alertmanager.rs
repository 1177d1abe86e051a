//! Alerts to Prometheus' Alertmanager, through its API v2.
//!
//! Feature `alertmanager`.

use std::{fmt, sync::Arc, time::Duration};

use graceful_http::{self as http, Http, origin};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use graceful::{
    Flow, Incident, Severity, StepError,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply},
};

use crate::notify::{self, Checked, Notice, Notifier, Receiver};

const EXPIRES_AFTER: Duration = Duration::from_secs(60 * 60);

/// Sends alerts to Prometheus' Alertmanager, and resolves them there.
///
/// All alerts with the same failure become one alert of the Alertmanager. Its labels are `alertname` (`GracefulFlowFailed`),
/// `service`, `environment`, `pattern`, `handler` (the handler's identity, or the incident that it shares), `code` and `severity`. Its
/// annotations describe the newest of these alerts (`entity`, `flow`, `description`) and contain the numbers of entities and failures
/// (`entities`, `count`); with the summary of a [storm](graceful::Incident::storm) the first is a lower bound, such as `20+`. It is
/// resolved when no entity has such an open alert any more.
///
/// The [alert store](Builder::alert_store) contains the open alerts of the entities. Default: [`memory::Alerts`](graceful::backends::memory::Alerts).
/// With a store that survives a restart, an `Ok` after the restart still resolves the alert. With a store that all processes of
/// a service share, an `Ok` in any of them resolves it.
///
/// An Alertmanager drops an alert when it restarts, or at the alert's `endsAt`. So open alerts are sent again each minute, in the
/// background. An alert that could not be sent is retried at the same time; the step of its flow has failed.
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_alerts::alertmanager::Alertmanager;
///
/// let alerts = Alertmanager::builder("http://alertmanager.example.org:9093").label("team", "identity").build()?;
/// let orchestrator = Orchestrator::builder().service("users").environment("prod").alerts(alerts).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Alertmanager(Notifier<Api>);

/// Builds an [`Alertmanager`].
///
/// ```
/// let builder = graceful_alerts::alertmanager::Alertmanager::builder("http://ada:secret@127.0.0.1:9093");
/// assert!(!format!("{builder:?}").contains("secret"));
/// ```
#[must_use]
pub struct Builder {
    url: String,
    http: http::Settings,
    notify: notify::Settings,
    labels: Vec<(String, String)>,
    expires_after: Duration,
}

impl Alertmanager {
    /// Starts the settings of the Alertmanager at this URL, without `/api/v2`. User and password in the URL are used, but never shown.
    ///
    /// ```
    /// use graceful_alerts::alertmanager::Alertmanager;
    ///
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder {
            url: url.into(),
            http: http::Settings::new(),
            notify: notify::Settings::new(),
            labels: Vec::new(),
            expires_after: EXPIRES_AFTER,
        }
    }
}

impl Builder {
    /// Adds a label to all alerts.
    ///
    /// ```
    /// # use graceful_alerts::alertmanager::Alertmanager;
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").label("team", "identity").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Authenticates by HTTP Basic.
    ///
    /// ```
    /// # use graceful_alerts::alertmanager::Alertmanager;
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").basic_auth("users", "secret").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.http.basic_auth(user.into(), password.into());
        self
    }

    /// Authenticates by a bearer token.
    ///
    /// ```
    /// # use graceful_alerts::alertmanager::Alertmanager;
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").bearer_auth("token").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn bearer_auth(mut self, token: impl Into<String>) -> Self {
        self.http.bearer_auth(token.into());
        self
    }

    /// Sets the timeout of a request. Default: 900 ms, of which 500 ms to connect.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout(timeout);
        self
    }

    /// Sets how often open alerts are sent again. Default: each minute.
    pub fn repeat_every(mut self, time: Duration) -> Self {
        self.notify.every = time;
        self
    }

    /// Sets the `endsAt` of an alert: how long it stays active after it was last sent, e.g. since the process has ended. Default: 1 hour.
    ///
    /// ```
    /// # use graceful_alerts::alertmanager::Alertmanager;
    /// let minutes = std::time::Duration::from_secs(5 * 60);
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").expires_after(minutes).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires_after = time;
        self
    }

    /// Sets how long after its last failure an entity counts as failing if it has no `Ok`. Default: 24 hours.
    pub fn quiet_after(mut self, time: Duration) -> Self {
        self.notify.quiet_after = time;
        self
    }

    /// Sets the store of the open alerts. Default: [`memory::Alerts`](graceful::backends::memory::Alerts), whose contents are lost with
    /// the process.
    ///
    /// ```
    /// use graceful::backends::memory;
    /// use graceful_alerts::alertmanager::Alertmanager;
    ///
    /// let alert_store = memory::Alerts::with_capacity(100);
    /// let alerts = Alertmanager::builder("http://127.0.0.1:9093").alert_store(alert_store).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn alert_store(mut self, alert_store: impl Alerter) -> Self {
        self.notify.alert_store = Some(Arc::new(alert_store));
        self
    }

    /// Builds the alerter. Inside a Tokio runtime it sends the open alerts of the alert store at once.
    ///
    /// # Errors
    /// Fails if the URL is invalid or its scheme is not `http` or `https`, or if the name of a label is invalid in Prometheus.
    ///
    /// ```
    /// # use graceful_alerts::alertmanager::Alertmanager;
    /// let error = Alertmanager::builder("http://127.0.0.1:9093").label("the team", "x").build().unwrap_err();
    /// assert_eq!(error.message(), "`the team` is not a valid label name: use letters, digits and `_`, and do not begin with a digit");
    /// ```
    pub fn build(self) -> Result<Alertmanager, StepError> {
        let alert_store = self.notify.alert_store.clone();
        self.checked().map(|checked| Alertmanager(checked.notifier(alert_store)))
    }

    /// Checks all settings, without sending anything.
    pub(crate) fn checked(mut self) -> Result<Checked<Api>, StepError> {
        let mut url = self.http.url(&self.url)?;
        let path = format!("{}/api/v2/alerts", url.path().trim_end_matches('/'));
        url.set_path(&path);
        for (name, _) in &self.labels {
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                let what =
                    "is not a valid label name: use letters, digits and `_`, and do not begin with a digit";
                return Err(StepError::new(format!("`{name}` {what}")));
            }
        }
        let http = self.http.connect()?;
        let api = Api { http, url, labels: self.labels, expires_after: self.expires_after };
        Ok(Checked::new(api, self.notify))
    }
}

/// `POST /api/v2/alerts`.
pub(crate) struct Api {
    http: Http,
    url: Url,
    labels: Vec<(String, String)>,
    expires_after: Duration,
}

impl Receiver for Api {
    const FORGETS: bool = true;

    async fn send(&self, notice: &Notice) -> Result<(), StepError> {
        let body = json!([self.alert(notice)]).to_string();
        self.http.post(&self.url, "application/json", [], body).await.map(drop)
    }
}

impl Api {
    fn alert(&self, notice: &Notice) -> Value {
        let Notice { group, since, resolved_at, count, message, entity, flow, .. } = notice;
        let own = [
            ("alertname", "GracefulFlowFailed"),
            ("service", &group.service),
            ("environment", &group.environment),
            ("pattern", &group.pattern),
            ("handler", &group.owner),
            ("code", group.code.as_str()),
            ("severity", group.severity.as_str()),
        ];
        let given = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // To Prometheus an empty label is a missing label.
        let labels: Map<String, Value> = given
            .chain(own)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let ends_at = resolved_at
            .unwrap_or_else(|| Timestamp::now().checked_add(self.expires_after).unwrap_or(Timestamp::MAX));
        json!({
            "labels": labels,
            "annotations": {
                "summary": format!("{} of {} fails: {}", group.pattern, group.service, group.code),
                "description": message,
                "entity": entity.to_string(),
                "entities": notice.entities().to_string(),
                "count": count.to_string(),
                "flow": flow.to_string(),
            },
            // The Alertmanager refuses an alert that starts after its end, and the clock of the failing process may be ahead.
            "startsAt": since.min(&ends_at),
            "endsAt": ends_at,
        })
    }
}

impl Alerter for Alertmanager {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        self.0.fire(flow, severity)
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        self.0.resolve(flow)
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.0.close(incident)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.0.open(filter, after, limit)
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.0.resolved(limit)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alertmanager")
            .field("server", &origin(&self.url))
            .field("http", &self.http)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL is not parsed yet, so a password in it could not be hidden.
        f.debug_struct("Builder")
            .field("http", &self.http)
            .field("notify", &self.notify)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}
