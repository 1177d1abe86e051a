//! The events that a subscriber has handled.

use std::{sync::Arc, time::Duration};

use graceful::{
    StepError,
    backends::{Inbox, InboxEntry, ReceivedEvent, Reply},
};
use graceful_sql::{PURGED_AT_ONCE, indexed, purge, values::length};
use sqlx::{Sqlite, Transaction};

use super::{Store, lock, now};

/// Consumer, source and id, as they are stored.
fn name(consumer: &str, event: &ReceivedEvent) -> [String; 3] {
    [consumer, &event.source, &event.id].map(|part| indexed(part).into_owned())
}

impl Store {
    /// Deletes the entries of events that were handled at least this long ago, a thousand per transaction. Choose a time longer than the
    /// retention of the stream: an event whose entry was deleted is handled again if it is redelivered.
    ///
    /// If it is dropped half-way, some entries have been deleted.
    ///
    /// # Errors
    /// Fails if the database is locked, or its file was deleted.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    ///
    /// # let path = std::env::temp_dir().join(format!("graceful-inbox-{}.db", std::process::id()));
    /// let store = graceful_sqlite::Store::open(&path).await?;
    /// let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
    /// assert_eq!(store.purge_inbox(month).await?, 0);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn purge_inbox(&self, age: Duration) -> Result<u64, StepError> {
        self.purge(
            "DELETE FROM graceful_inbox_attempts WHERE (consumer, source, id) IN \
             (SELECT consumer, source, id FROM graceful_inbox_attempts WHERE at <= ? LIMIT ?)",
            age,
        )
        .await?;
        self.purge(
            "DELETE FROM graceful_inbox WHERE (consumer, source, id) IN \
             (SELECT consumer, source, id FROM graceful_inbox WHERE at <= ? LIMIT ?)",
            age,
        )
        .await
    }

    async fn purge(&self, some: &'static str, age: Duration) -> Result<u64, StepError> {
        let delete = || {
            self.writer().write(move |connection| {
                Box::pin(async move {
                    let before = now().saturating_sub(length(age));
                    let query = sqlx::query(some).bind(before).bind(PURGED_AT_ONCE);
                    Ok(query.execute(connection).await?.rows_affected())
                })
            })
        };
        purge(delete).await
    }
}

/// The handler writes through the transaction, so its effects are committed atomically with the entry.
///
/// While the transaction is open it is the only writer of the database: flows are stored, and the next event is handled, after its end.
impl Inbox for Store {
    type Transaction = Transaction<'static, Sqlite>;

    async fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> Result<InboxEntry<Self::Transaction>, StepError> {
        let [consumer, source, id] = name(consumer, event);
        let (inbox, turns, file) = (self.0.inbox.clone(), Arc::clone(&self.0.turns), self.0.file.clone());
        // If `begin` were dropped half-way, the next user of the connection would get its transaction.
        let begun = Reply::within(&self.0.runtime, async move {
            file.check().map_err(StepError::caused_by)?;
            let mut transaction = inbox.begin().await.map_err(StepError::caused_by)?;
            turns.take(lock(&mut transaction)).await.map_err(StepError::caused_by)?;
            let noted = sqlx::query(
                "INSERT INTO graceful_inbox (consumer, source, id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(consumer)
            .bind(source)
            .bind(id)
            .bind(now())
            .execute(&mut *transaction)
            .await
            .map_err(StepError::caused_by)?;
            Ok(match noted.rows_affected() {
                0 => InboxEntry::Again,
                _ => InboxEntry::First(transaction),
            })
        });
        begun.await
    }

    async fn attempted(&self, consumer: &str, event: &ReceivedEvent) -> Result<Option<u32>, StepError> {
        let [consumer, source, id] = name(consumer, event);
        let attempts = self.writer().write(move |connection| {
            let (consumer, source, id) = (consumer.clone(), source.clone(), id.clone());
            Box::pin(async move {
                let query = sqlx::query_scalar(
                    "INSERT INTO graceful_inbox_attempts (consumer, source, id, attempts, at) VALUES (?, ?, ?, 1, ?) \
                     ON CONFLICT DO UPDATE SET attempts = attempts + 1, at = excluded.at RETURNING attempts",
                );
                let query = query.bind(consumer).bind(source).bind(id).bind(now());
                query.fetch_one(connection).await
            })
        });
        attempts.await.map(Some)
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StepError> {
        let file = self.0.file.clone();
        let committed = Reply::within(&self.0.runtime, async move {
            transaction.commit().await.map_err(StepError::caused_by)?;
            file.check().map_err(StepError::caused_by)
        });
        committed.await
    }
}
