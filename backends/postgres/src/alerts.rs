//! The alert store, which several processes can share; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, Reply},
};
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{Store, broken, count, micros};

/// How many resolved alerts are stored.
const RESOLVED: i64 = 1000;

fn alert(row: &PgRow) -> Result<Alert, sqlx::Error> {
    serde_json::from_str(row.try_get("alert")?).map_err(broken)
}

async fn open_of(connection: &mut PgConnection, incident: &str) -> Result<Option<Alert>, sqlx::Error> {
    let query = sqlx::query("SELECT alert FROM graceful_alerts WHERE entity = $1 AND resolved_at IS NULL");
    query.bind(incident).fetch_optional(connection).await?.as_ref().map(alert).transpose()
}

/// Begins a transaction that changes the alert of an incident. An advisory lock serialises them, because there may be no row to lock yet.
async fn begin<'c>(
    connection: &'c mut PgConnection,
    incident: &str,
) -> Result<Transaction<'c, Postgres>, sqlx::Error> {
    let mut transaction = super::begin(connection).await?;
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('graceful_alerts ' || current_schema() || $1, 0))",
    )
    .bind(incident)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction)
}

async fn fire(
    connection: &mut PgConnection,
    flow: &Flow,
    severity: Severity,
) -> Result<(Alert, AlertChange), sqlx::Error> {
    let incident = flow.incident().to_string();
    let mut transaction = begin(connection, &incident).await?;
    let (alert, change) = match open_of(&mut transaction, &incident).await? {
        None => (Alert::opened(flow, severity), AlertChange::Opened),
        Some(alert) => (alert.repeated(flow, severity), AlertChange::Repeated),
    };
    sqlx::query(
        "INSERT INTO graceful_alerts (entity, fired_at, alert) VALUES ($1, $2, $3) \
         ON CONFLICT (entity) WHERE resolved_at IS NULL DO UPDATE SET alert = excluded.alert",
    )
    .bind(incident)
    .bind(micros(alert.fired_at))
    .bind(serde_json::to_string(&alert).map_err(broken)?)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((alert, change))
}

async fn resolve(connection: &mut PgConnection, flow: &Flow) -> Result<Option<Alert>, sqlx::Error> {
    let incident = flow.incident().to_string();
    // Every success checks, and few find an alert.
    if open_of(connection, &incident).await?.is_none() {
        return Ok(None);
    }
    let mut transaction = begin(connection, &incident).await?;
    let Some(open) = open_of(&mut transaction, &incident).await? else { return Ok(None) };
    // The row has the server's time, by which the newest alerts are selected.
    let resolved = Alert { resolved_at: Some(flow.timestamp()), ..open };
    sqlx::query(
        "UPDATE graceful_alerts SET resolved_at = graceful_now(), alert = $1 WHERE entity = $2 AND resolved_at IS NULL",
    )
    .bind(serde_json::to_string(&resolved).map_err(broken)?)
    .bind(incident)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "DELETE FROM graceful_alerts WHERE seq IN (SELECT seq FROM graceful_alerts \
         WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, seq DESC OFFSET $1)",
    )
    .bind(RESOLVED)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Some(resolved))
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
        self.run(|connection| {
            Box::pin(async {
                let open =
                    "SELECT alert FROM graceful_alerts WHERE resolved_at IS NULL ORDER BY fired_at, entity";
                sqlx::query(open).fetch_all(connection).await?.iter().map(alert).collect()
            })
        })
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.run(move |connection| {
            Box::pin(async move {
                let newest = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NOT NULL \
                              ORDER BY resolved_at DESC, seq DESC LIMIT $1";
                let rows = sqlx::query(newest).bind(count(limit)).fetch_all(connection).await?;
                rows.iter().map(alert).collect()
            })
        })
    }
}
