//! The audit log, as a chain: see [`chain`](graceful_sql::audit_chain).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graceful::{
    Flow, StepError,
    backends::{AuditCursor, AuditLog, AuditQuery, AuditRecord, Page, RecordCheck, Reply},
};
use graceful_sql::{
    audit_chain::{AuditHead, Follow, Rewrite, Tampered},
    values::micros,
};
use sqlx::{PgConnection, Row as _};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Store, Tables, begin_alone, text::escaped};

/// The chain has one writer at a time.
const LOCK: &str = "graceful_audit ";

/// The limit of records per statement, so that a backlog after a slow phase does not overload the server.
const APPENDED_AT_ONCE: usize = 1000;

/// The record of a flow that is appended.
struct Record {
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

/// The records that wait for the chain. Only one writer at a time can append, so it appends all records that have arrived
/// meanwhile at once.
#[derive(Default)]
pub(super) struct Appending(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Vec<(Record, oneshot::Sender<Result<(), StepError>>)>,
    is_written: bool,
}

impl Appending {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes records until none waits. If it is dropped with its runtime, its waiting callers get an error.
struct Writing {
    store: Store,
    done: bool,
}

impl Writing {
    async fn run(mut self) {
        loop {
            let waiting = {
                let mut queue = self.store.appending.queue();
                self.done = queue.waiting.is_empty();
                queue.is_written = !self.done;
                let some = queue.waiting.len().min(APPENDED_AT_ONCE);
                queue.waiting.drain(..some).collect::<Vec<_>>()
            };
            if self.done {
                return;
            }
            let (records, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
            let appended = self
                .store
                .run(move |connection| Box::pin(async move { append(connection, records).await }))
                .await;
            for answer in answers {
                // A caller that was dropped needs no answer.
                let _ = answer.send(appended.clone());
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.done {
            *self.store.appending.queue() = Queue::default();
        }
    }
}

async fn append(connection: &mut PgConnection, records: Vec<Record>) -> Result<(), sqlx::Error> {
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
            chained.push((record, last));
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
    chained: &'a [(Record, AuditHead)],
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
        let record = match Record::of(flow) {
            Ok(record) => record,
            Err(error) => return Err(error).into(),
        };
        let (answer, answered) = oneshot::channel();
        let is_written = {
            let mut queue = self.appending.queue();
            queue.waiting.push((record, answer));
            std::mem::replace(&mut queue.is_written, true)
        };
        if !is_written {
            self.runtime.spawn(Writing { store: self.clone(), done: false }.run());
        }
        Reply::pending(async {
            answered.await.unwrap_or_else(|_| {
                Err(StepError::new("the runtime that the store was connected in has ended"))
            })
        })
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
