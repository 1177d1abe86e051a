//! Review jobs.

use graceful::{
    Flow, Incident, Key,
    backends::{IncidentCursor, IncidentFilter, Job, Page},
};
use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    storms,
    values::{at, broken},
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Decodes a job.
    pub fn decode_job(row: &Row<D>) -> Result<Job, Error> {
        let entity: Key = serde_json::from_str(row.try_get("key")?).map_err(broken)?;
        let incident = Incident::new(entity, D::unescaped(row.try_get("owner")?));
        let code = row.try_get::<&str, _>("code")?.parse().map_err(broken)?;
        let (opened_at, due) = (at(row.try_get("opened_at")?), at(row.try_get("due")?));
        let mut job = Job::new(&incident, row.try_get("flow")?, code, opened_at, due);
        job.bumps = Self::number(row, "bumps")?;
        job.held_until = row.try_get::<Option<i64>, _>("held_until")?.map(at);
        job.attempts = Self::number(row, "attempts")?;
        job.error = Self::optional_text(row, "error")?;
        job.token = row.try_get("token")?;
        Ok(job)
    }

    /// The incident whose job a flow opens, and its storm: its own incident, or in a storm that of the summary, which has none. No other
    /// flow may open or complete a job of the storm at the same time.
    pub async fn incident_to_open(
        connection: &mut Connection<D>,
        flow: &Flow,
    ) -> Result<(Incident, Option<String>), Error> {
        let incident = flow.incident();
        let summary = incident.storm(flow.code());
        let storm = summary.to_string();
        let is_full = Self::is_full(connection, storms::JOBS, &storm, Some(&incident.to_string())).await?;
        Ok(if is_full { (summary, None) } else { (incident, Some(storm)) })
    }

    /// Reads whether an incident has an open job, and the name of its storm's summary.
    pub async fn open_job(
        connection: &mut Connection<D>,
        incident: &str,
    ) -> Result<Option<Option<String>>, Error> {
        let query = sqlx::query("SELECT storm FROM graceful_jobs WHERE entity = $1").bind(incident);
        query.fetch_optional(connection).await?.map(|row| row.try_get("storm")).transpose()
    }

    /// Completes the job of an incident, and with the last single one of a storm the summary. Returns false if there is none. No other
    /// flow may open or complete a job of the storm at the same time.
    pub async fn complete(connection: &mut Connection<D>, incident: &str) -> Result<bool, Error> {
        let delete =
            sqlx::query("DELETE FROM graceful_jobs WHERE entity = $1 RETURNING storm").bind(incident);
        let Some(row) = delete.fetch_optional(&mut *connection).await? else { return Ok(false) };
        if let Some(storm) = row.try_get::<Option<&str>, _>("storm")? {
            let last = "DELETE FROM graceful_jobs WHERE entity = $1 \
                        AND NOT EXISTS (SELECT 1 FROM graceful_jobs WHERE storm = $1)";
            sqlx::query(last).bind(storm).execute(connection).await?;
        }
        Ok(true)
    }

    /// Reads a page of the open jobs that a filter selects.
    pub async fn jobs(
        connection: &mut Connection<D>,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Result<Page<Job, IncidentCursor>, Error> {
        let open = "SELECT * FROM graceful_jobs WHERE TRUE";
        let rows = Self::open_page(connection, open, "opened_at", &filter, after.as_ref(), limit).await?;
        let jobs = rows.iter().map(Self::decode_job).collect::<Result<_, _>>()?;
        Ok(Page::cut(jobs, limit, Job::cursor))
    }
}
