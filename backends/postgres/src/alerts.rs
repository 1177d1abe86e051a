//! The alert store, which several processes can share; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, Page, Reply},
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
async fn resolve(connection: &mut PgConnection, flow: &Flow) -> Result<Vec<Alert>, sqlx::Error> {
    let incident = flow.incident().to_string();
    // Every success checks, and few find an alert.
    if Tables::open_alert(connection, &incident).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut transaction = begin_alone(connection, LOCK, &incident).await?;
    let mut resolved = Vec::new();
    if let Some((alert, storm)) = Tables::resolve(&mut transaction, flow).await? {
        resolved.push(alert);
        if let Some(storm) = storm {
            lock(&mut transaction, STORM, &storm).await?;
            resolved.extend(Tables::resolve_summary(&mut transaction, storm, flow).await?);
        }
        Tables::delete_old_alerts(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(resolved)
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
        let (flow, logged) = (Arc::clone(flow), Arc::clone(flow));
        let resolved = self.run(move |connection| Box::pin(async move { resolve(connection, &flow).await }));
        resolved.map(move |resolved| {
            for alert in &resolved {
                alert.log_resolved(&logged);
            }
            if resolved.is_empty() { AlertChange::NotOpen } else { AlertChange::Resolved }
        })
    }

    fn open(&self, after: Option<IncidentCursor>, limit: usize) -> Reply<Page<Alert, IncidentCursor>> {
        self.run(move |connection| Box::pin(Tables::open_alerts(connection, after, limit)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.run(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
