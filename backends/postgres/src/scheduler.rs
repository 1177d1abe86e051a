//! Review jobs.

use std::{sync::Arc, time::Duration};

use graceful::{
    Flow, Incident,
    backends::{IncidentCursor, IncidentFilter, Job, JobChange, Page, Reply, Scheduler},
};
use graceful_sql::values::{broken, count, length, micros};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{Store, Tables, begin_alone, text::escaped};

/// Only one transaction opens or completes jobs of a storm.
const STORM: &str = "graceful_job_storms ";

async fn open(connection: &mut PgConnection, flow: &Flow, after: Duration) -> Result<JobChange, sqlx::Error> {
    // A flow that is delivered again asks once.
    let bumped = sqlx::query(
        "UPDATE graceful_jobs SET bumps = bumps + (flow <> $1)::int, due = least(due, graceful_now() + $2), flow = $1, \
         code = $3, attempts = 0 WHERE entity = $4",
    )
    .bind(flow.id())
    .bind(length(after))
    .bind(flow.code().as_str())
    .bind(flow.incident().to_string())
    .execute(&mut *connection)
    .await?;
    if bumped.rows_affected() > 0 {
        return Ok(JobChange::Bumped);
    }
    let storm = flow.incident().storm(flow.code()).to_string();
    let mut transaction = begin_alone(connection, STORM, &storm).await?;
    let (incident, storm) = Tables::incident_to_open(&mut transaction, flow).await?;
    let bumps: i64 = sqlx::query_scalar(
        "INSERT INTO graceful_jobs AS job (entity, key, owner, due, opened_at, bumps, flow, code, storm) \
         VALUES ($1, $2, $3, graceful_now() + $4, $5, 1, $6, $7, $8) \
         ON CONFLICT (entity) DO UPDATE SET bumps = job.bumps + (job.flow <> excluded.flow)::int, \
         due = least(job.due, excluded.due), flow = excluded.flow, code = excluded.code, attempts = 0 RETURNING bumps",
    )
    .bind(incident.to_string())
    .bind(serde_json::to_string(incident.entity()).map_err(broken)?)
    .bind(escaped(incident.owner()))
    .bind(length(after))
    .bind(micros(flow.timestamp()))
    .bind(flow.id())
    .bind(flow.code().as_str())
    .bind(storm)
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(if bumps == 1 { JobChange::Opened } else { JobChange::Bumped })
}

async fn complete(connection: &mut PgConnection, incident: &str) -> Result<JobChange, sqlx::Error> {
    // Every success asks, and few find a job.
    let Some(storm) = Tables::open_job(connection, incident).await? else { return Ok(JobChange::NotOpen) };
    let mut transaction = begin_alone(connection, STORM, storm.as_deref().unwrap_or(incident)).await?;
    let completed = Tables::complete(&mut transaction, incident).await?;
    transaction.commit().await?;
    Ok(if completed { JobChange::Completed } else { JobChange::NotOpen })
}

async fn poll(connection: &mut PgConnection, limit: usize, hold: Duration) -> Result<Vec<Job>, sqlx::Error> {
    let rows = sqlx::query(
        "UPDATE graceful_jobs SET held_until = graceful_now() + $1, token = gen_random_uuid(), attempts = attempts + 1 WHERE entity IN \
         (SELECT entity FROM graceful_jobs WHERE due <= graceful_now() \
         AND (held_until IS NULL OR held_until <= graceful_now()) ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING *",
    )
    .bind(length(hold))
    .bind(count(limit))
    .fetch_all(connection)
    .await?;
    let mut jobs = rows.iter().map(Tables::decode_job).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job| job.due);
    Ok(jobs)
}

impl Scheduler for Store {
    fn open(&self, flow: &Arc<Flow>, after: Duration) -> Reply<JobChange> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { open(connection, &flow, after).await }))
    }

    fn complete(&self, incident: &Incident) -> Reply<JobChange> {
        let entity = incident.to_string();
        self.run(move |connection| Box::pin(async move { complete(connection, &entity).await }))
    }

    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>> {
        self.for_operator(move |connection| Box::pin(Tables::jobs(connection, filter, after, limit)))
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        self.run(move |connection| Box::pin(poll(connection, limit, hold)))
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        let (entity, token) = (job.id.clone(), job.token);
        self.run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM graceful_jobs WHERE entity = $1 AND token = $2");
                let finished = query.bind(entity).bind(token).execute(connection).await?;
                Ok(finished.rows_affected() > 0)
            })
        })
    }

    fn postpone(&self, job: &Job, after: Option<Duration>, error: &str) -> Reply<bool> {
        let (entity, token, error) = (job.id.clone(), job.token, escaped(error));
        self.run(move |connection| {
            Box::pin(async move {
                let postpone = sqlx::query(
                    "UPDATE graceful_jobs SET due = coalesce(graceful_now() + $1, $5), error = $2, held_until = NULL, \
                     token = NULL WHERE entity = $3 AND token = $4",
                )
                .bind(after.map(length))
                .bind(error)
                .bind(entity)
                .bind(token)
                .bind(micros(Timestamp::MAX))
                .execute(connection)
                .await?;
                Ok(postpone.rows_affected() > 0)
            })
        })
    }

    fn reschedule(&self, incident: &Incident, after: Duration) -> Reply<bool> {
        let entity = incident.to_string();
        self.run(move |connection| {
            Box::pin(async move {
                let reschedule = sqlx::query(
                    "UPDATE graceful_jobs SET due = graceful_now() + $1, attempts = 0, held_until = NULL, token = NULL \
                     WHERE entity = $2",
                )
                .bind(length(after))
                .bind(entity)
                .execute(connection)
                .await?;
                Ok(reschedule.rows_affected() > 0)
            })
        })
    }
}
