//! The alert store; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, Page, Reply},
};

use sqlx::SqliteConnection;

use super::{Store, Tables};

async fn fire(
    connection: &mut SqliteConnection,
    flow: &Flow,
    severity: Severity,
) -> Result<(Alert, AlertChange), sqlx::Error> {
    match Tables::fire_again(connection, flow, severity).await? {
        Some(alert) => Ok((alert, AlertChange::Repeated)),
        None => Tables::fire_first(connection, flow, severity).await,
    }
}

/// Returns what it resolved: also the summary, with the last alert of a storm.
async fn resolve(connection: &mut SqliteConnection, flow: &Flow) -> Result<Vec<Alert>, sqlx::Error> {
    let Some((alert, storm)) = Tables::resolve(connection, flow).await? else { return Ok(Vec::new()) };
    let summary = match storm {
        Some(storm) => Tables::resolve_summary(connection, storm, flow).await?,
        None => None,
    };
    Tables::delete_old_alerts(connection).await?;
    Ok(std::iter::once(alert).chain(summary).collect())
}

impl Alerter for Store {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        let (flow, logged) = (Arc::clone(flow), Arc::clone(flow));
        let fired = self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { fire(connection, &flow, severity).await })
        });
        fired.map(move |(alert, change)| {
            Alert::log_fired(&logged, alert.severity, alert.count);
            change
        })
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        let (store, flow, incident) = (self.clone(), Arc::clone(flow), flow.incident().to_string());
        Reply::pending(async move {
            // Every success checks, and few find an alert, so a reader checks first, without a write transaction.
            let open = store.read(move |connection| {
                Box::pin(async move { Tables::open_alert(connection, &incident).await })
            });
            if open.await?.is_none() {
                return Ok(AlertChange::NotOpen);
            }
            let of = Arc::clone(&flow);
            let resolved = store.writer().write(move |connection| {
                let flow = Arc::clone(&of);
                Box::pin(async move { resolve(connection, &flow).await })
            });
            let resolved = resolved.await?;
            for alert in &resolved {
                alert.log_resolved(&flow);
            }
            Ok(if resolved.is_empty() { AlertChange::NotOpen } else { AlertChange::Resolved })
        })
    }

    fn open(&self, after: Option<IncidentCursor>, limit: usize) -> Reply<Page<Alert, IncidentCursor>> {
        self.read(move |connection| Box::pin(Tables::open_alerts(connection, after, limit)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.read(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
