//! The alert store; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Incident, Severity,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply, Timestamp},
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
async fn resolve(
    connection: &mut SqliteConnection,
    incident: String,
    at: Timestamp,
) -> Result<Vec<Alert>, sqlx::Error> {
    let Some((alert, storm)) = Tables::resolve(connection, incident, at).await? else {
        return Ok(Vec::new());
    };
    let summary = match storm {
        Some(storm) => Tables::resolve_summary(connection, storm, at).await?,
        None => None,
    };
    Tables::delete_old_alerts(connection).await?;
    Ok(std::iter::once(alert).chain(summary).collect())
}

impl Store {
    /// Resolves the alert of an incident, and logs what it resolved.
    fn end_alert(
        &self,
        incident: String,
        at: Timestamp,
        log: impl Fn(&Alert) + Send + 'static,
    ) -> Reply<AlertChange> {
        let store = self.clone();
        Reply::pending(async move {
            // Every success checks, and few find an alert, so a reader checks first, without a write transaction.
            let checked = incident.clone();
            let open = store.read(move |connection| {
                Box::pin(async move { Tables::open_alert(connection, &checked).await })
            });
            if open.await?.is_none() {
                return Ok(AlertChange::NotOpen);
            }
            let resolved = store
                .writer()
                .write(move |connection| Box::pin(resolve(connection, incident.clone(), at)))
                .await?;
            resolved.iter().for_each(log);
            Ok(if resolved.is_empty() { AlertChange::NotOpen } else { AlertChange::Resolved })
        })
    }
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
        let logged = Arc::clone(flow);
        self.end_alert(flow.incident().to_string(), flow.timestamp(), move |alert| {
            alert.log_resolved(&logged);
        })
    }

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.end_alert(incident.to_string(), Timestamp::now(), Alert::log_closed)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.read(move |connection| Box::pin(Tables::open_alerts(connection, filter, after, limit)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.read(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
