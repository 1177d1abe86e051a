//! The alert store, which several processes can share; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, Reply},
};
use sqlx::PgConnection;

use super::{Store, Tables, begin_alone};

/// There may be no row yet that could be locked.
const LOCK: &str = "graceful_alerts ";

async fn fire(
    connection: &mut PgConnection,
    flow: &Flow,
    severity: Severity,
) -> Result<(Alert, AlertChange), sqlx::Error> {
    let mut transaction = begin_alone(connection, LOCK, &flow.incident().to_string()).await?;
    let fired = Tables::fire(&mut transaction, flow, severity).await?;
    transaction.commit().await?;
    Ok(fired)
}

async fn resolve(connection: &mut PgConnection, flow: &Flow) -> Result<Option<Alert>, sqlx::Error> {
    let incident = flow.incident().to_string();
    // Every success checks, and few find an alert.
    if Tables::open_alert(connection, &incident).await?.is_none() {
        return Ok(None);
    }
    let mut transaction = begin_alone(connection, LOCK, &incident).await?;
    let resolved = Tables::resolve(&mut transaction, flow).await?;
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
        resolved.map(move |alert| {
            let Some(alert) = alert else { return AlertChange::NotOpen };
            alert.log_resolved(&logged);
            AlertChange::Resolved
        })
    }

    fn open(&self) -> Reply<Vec<Alert>> {
        self.run(|connection| Box::pin(Tables::open_alerts(connection)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.run(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
