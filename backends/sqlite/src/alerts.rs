//! The alert store; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, Reply},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Store, broken, count, micros, now};

/// How many resolved alerts are stored.
const RESOLVED: i64 = 1000;

fn alert(row: &SqliteRow) -> Result<Alert, sqlx::Error> {
    serde_json::from_str(row.try_get("alert")?).map_err(broken)
}

async fn open_of(connection: &mut SqliteConnection, incident: &str) -> Result<Option<Alert>, sqlx::Error> {
    let query = sqlx::query("SELECT alert FROM graceful_alerts WHERE entity = ? AND resolved_at IS NULL");
    query.bind(incident).fetch_optional(connection).await?.as_ref().map(alert).transpose()
}

async fn fire(
    connection: &mut SqliteConnection,
    flow: &Flow,
    severity: Severity,
) -> Result<(Alert, AlertChange), sqlx::Error> {
    let incident = flow.incident().to_string();
    let (alert, change) = match open_of(connection, &incident).await? {
        None => (Alert::opened(flow, severity), AlertChange::Opened),
        Some(alert) => (alert.repeated(flow, severity), AlertChange::Repeated),
    };
    sqlx::query(
        "INSERT INTO graceful_alerts (entity, fired_at, alert) VALUES (?, ?, ?) \
         ON CONFLICT (entity) WHERE resolved_at IS NULL DO UPDATE SET alert = excluded.alert",
    )
    .bind(incident)
    .bind(micros(alert.fired_at))
    .bind(serde_json::to_string(&alert).map_err(broken)?)
    .execute(connection)
    .await?;
    Ok((alert, change))
}

async fn resolve(connection: &mut SqliteConnection, flow: &Flow) -> Result<Option<Alert>, sqlx::Error> {
    let incident = flow.incident().to_string();
    let Some(open) = open_of(connection, &incident).await? else { return Ok(None) };
    let resolved = Alert { resolved_at: Some(flow.timestamp()), ..open };
    sqlx::query(
        "UPDATE graceful_alerts SET resolved_at = ?, alert = ? WHERE entity = ? AND resolved_at IS NULL",
    )
    .bind(now())
    .bind(serde_json::to_string(&resolved).map_err(broken)?)
    .bind(incident)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM graceful_alerts WHERE seq IN (SELECT seq FROM graceful_alerts \
         WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, seq DESC LIMIT -1 OFFSET ?)",
    )
    .bind(RESOLVED)
    .execute(connection)
    .await?;
    Ok(Some(resolved))
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
            let open =
                store.read(move |connection| Box::pin(async move { open_of(connection, &incident).await }));
            if open.await?.is_none() {
                return Ok(AlertChange::NotOpen);
            }
            let of = Arc::clone(&flow);
            let resolved = store.writer().write(move |connection| {
                let flow = Arc::clone(&of);
                Box::pin(async move { resolve(connection, &flow).await })
            });
            let Some(alert) = resolved.await? else { return Ok(AlertChange::NotOpen) };
            alert.log_resolved(&flow);
            Ok(AlertChange::Resolved)
        })
    }

    fn open(&self) -> Reply<Vec<Alert>> {
        self.read(|connection| {
            Box::pin(async {
                let open =
                    "SELECT alert FROM graceful_alerts WHERE resolved_at IS NULL ORDER BY fired_at, entity";
                sqlx::query(open).fetch_all(connection).await?.iter().map(alert).collect()
            })
        })
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.read(move |connection| {
            Box::pin(async move {
                let newest = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NOT NULL \
                              ORDER BY resolved_at DESC, seq DESC LIMIT ?";
                sqlx::query(newest)
                    .bind(count(limit))
                    .fetch_all(connection)
                    .await?
                    .iter()
                    .map(alert)
                    .collect()
            })
        })
    }
}
