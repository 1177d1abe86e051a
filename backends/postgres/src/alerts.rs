//! The alert store, which several processes can share; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Incident, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply, Timestamp},
};
use sqlx::PgConnection;

use super::{Store, Tables, begin_alone, lock};

/// There may be no row yet that could be locked.
const LOCK: &str = "graceful_alerts ";

/// A transaction that has the lock of a storm locks nothing else, so two never wait for each other.
const STORM: &str = "graceful_alert_storms ";

async fn fire(
    connection: &mut PgConnection,
    flow: &Flow,
    severity: Severity,
) -> Result<(Alert, AlertChange), sqlx::Error> {
    let incident = flow.incident();
    let mut transaction = begin_alone(connection, LOCK, &incident.to_string()).await?;
    let fired = match Tables::fire_again(&mut transaction, flow, severity).await? {
        Some(alert) => (alert, AlertChange::Repeated),
        None => {
            lock(&mut transaction, STORM, &incident.storm(flow.code()).to_string()).await?;
            Tables::fire_first(&mut transaction, flow, severity).await?
        }
    };
    transaction.commit().await?;
    Ok(fired)
}

/// Returns what it resolved: also the summary, with the last alert of a storm.
async fn resolve(
    connection: &mut PgConnection,
    incident: &Incident,
    at: Timestamp,
) -> Result<Vec<Alert>, sqlx::Error> {
    let name = incident.to_string();
    // Every success checks, and few find an alert.
    if Tables::open_alert(connection, &name).await?.is_none() {
        return Ok(Vec::new());
    }
    // The flows that are counted on a summary have the lock of its storm, and none of the summary's own.
    let lock_of = if incident.is_storm() { STORM } else { LOCK };
    let mut transaction = begin_alone(connection, lock_of, &name).await?;
    let mut resolved = Vec::new();
    if let Some((alert, storm)) = Tables::resolve(&mut transaction, name, at).await? {
        resolved.push(alert);
        if let Some(storm) = storm {
            lock(&mut transaction, STORM, &storm).await?;
            resolved.extend(Tables::resolve_summary(&mut transaction, storm, at).await?);
        }
        Tables::delete_old_alerts(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(resolved)
}

impl Store {
    /// Resolves the alert of an incident, and logs what it resolved.
    fn end_alert(
        &self,
        incident: Incident,
        at: Timestamp,
        log: impl Fn(&Alert) + Send + 'static,
    ) -> Reply<AlertChange> {
        let resolved =
            self.run(move |connection| Box::pin(async move { resolve(connection, &incident, at).await }));
        resolved.map(move |resolved| {
            resolved.iter().for_each(log);
            if resolved.is_empty() { AlertChange::NotOpen } else { AlertChange::Resolved }
        })
    }
}

impl Alerter for Store {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        let (flow, logged) = (Arc::clone(flow), Arc::clone(flow));
        let fired =
            self.run(move |connection| Box::pin(async move { fire(connection, &flow, severity).await }));
        fired.map(move |(alert, change)| {
            Alert::log_fired(&logged, alert.severity, alert.count);
            change
        })
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        let logged = Arc::clone(flow);
        self.end_alert(flow.incident(), flow.timestamp(), move |alert| alert.log_resolved(&logged))
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.end_alert(incident.clone(), Timestamp::now(), Alert::log_closed)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.run(move |connection| Box::pin(Tables::open_alerts(connection, filter, after, limit)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.run(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
