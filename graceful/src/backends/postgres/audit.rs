//! The audit log, as a chain: see [`chain`](crate::backends::chain).

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{Store, broken, count};
use crate::{
    Flow, Key, StepError,
    backends::{
        AuditLog, Reply,
        chain::{AuditHead, Follow, Tampered},
    },
};

fn head(row: &PgRow) -> Result<AuditHead, sqlx::Error> {
    let hash: &[u8] = row.try_get("hash")?;
    Ok(AuditHead { sequence: row.try_get("seq")?, hash: hash.try_into().map_err(broken)? })
}

async fn append(connection: &mut PgConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let (id, entity) = (flow.id(), flow.entity().to_string());
    let record = serde_json::to_string(flow).map_err(broken)?;
    let mut transaction = connection.begin().await?;
    // A chain has one end.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('graceful_audit ' || current_schema(), 0))")
        .execute(&mut *transaction)
        .await?;
    let last = sqlx::query("SELECT seq, hash FROM graceful_audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let last = last.as_ref().map(head).transpose()?.unwrap_or(AuditHead::EMPTY);
    let next = last.next(id.as_bytes(), &entity, &record);
    // A flow that is delivered again was done once.
    sqlx::query(
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (flow) DO NOTHING",
    )
    .bind(next.sequence)
    .bind(id)
    .bind(&entity)
    .bind(record)
    .bind(next.hash.as_slice())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// How many records are read at once.
const PAGE: usize = 1000;

/// Goes on from where it is; the answer is whether that was the end.
async fn follow(
    connection: &mut PgConnection,
    mut chain: Follow,
) -> Result<Result<(Follow, bool), Tampered>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM graceful_audit WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(chain.sequence())
        .bind(count(PAGE))
        .fetch_all(connection)
        .await?;
    for row in &rows {
        let flow: Uuid = row.try_get("flow")?;
        let (entity, record) = (row.try_get("entity")?, row.try_get("record")?);
        if let Err(tampered) = chain.take(flow.as_bytes(), entity, record, head(row).ok()) {
            return Ok(Err(tampered));
        }
    }
    Ok(Ok((chain, rows.len() < PAGE)))
}

impl Store {
    /// Follows the audit log's chain from its first record, and answers where it ends: to be kept elsewhere, and shown the next
    /// time as `known`. With it, a log that was cut off, or written anew as a whole, shows, too.
    ///
    /// It reads the whole log. Appending goes on meanwhile.
    ///
    /// # Errors
    /// [`Tampered`], as the source of the error, where a record was edited, deleted or moved; else the log cannot be read.
    ///
    /// ```no_run
    /// # async fn example(store: graceful::backends::postgres::Store) -> Result<(), graceful::StepError> {
    /// let head = store.verify(None).await?;
    /// // Later:
    /// store.verify(Some(&head)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let mut chain = Follow::new(known.copied());
        loop {
            let page = self.run(move |connection| Box::pin(follow(connection, chain))).await?;
            let (further, is_end) = page.map_err(StepError::caused_by)?;
            if is_end {
                return further.end().map_err(StepError::caused_by);
            }
            chain = further;
        }
    }
}

impl AuditLog for Store {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { append(connection, &flow).await }))
    }

    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<Arc<Flow>>> {
        let entity = entity.map(ToString::to_string);
        self.run(move |connection| {
            Box::pin(async move {
                let query = match &entity {
                    Some(entity) => sqlx::query(
                        "SELECT record FROM graceful_audit WHERE entity = $2 ORDER BY seq DESC LIMIT $1",
                    )
                    .bind(count(limit))
                    .bind(entity),
                    None => sqlx::query("SELECT record FROM graceful_audit ORDER BY seq DESC LIMIT $1")
                        .bind(count(limit)),
                };
                let rows = query.fetch_all(connection).await?;
                let records = rows
                    .iter()
                    .map(|row| serde_json::from_str(row.try_get("record")?).map(Arc::new).map_err(broken));
                records.collect()
            })
        })
    }
}
