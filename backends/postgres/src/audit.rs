//! The audit log, as a chain: see [`chain`](graceful_sql::audit_chain).

use std::{collections::HashSet, sync::Arc, time::Duration};

use graceful::{
    Flow, StepError,
    backends::{AuditCursor, AuditLog, AuditQuery, AuditRecord, BoxFuture, Page, RecordCheck, Reply},
};
use graceful_sql::{
    audit_chain::{AuditHead, Follow, Rewrite, Tampered},
    values::micros,
};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{
    Failed, Store, Tables,
    batches::{Batched, Batches},
    begin_alone,
    text::escaped,
};

/// The chain has one writer at a time.
const LOCK: &str = "graceful_audit ";

/// The record of a flow that is appended.
pub(super) struct Record {
    flow: Uuid,
    entity: String,
    text: String,
    at: i64,
    actor: Option<String>,
}

impl Record {
    fn of(flow: &Flow) -> Result<Self, StepError> {
        let record = AuditRecord::of(flow);
        let text = serde_json::to_string(&record).map_err(StepError::caused_by)?;
        let (at, actor) = (micros(record.at), record.actor.as_deref().map(escaped));
        Ok(Self { flow: flow.id(), entity: flow.entity().to_string(), text, at, actor })
    }
}

/// The chain is one list, so records are appended one after the other.
impl Batched for Record {
    type Answer = ();

    fn batches(store: &Store) -> &Batches<Self> {
        &store.waiting.records
    }

    fn write(store: Store, records: Vec<Arc<Self>>, limit: Duration) -> BoxFuture<Result<Vec<()>, Failed>> {
        Box::pin(async move {
            let (attempt, answers) = (store.breaker.admit()?, vec![(); records.len()]);
            let append = store.attempted(attempt, limit, move |connection| {
                Box::pin(async move { append(connection, &records).await })
            });
            append.await?;
            Ok(answers)
        })
    }
}

async fn append(connection: &mut PgConnection, records: &[Arc<Record>]) -> Result<(), sqlx::Error> {
    let mut transaction = begin_alone(connection, LOCK, "").await?;
    let flows: Vec<Uuid> = records.iter().map(|record| record.flow).collect();
    let known = sqlx::query(
        "(SELECT seq, hash, NULL::uuid AS flow FROM graceful_audit ORDER BY seq DESC LIMIT 1) \
         UNION ALL SELECT NULL, NULL, flow FROM graceful_audit WHERE flow = ANY($1)",
    )
    .bind(flows)
    .fetch_all(&mut *transaction)
    .await?;
    let (mut last, mut done) = (AuditHead::EMPTY, HashSet::new());
    for row in &known {
        match row.try_get("flow")? {
            Some(flow) => drop(done.insert(flow)),
            None => last = Tables::decode_head(row)?,
        }
    }
    let mut chained = Vec::new();
    for record in records {
        // A flow that is delivered again is recorded once.
        if done.insert(record.flow) {
            last = last.next(record.flow.as_bytes(), &record.entity, &record.text);
            chained.push((&**record, last));
        }
    }
    sqlx::query(
        "INSERT INTO graceful_audit (seq, flow, entity, record, hash, at, actor) \
         SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[])",
    )
    .bind(column(&chained, |_, head| head.sequence))
    .bind(column(&chained, |record, _| record.flow))
    .bind(column(&chained, |record, _| record.entity.as_str()))
    .bind(column(&chained, |record, _| record.text.as_str()))
    .bind(column(&chained, |_, head| head.hash.as_slice()))
    .bind(column(&chained, |record, _| record.at))
    .bind(column(&chained, |record, _| record.actor.as_deref()))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

fn column<'a, T>(
    chained: &'a [(&'a Record, AuditHead)],
    value: impl Fn(&'a Record, &'a AuditHead) -> T,
) -> Vec<T> {
    chained.iter().map(|(record, head)| value(record, head)).collect()
}

/// As long as removing payloads may take.
const REWRITE: Duration = Duration::from_hours(1);

