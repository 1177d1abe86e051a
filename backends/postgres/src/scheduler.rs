//! Review jobs.

use std::{sync::Arc, time::Duration};

use graceful::{
    Flow, Incident,
    backends::{Job, JobChange, Reply, Scheduler},
};
use graceful_sql::values::{broken, count, length, micros};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{Store, Tables, text::escaped};

async fn open(connection: &mut PgConnection, flow: &Flow, after: Duration) -> Result<JobChange, sqlx::Error> {
    let incident = flow.incident();
    // A flow that is delivered again asks once.
    let bumps: i64 = sqlx::query_scalar(
        "INSERT INTO graceful_jobs AS job (entity, key, owner, due, opened_at, bumps, flow, code) \
         VALUES ($1, $2, $3, graceful_now() + $4, $5, 1, $6, $7) \
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
    .fetch_one(connection)
    .await?;
    Ok(if bumps == 1 { JobChange::Opened } else { JobChange::Bumped })
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
        self.run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM graceful_jobs WHERE entity = $1").bind(entity);
                let completed = query.execute(connection).await?.rows_affected() > 0;
                Ok(if completed { JobChange::Completed } else { JobChange::NotOpen })
            })
        })
    }

    fn jobs(&self) -> Reply<Vec<Job>> {
        self.run(|connection| Box::pin(Tables::jobs(connection)))
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
}
