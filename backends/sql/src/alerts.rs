//! The alert store.

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange},
};
use sqlx::{ColumnIndex, Error, Executor, Row as _};

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{broken, count, micros},
};

/// How many resolved alerts are stored.
const RESOLVED: i64 = 1000;

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
{
    fn decode_alert(row: &Row<D>) -> Result<Alert, Error> {
        serde_json::from_str(row.try_get("alert")?).map_err(broken)
    }

    /// Reads the open alert of an incident.
    pub async fn open_alert(connection: &mut Connection<D>, incident: &str) -> Result<Option<Alert>, Error> {
        let query =
            sqlx::query("SELECT alert FROM graceful_alerts WHERE entity = $1 AND resolved_at IS NULL");
        query.bind(incident).fetch_optional(connection).await?.as_ref().map(Self::decode_alert).transpose()
    }

    /// Opens or repeats the alert of a flow's incident. No other flow may change the incident at the same time.
    pub async fn fire(
        connection: &mut Connection<D>,
        flow: &Flow,
        severity: Severity,
    ) -> Result<(Alert, AlertChange), Error> {
        let incident = flow.incident().to_string();
        let (alert, change) = match Self::open_alert(connection, &incident).await? {
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
        .execute(connection)
        .await?;
        Ok((alert, change))
    }

    /// Resolves the alert of a flow's incident, if one is open. No other flow may change the incident at the same time.
    pub async fn resolve(connection: &mut Connection<D>, flow: &Flow) -> Result<Option<Alert>, Error> {
        let incident = flow.incident().to_string();
        let Some(mut alert) = Self::open_alert(connection, &incident).await? else { return Ok(None) };
        // The row has the database's time, by which the newest alerts are selected.
        alert.resolved_at = Some(flow.timestamp());
        let text = serde_json::to_string(&alert).map_err(broken)?;
        D::resolve_alert(incident, text).execute(&mut *connection).await?;
        sqlx::query(
            "DELETE FROM graceful_alerts WHERE seq IN (SELECT seq FROM graceful_alerts \
             WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, seq DESC LIMIT $1 OFFSET $2)",
        )
        .bind(i64::MAX)
        .bind(RESOLVED)
        .execute(connection)
        .await?;
        Ok(Some(alert))
    }

    /// Reads the open alerts.
    pub async fn open_alerts(connection: &mut Connection<D>) -> Result<Vec<Alert>, Error> {
        let open = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NULL ORDER BY fired_at, entity";
        sqlx::query(open).fetch_all(connection).await?.iter().map(Self::decode_alert).collect()
    }

    /// Reads the newest resolved alerts.
    pub async fn resolved_alerts(connection: &mut Connection<D>, limit: usize) -> Result<Vec<Alert>, Error> {
        let newest = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NOT NULL \
                      ORDER BY resolved_at DESC, seq DESC LIMIT $1";
        let rows = sqlx::query(newest).bind(count(limit)).fetch_all(connection).await?;
        rows.iter().map(Self::decode_alert).collect()
    }
}