async fn remove_payloads(
    connection: &mut PgConnection,
    known: Option<AuditHead>,
) -> Result<Result<AuditHead, Tampered>, sqlx::Error> {
    let mut transaction = begin_alone(connection, LOCK, "").await?;
    // Pages are hashed between two statements; the transaction waits for no other session meanwhile.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *transaction).await?;
    let before = match Tables::follow(&mut transaction, known).await? {
        Ok(head) => head,
        Err(tampered) => return Ok(Err(tampered)),
    };
    let mut rewrite = Rewrite::new();
    loop {
        let (changed, is_end) = Tables::rewrite_page(&mut transaction, &mut rewrite).await?;
        sqlx::query(
            "UPDATE graceful_audit AS audit SET hash = new.hash, record = coalesce(new.record, audit.record) \
             FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS new (seq, hash, record) WHERE audit.seq = new.seq",
        )
        .bind(changed.iter().map(|new| new.head.sequence).collect::<Vec<_>>())
        .bind(changed.iter().map(|new| new.head.hash.as_slice()).collect::<Vec<_>>())
        .bind(changed.iter().map(|new| new.text.as_deref()).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        if is_end {
            break;
        }
    }
    let head = Tables::end_rewrite(&mut transaction, rewrite, before).await?;
    transaction.commit().await?;
    Ok(Ok(head))
}

impl Store {
    /// Verifies the audit log's chain from its first record, and returns its head. Store the head elsewhere, and pass it as `known` the next
    /// time: then a log that was truncated or completely rewritten is detected too.
    ///
    /// It reads the whole log. Records can be appended meanwhile.
    ///
    /// # Errors
    /// Fails if a record was edited, deleted or moved, with [`Tampered`] as the source of the error, or if the log cannot be read.
    ///
    /// ```no_run
    /// # async fn example(store: graceful_postgres::Store) -> Result<(), graceful::StepError> {
    /// let head = store.verify(None).await?;
    /// // Later:
    /// store.verify(Some(&head)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn verify(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let mut chain = Follow::new(known.copied());
        loop {
            let page = self.run(move |connection| Box::pin(Tables::follow_page(connection, chain))).await?;
            let (further, is_end) = page.map_err(StepError::caused_by)?;
            if is_end {
                return further.end().map_err(StepError::caused_by);
            }
            chain = further;
        }
    }

    /// Removes the payloads from records of earlier versions, which contained the whole flow, and rewrites the chain. A new record contains the
    /// number of changed records and the previous head. Returns the new head, to be stored instead of `known`, or the current head if there
    /// was nothing to remove.
    ///
    /// The log is [verified](Self::verify) first in the same transaction, so that a tampered log cannot become valid. Meanwhile
    /// appending waits in all processes, and steps that exceed their time budget fail: if the log is long, stop the service first. It may take an
    /// hour; dropping the future does not stop it.
    ///
    /// Removed payloads remain in the table until it is vacuumed, and in backups and replicas.
    ///
    /// # Errors
    /// Fails like [`verify`](Self::verify), or if a record cannot be read. Then nothing is changed.
    ///
    /// ```no_run
    /// # async fn example(store: graceful_postgres::Store) -> Result<(), graceful::StepError> {
    /// let head = store.remove_audit_payloads(None).await?;
    /// store.verify(Some(&head)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_audit_payloads(&self, known: Option<&AuditHead>) -> Result<AuditHead, StepError> {
        let (patient, known) = (self.clone().timeout(REWRITE), known.copied());
        let removed =
            patient.run(move |connection| Box::pin(async move { remove_payloads(connection, known).await }));
        removed.await?.map_err(StepError::caused_by)
    }
}

impl AuditLog for Store {
    fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
        match Record::of(flow) {
            Ok(record) => self.write(record),
            Err(error) => Reply::failed(error),
        }
    }

    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::audit_records(connection, &query).await })
        })
    }

    fn verified(&self, query: AuditQuery) -> Reply<Page<(AuditRecord, RecordCheck), AuditCursor>> {
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::verified_records(connection, &query).await })
        })
    }

    fn verify_chain(&self, known: Option<&str>) -> Reply<String> {
        let (store, known) = (self.clone(), AuditHead::known(known));
        Reply::pending(async move { Ok(store.verify(known?.as_ref()).await?.to_string()) })
    }
}
