//! Review jobs.

use std::{sync::Arc, time::Duration};

use graceful::{
    Flow, Incident,
    backends::{Job, JobChange, Reply, Scheduler},
};
use jiff::Timestamp;
use smol_str::SmolStr;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Store, after, at, broken, count, id, micros, now};

fn job(row: &SqliteRow) -> Result<Job, sqlx::Error> {
    let code: &str = row.try_get("code")?;
    let token: Option<&[u8]> = row.try_get("token")?;
    Ok(Job {
        id: row.try_get("entity")?,
        entity: serde_json::from_str(row.try_get("key")?).map_err(broken)?,
        owner: SmolStr::new(row.try_get::<&str, _>("owner")?),
        due: at(row.try_get("due")?),
        opened_at: at(row.try_get("opened_at")?),
        bumps: row.try_get("bumps")?,
        flow: id(row, "flow")?,
        code: code.parse().map_err(broken)?,
        held_until: row.try_get::<Option<i64>, _>("held_until")?.map(at),
        attempts: row.try_get("attempts")?,
        error: row.try_get("error")?,
        token: token.map(Uuid::from_slice).transpose().map_err(broken)?,
    })
}

async fn open(
    connection: &mut SqliteConnection,
    flow: &Flow,
    time: Duration,
) -> Result<JobChange, sqlx::Error> {
    let incident = flow.incident();
    // A flow that is delivered again asks once.
    let bumps: i64 = sqlx::query_scalar(
        "INSERT INTO graceful_jobs (entity, key, owner, due, opened_at, bumps, flow, code) \
         VALUES (?, ?, ?, ?, ?, 1, ?, ?) \
         ON CONFLICT (entity) DO UPDATE SET bumps = bumps + (flow <> excluded.flow), due = min(due, excluded.due), \
         flow = excluded.flow, code = excluded.code, \
         attempts = 0 RETURNING bumps",
    )
    .bind(incident.to_string())
    .bind(serde_json::to_string(incident.entity()).map_err(broken)?)
    .bind(incident.owner().as_str())
    .bind(after(now(), time))
    .bind(micros(flow.timestamp()))
    .bind(flow.id().as_bytes().as_slice())
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
    let mut jobs = rows.iter().map(job).collect::<Result<Vec<_>, _>>()?;
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
            let is_open = store.read(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query_scalar::<_, i64>("SELECT 1 FROM graceful_jobs WHERE entity = ?");
                    query.bind(asked).fetch_optional(connection).await
                })
            });
            if is_open.await?.is_none() {
                return Ok(JobChange::NotOpen);
            }
            let completed = store.writer().write(move |connection| {
                let query = sqlx::query("DELETE FROM graceful_jobs WHERE entity = ?").bind(entity.clone());
                Box::pin(async move { Ok(query.execute(connection).await?.rows_affected()) })
            });
            Ok(if completed.await? > 0 { JobChange::Completed } else { JobChange::NotOpen })
        })
    }

    fn jobs(&self) -> Reply<Vec<Job>> {
        self.read(|connection| {
            Box::pin(async {
                let query = sqlx::query("SELECT * FROM graceful_jobs ORDER BY due");
                query.fetch_all(connection).await?.iter().map(job).collect()
            })
        })
    }

    fn poll(&self, limit: usize, hold: Duration) -> Reply<Vec<Job>> {
        self.writer().write(move |connection| Box::pin(poll(connection, limit, hold)))
    }

    fn finish(&self, job: &Job) -> Reply<bool> {
        let (entity, token) = (job.id.clone(), job.token);
        self.writer().write(move |connection| {
            let query = sqlx::query("DELETE FROM graceful_jobs WHERE entity = ? AND token = ?");
            let query = query.bind(entity.clone()).bind(token.map(|token| token.as_bytes().to_vec()));
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
            let query = query.bind(due).bind(error.clone()).bind(entity.clone());
            let query = query.bind(token.map(|token| token.as_bytes().to_vec()));
            Box::pin(async move { Ok(query.execute(connection).await?.rows_affected() > 0) })
        })
    }
}
