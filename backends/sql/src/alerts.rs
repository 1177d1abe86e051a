//! The alert store.

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, IncidentCursor, IncidentFilter, Page, Timestamp},
};
use sqlx::{ColumnIndex, Error, Executor, Row as _};

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    storms,
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
    for<'v> Option<String>: Value<'v, D>,
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

    /// Repeats the alert of a flow's incident, if one is open. No other flow may change the incident at the same time.
    pub async fn fire_again(
        connection: &mut Connection<D>,
        flow: &Flow,
        severity: Severity,
    ) -> Result<Option<Alert>, Error> {
        let incident = flow.incident().to_string();
        let Some(alert) = Self::open_alert(connection, &incident).await? else { return Ok(None) };
        let alert = alert.repeated(flow, severity);
        Self::update_alert(connection, &incident, &alert).await?;
        Ok(Some(alert))
    }

    /// Opens the alert of a flow's incident, which has none, or in a storm opens or repeats the summary. No other flow may open or
    /// resolve an alert of the storm at the same time.
    pub async fn fire_first(
        connection: &mut Connection<D>,
        flow: &Flow,
        severity: Severity,
    ) -> Result<(Alert, AlertChange), Error> {
        let (incident, storm) = (flow.incident().to_string(), flow.incident().storm(flow.code()).to_string());
        let (alert, incident, storm) = match Self::is_full(connection, storms::ALERTS, &storm, None).await? {
            false => (Alert::opened(flow, severity), incident, Some(storm)),
            true => match Self::open_alert(connection, &storm).await? {
                Some(summary) => {
                    let summary = summary.repeated(flow, severity);
                    Self::update_alert(connection, &storm, &summary).await?;
                    return Ok((summary, AlertChange::Repeated));
                }
                None => (Alert::summarised(flow, severity), storm, None),
            },
        };
        sqlx::query("INSERT INTO graceful_alerts (entity, storm, fired_at, alert) VALUES ($1, $2, $3, $4)")
            .bind(incident)
            .bind(storm)
            .bind(micros(alert.fired_at))
            .bind(serde_json::to_string(&alert).map_err(broken)?)
            .execute(connection)
            .await?;
        Ok((alert, AlertChange::Opened))
    }

    async fn update_alert(
        connection: &mut Connection<D>,
        incident: &str,
        alert: &Alert,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE graceful_alerts SET alert = $2 WHERE entity = $1 AND resolved_at IS NULL")
            .bind(incident)
            .bind(serde_json::to_string(alert).map_err(broken)?)
            .execute(connection)
            .await
            .map(drop)
    }

    /// Resolves the alert of an incident at this time, if one is open, and returns it with the name of its storm's summary. Nobody else may
    /// change the incident at the same time.
    pub async fn resolve(
        connection: &mut Connection<D>,
        incident: String,
        at: Timestamp,
    ) -> Result<Option<(Alert, Option<String>)>, Error> {
        let open = "SELECT alert, storm FROM graceful_alerts WHERE entity = $1 AND resolved_at IS NULL";
        let row = sqlx::query(open).bind(incident.as_str()).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        let alert = Self::end_alert(connection, incident, Self::decode_alert(&row)?, at).await?;
        Ok(Some((alert, row.try_get("storm")?)))
    }

    /// Resolves the summary of a storm if no single alert of it is open any more. Nobody else may open or resolve an alert of the
    /// storm at the same time.
    pub async fn resolve_summary(
        connection: &mut Connection<D>,
        storm: String,
        at: Timestamp,
    ) -> Result<Option<Alert>, Error> {
        let last = "SELECT alert FROM graceful_alerts WHERE entity = $1 AND resolved_at IS NULL AND NOT EXISTS \
                    (SELECT 1 FROM graceful_alerts WHERE storm = $1 AND resolved_at IS NULL)";
        let row = sqlx::query(last).bind(storm.as_str()).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        Self::end_alert(connection, storm, Self::decode_alert(&row)?, at).await.map(Some)
    }

    /// Resolves an open alert.
    async fn end_alert(
        connection: &mut Connection<D>,
        incident: String,
        mut alert: Alert,
        at: Timestamp,
    ) -> Result<Alert, Error> {
        // The row has the database's time, by which the newest alerts are selected.
        alert.resolved_at = Some(at);
        let text = serde_json::to_string(&alert).map_err(broken)?;
        D::resolve_alert(incident, text).execute(connection).await?;
        Ok(alert)
    }

    /// Deletes the oldest resolved alerts. Nothing may be locked after this, because others wait for the rows that it deletes.
    pub async fn delete_old_alerts(connection: &mut Connection<D>) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM graceful_alerts WHERE seq IN (SELECT seq FROM graceful_alerts \
             WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, seq DESC LIMIT $1 OFFSET $2)",
        )
        .bind(i64::MAX)
        .bind(RESOLVED)
        .execute(connection)
        .await
        .map(drop)
    }

    /// Reads a page of the open alerts that a filter selects.
    pub async fn open_alerts(
        connection: &mut Connection<D>,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Result<Page<Alert, IncidentCursor>, Error> {
        let open = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NULL";
        let rows = Self::open_page(connection, open, "fired_at", &filter, after.as_ref(), limit).await?;
        let alerts = rows.iter().map(Self::decode_alert).collect::<Result<_, _>>()?;
        Ok(Page::cut(alerts, limit, Alert::cursor))
    }

    /// Reads the newest resolved alerts.
    pub async fn resolved_alerts(connection: &mut Connection<D>, limit: usize) -> Result<Vec<Alert>, Error> {
        let newest = "SELECT alert FROM graceful_alerts WHERE resolved_at IS NOT NULL \
                      ORDER BY resolved_at DESC, seq DESC LIMIT $1";
        let rows = sqlx::query(newest).bind(count(limit)).fetch_all(connection).await?;
        rows.iter().map(Self::decode_alert).collect()
    }
}
