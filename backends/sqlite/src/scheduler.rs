//! Review jobs.

use std::{sync::Arc, time::Duration};

use graceful::{
    Flow, Incident,
    backends::{IncidentCursor, IncidentFilter, Job, JobChange, Page, Reply, Scheduler},
};
use graceful_sql::values::{broken, count, micros};
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Store, Tables, after, now};

async fn open(
    connection: &mut SqliteConnection,
    flow: &Flow,
    time: Duration,
) -> Result<JobChange, sqlx::Error> {
    let due = after(now(), time);
    // A flow that is delivered again asks once.
    let bumped = sqlx::query(
        "UPDATE graceful_jobs SET bumps = bumps + (flow <> ?1), due = min(due, ?2), flow = ?1, code = ?3, attempts = 0 \
         WHERE entity = ?4",
    )
    .bind(flow.id())
    .bind(due)
    .bind(flow.code().as_str())
    .bind(flow.incident().to_string())
    .execute(&mut *connection)
    .await?;
    if bumped.rows_affected() > 0 {
        return Ok(JobChange::Bumped);
    }
    let (incident, storm) = Tables::incident_to_open(connection, flow).await?;
    let bumps: i64 = sqlx::query_scalar(
        "INSERT INTO graceful_jobs (entity, key, owner, storm, due, opened_at, bumps, flow, code) \
         VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?) \
         ON CONFLICT (entity) DO UPDATE SET bumps = bumps + (flow <> excluded.flow), due = min(due, excluded.due), \
         flow = excluded.flow, code = excluded.code, \
         attempts = 0 RETURNING bumps",
    )
    .bind(incident.to_string())
    .bind(serde_json::to_string(incident.entity()).map_err(broken)?)
    .bind(incident.owner().as_str())
    .bind(storm)
    .bind(due)
    .bind(micros(flow.timestamp()))
    .bind(flow.id())
    .bind(flow.code().as_str())
    .fetch_one(connection)
    .await?;
    Ok(if bumps == 1 { JobChange::Opened } else { JobChange::Bumped })
}

async fn poll(
    connection: &mut SqliteConnection,
    limit: usize,
    hold: Duration,
) -> Result<Vec<Job>, sqlx::Error> {
    let now = now();
    let rows = sqlx::query(
        "UPDATE graceful_jobs SET held_until = ?1, token = randomblob(16), attempts = attempts + 1 WHERE entity IN \
         (SELECT entity FROM graceful_jobs WHERE due <= ?2 AND (held_until IS NULL OR held_until <= ?2) \
         ORDER BY due LIMIT ?3) RETURNING *",
    )
    .bind(after(now, hold))
    .bind(now)
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
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { open(connection, &flow, after).await })
        })
    }

    fn complete(&self, incident: &Incident) -> Reply<JobChange> {
        let (store, entity) = (self.clone(), incident.to_string());
        Reply::pending(async move {
            // Every success asks, and few find a job: a reader says so without a transaction.
            let asked = entity.clone();
            let is_open = store
                .read(move |connection| Box::pin(async move { Tables::open_job(connection, &asked).await }));
            if is_open.await?.is_none() {
                return Ok(JobChange::NotOpen);
            }
            let completed = store.writer().write(move |connection| {
                let entity = entity.clone();
                Box::pin(async move { Tables::complete(connection, &entity).await })
            });
            Ok(if completed.await? { JobChange::Completed } else { JobChange::NotOpen })
        })
    }

    fn jobs(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Job, IncidentCursor>> {
        self.read(move |connection| Box::pin(Tables::jobs(connection, filter, after, limit)))
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        self.writer().write(move |connection| Box::pin(poll(connection, limit, hold)))
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        let (entity, token) = (job.id.clone(), job.token);
        self.writer().write(move |connection| {
            let query = sqlx::query("DELETE FROM graceful_jobs WHERE entity = ? AND token = ?");
            let query = query.bind(entity.clone()).bind(token);
            Box::pin(async move { Ok(query.execute(connection).await?.rows_affected() > 0) })
        })
    }

    fn postpone(&self, job: &Job, time: Option<Duration>, error: &str) -> Reply<bool> {
        let (entity, token, error) = (job.id.clone(), job.token, error.to_owned());
        self.writer().write(move |connection| {
            let query = sqlx::query(
                "UPDATE graceful_jobs SET due = ?, error = ?, held_until = NULL, token = NULL \
                 WHERE entity = ? AND token = ?",
            );
            let due = time.map_or(micros(Timestamp::MAX), |time| after(now(), time));
            let query = query.bind(due).bind(error.clone()).bind(entity.clone()).bind(token);
            Box::pin(async move { Ok(query.execute(connection).await?.rows_affected() > 0) })
        })
    }

    fn reschedule(&self, incident: &Incident, time: Duration) -> Reply<bool> {
        let entity = incident.to_string();
        self.writer().write(move |connection| {
            let query = sqlx::query(
                "UPDATE graceful_jobs SET due = ?, attempts = 0, held_until = NULL, token = NULL WHERE entity = ?",
            );
            let query = query.bind(after(now(), time)).bind(entity.clone());
            Box::pin(async move { Ok(query.execute(connection).await?.rows_affected() > 0) })
        })
    }
}
