//! The audit log as a hash chain: see [`audit_chain`](graceful_sql::audit_chain).

use std::sync::Arc;

use graceful::{
    Flow, Key, StepError,
    backends::{AuditLog, AuditRecord, Reply},
};
use graceful_sql::audit_chain::{self, AuditHead, Follow, Rewrite, Tampered};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Store, broken, count};

fn head(row: &SqliteRow) -> Result<AuditHead, sqlx::Error> {
    let hash: &[u8] = row.try_get("hash")?;
    Ok(AuditHead { sequence: row.try_get("seq")?, hash: hash.try_into().map_err(broken)? })
}

async fn append(connection: &mut SqliteConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let last = sqlx::query("SELECT seq, hash FROM graceful_audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let last = last.as_ref().map(head).transpose()?.unwrap_or(AuditHead::EMPTY);
    let (id, entity) = (flow.id(), flow.entity().to_string());
    let record = serde_json::to_string(&AuditRecord::of(flow)).map_err(broken)?;
    let next = last.next(id.as_bytes(), &entity, &record);
    // A flow that is delivered again is recorded once.
    sqlx::query(
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (flow) DO NOTHING",
    )
    .bind(next.sequence)
    .bind(id.as_bytes().as_slice())
    .bind(&entity)
    .bind(record)
    .bind(next.hash.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many records are read per statement.
const PAGE: usize = 1000;

/// Verifies the chain from its beginning.
async fn follow(
    connection: &mut SqliteConnection,
    known: Option<AuditHead>,
) -> Result<Result<AuditHead, Tampered>, sqlx::Error> {
    let mut chain = Follow::new(known);
    loop {
        let rows = sqlx::query("SELECT * FROM graceful_audit WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(chain.sequence())
            .bind(count(PAGE))
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let (flow, entity, record) =
                (row.try_get("flow")?, row.try_get("entity")?, row.try_get("record")?);
            if let Err(tampered) = chain.take(flow, entity, record, head(row).ok()) {
                return Ok(Err(tampered));
            }
        }
        if rows.len() < PAGE {
            return Ok(chain.end());
        }
    }
}

/// Rewrites the chain in the transaction of the writer.
async fn remove_payloads(
    connection: &mut SqliteConnection,
    before: AuditHead,
) -> Result<AuditHead, sqlx::Error> {
    let mut rewrite = Rewrite::new();
    loop {
        let rows = sqlx::query(
            "SELECT seq, flow, entity, record FROM graceful_audit WHERE seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(rewrite.sequence())
        .bind(count(PAGE))
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let rewritten = rewrite
                .take(row.try_get("flow")?, row.try_get("entity")?, row.try_get("record")?)
                .map_err(broken)?;
            let Some(rewritten) = rewritten else { continue };
            sqlx::query("UPDATE graceful_audit SET hash = ?, record = coalesce(?, record) WHERE seq = ?")
                .bind(rewritten.head.hash.as_slice())
                .bind(rewritten.text)
                .bind(rewritten.head.sequence)
                .execute(&mut *connection)
                .await?;
        }
        if rows.len() < PAGE {
            break;
        }
    }
    let Some(marker) = rewrite.end(before).map_err(broken)? else { return Ok(before) };
    sqlx::query("INSERT INTO graceful_audit (seq, flow, entity, record, hash) VALUES (?, ?, ?, ?, ?)")
        .bind(marker.head.sequence)
        .bind(marker.flow.as_bytes().as_slice())
        .bind(marker.entity)
        .bind(marker.text)
        .bind(marker.head.hash.as_slice())
        .execute(connection)
        .await?;
    Ok(marker.head)
}

impl Store {
    /// Verifies the audit log's chain from its first record, and returns its head. Store the head elsewhere, and pass it as `known` the next
    /// time: then a log that was truncated or completely rewritten is detected too.
    ///
    /// It reads the whole log: about a second for 100,000 records. Records can be appended meanwhile.
    ///
    /// # Errors
    /// Fails if a record was edited, deleted or moved, with [`Tampered`] as the source of the error, or if the log cannot be read.
    ///
    /// ```
    /// use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-verify-{}.db", std::process::id()));
    /// let store = graceful_sqlite::Store::open(&path).await?;
    /// let orchestrator = Orchestrator::builder().audit(store.clone()).build()?;
    /// let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    ///
    /// let head = store.verify(None).await?;
    /// assert_eq!(head.sequence, 1);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let known = known.copied();
        let followed = self.read(move |connection| Box::pin(follow(connection, known))).await?;
        followed.map_err(StepError::caused_by)
    }

    /// Removes the payloads from records of earlier versions, which contained the whole flow, and rewrites the chain. A new record contains the
    /// number of changed records and the previous head. Returns the new head, to be stored instead of `known`, or the current head if there
    /// was nothing to remove.
    ///
    /// The log is [verified](Self::verify) first in the same transaction, so that a tampered log cannot become valid. Other writes wait meanwhile; it
    /// takes about as long as writing the log once. Dropping the future does not stop it.
    ///
    /// Removed payloads remain in the file until its pages are reused: run `VACUUM` afterwards. They also remain in copies of the file.
    ///
    /// # Errors
    /// Fails like [`verify`](Self::verify), or if a record cannot be read. Then nothing is changed.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-remove-{}.db", std::process::id()));
    /// let store = graceful_sqlite::Store::open(&path).await?;
    /// let head = store.remove_audit_payloads(None).await?;
    /// assert_eq!(store.verify(Some(&head)).await?, head);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn remove_audit_payloads(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let known = known.copied();
        let removed = self.writer().write(move |connection| {
            Box::pin(async move {
                match follow(connection, known).await? {
                    Ok(before) => remove_payloads(connection, before).await.map(Ok),
                    Err(tampered) => Ok(Err(tampered)),
                }
            })
        });
        removed.await?.map_err(StepError::caused_by)
    }
}

impl AuditLog for Store {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { append(connection, &flow).await })
        })
    }

    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<AuditRecord>> {
        let entity = entity.map(ToString::to_string);
        self.read(move |connection| {
            Box::pin(async move {
                let query = match &entity {
                    Some(entity) => sqlx::query(
                        "SELECT record FROM graceful_audit WHERE entity = ? ORDER BY seq DESC LIMIT ?",
                    )
                    .bind(entity),
                    None => sqlx::query("SELECT record FROM graceful_audit ORDER BY seq DESC LIMIT ?"),
                };
                let rows = query.bind(count(limit)).fetch_all(connection).await?;
                rows.iter().map(|row| audit_chain::record(row.try_get("record")?).map_err(broken)).collect()
            })
        })
    }
}
