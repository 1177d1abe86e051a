//! The audit log as a hash chain: see [`audit_chain`](graceful_sql::audit_chain).

use std::sync::Arc;

use graceful::{
    Flow, StepError,
    backends::{AuditCursor, AuditLog, AuditQuery, AuditRecord, Page, RecordCheck, Reply},
};
use graceful_sql::{
    AuditHead,
    audit_chain::Rewrite,
    values::{broken, micros},
};
use sqlx::SqliteConnection;

use super::{Store, Tables};

async fn append(connection: &mut SqliteConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let last = sqlx::query("SELECT seq, hash FROM graceful_audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let last = last.as_ref().map(Tables::decode_head).transpose()?.unwrap_or(AuditHead::EMPTY);
    let (id, entity, record) = (flow.id(), flow.entity().to_string(), AuditRecord::of(flow));
    let (at, actor) = (micros(record.at), record.actor.as_deref().map(str::to_owned));
    let record = serde_json::to_string(&record).map_err(broken)?;
    let next = last.next(id.as_bytes(), &entity, &record);
    // A flow that is delivered again is recorded once.
    sqlx::query(
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash, at, actor) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (flow) DO NOTHING",
    )
    .bind(next.sequence)
    .bind(id)
    .bind(&entity)
    .bind(record)
    .bind(next.hash.as_slice())
    .bind(at)
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(())
}

/// Rewrites the chain in the transaction of the writer.
async fn remove_payloads(
    connection: &mut SqliteConnection,
    before: AuditHead,
) -> Result<AuditHead, sqlx::Error> {
    let mut rewrite = Rewrite::new();
    loop {
        let (changed, is_end) = Tables::rewrite_page(&mut *connection, &mut rewrite).await?;
        for new in changed {
            sqlx::query("UPDATE graceful_audit SET hash = ?, record = coalesce(?, record) WHERE seq = ?")
                .bind(new.head.hash.as_slice())
                .bind(new.text)
                .bind(new.head.sequence)
                .execute(&mut *connection)
                .await?;
        }
        if is_end {
            return Tables::end_rewrite(connection, rewrite, before).await;
        }
    }
}

impl Store {
    /// Verifies the audit log's chain from its first record, and returns its head. Store the head elsewhere, and pass it as `known` the next
    /// time: then a log that was truncated or completely rewritten is detected too.
    ///
    /// It reads the whole log: about a second for 100,000 records. Records can be appended meanwhile.
    ///
    /// # Errors
    /// Fails if a record was edited, deleted or moved, with [`Tampered`](crate::Tampered) as the source of the error, or if the log cannot be read.
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
        let followed = self.read(move |connection| Box::pin(Tables::follow(connection, known))).await?;
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
                match Tables::follow(connection, known).await? {
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

    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::audit_records(connection, &query).await })
        })
    }

    fn verified(&self, query: AuditQuery) -> Reply<Page<(AuditRecord, RecordCheck), AuditCursor>> {
        self.read(move |connection| {
            Box::pin(async move { Tables::verified_records(connection, &query).await })
        })
    }

    fn verify_chain(&self, known: Option<&str>) -> Reply<String> {
        let (store, known) = (self.clone(), AuditHead::known(known));
        Reply::pending(async move { Ok(store.verify(known?.as_ref()).await?.to_string()) })
    }
}
