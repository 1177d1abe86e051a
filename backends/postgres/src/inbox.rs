//! The events that a subscriber has handled.

use std::time::Duration;

use graceful::{
    StepError,
    backends::{Inbox, InboxEntry, ReceivedEvent, Reply},
};
use graceful_sql::{
    PURGED_AT_ONCE, indexed, purge,
    values::{broken, length},
};
use sqlx::{Postgres, Transaction};

use super::{Store, text::escaped};

/// The server finds out within half a minute that a subscriber's machine has vanished: nothing else ends its transaction.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL tcp_keepalives_idle = 15; \
                     SET LOCAL tcp_keepalives_interval = 5; SET LOCAL tcp_keepalives_count = 3";

/// Consumer, source and id, as they are stored.
fn name(consumer: &str, event: &ReceivedEvent) -> [String; 3] {
    [consumer, &event.source, &event.id].map(|part| escaped(&indexed(part)))
}

impl Store {
    /// Deletes the entries of events that were handled at least this long ago, a thousand per statement. Choose a time longer than the
    /// retention of the stream: an event whose entry was deleted is handled again if it is redelivered.
    ///
    /// If it is dropped half-way, some entries have been deleted.
    ///
    /// # Errors
    /// Fails if the server is unavailable.
    ///
    /// ```no_run
    /// # async fn example(store: graceful_postgres::Store) -> Result<(), graceful::StepError> {
    /// let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
    /// store.purge_inbox(month).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn purge_inbox(&self, age: Duration) -> Result<u64, StepError> {
        self.purge(
            "DELETE FROM graceful_inbox_attempts WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM graceful_inbox_attempts WHERE at <= graceful_now() - $1 LIMIT $2))",
            age,
        )
        .await?;
        self.purge(
            "DELETE FROM graceful_inbox WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM graceful_inbox WHERE at <= graceful_now() - $1 LIMIT $2))",
            age,
        )
        .await
    }

    async fn purge(&self, some: &'static str, age: Duration) -> Result<u64, StepError> {
        let delete = || {
            self.insist(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(some).bind(length(age)).bind(i64::from(PURGED_AT_ONCE));
                    Ok(query.execute(connection).await?.rows_affected())
                })
            })
        };
        purge(delete).await
    }
}

/// The handler writes through the transaction, so its effects are committed atomically with the entry.
impl Inbox for Store {
    type Transaction = Transaction<'static, Postgres>;

    async fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> Result<InboxEntry<Self::Transaction>, StepError> {
        let name = name(consumer, event);
        let store = self.clone();
        // If `begin` were dropped half-way, the next user of the connection would get its transaction.
        let begun = Reply::within(&self.runtime, async move {
            let mut transaction = store.within(store.inbox.begin_with(BEGIN)).await?;
            let [consumer, source, id] = name;
            let noted = sqlx::query(
                "INSERT INTO graceful_inbox (consumer, source, id, at) VALUES ($1, $2, $3, graceful_now()) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(consumer)
            .bind(source)
            .bind(id)
            // A pooler reuses the connection for other clients, so nothing may stay prepared on it.
            .persistent(!store.is_pooled)
            .execute(&mut *transaction);
            // If another open transaction has recorded the event, this waits for its end.
            let noted = store.within(noted).await?;
            Ok(match noted.rows_affected() {
                0 => InboxEntry::Again,
                _ => InboxEntry::First(transaction),
            })
        });
        begun.await
    }

    async fn attempted(&self, consumer: &str, event: &ReceivedEvent) -> Result<Option<u32>, StepError> {
        let [consumer, source, id] = name(consumer, event);
        let attempts = self.insist(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(
                    "INSERT INTO graceful_inbox_attempts AS tried (consumer, source, id, attempts, at) \
                     VALUES ($1, $2, $3, 1, graceful_now()) \
                     ON CONFLICT (consumer, source, id) DO UPDATE SET attempts = tried.attempts + 1, at = excluded.at \
                     RETURNING attempts::bigint",
                );
                let attempts: i64 = query.bind(consumer).bind(source).bind(id).fetch_one(connection).await?;
                u32::try_from(attempts).map_err(broken)
            })
        });
        attempts.await.map(Some)
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StepError> {
        let store = self.clone();
        let committed = Reply::within(&self.runtime, async move { commit(&store, transaction).await });
        committed.await
    }
}

/// Commits. If a statement has failed, the server would roll back and confirm it; asked by another statement, it refuses.
pub(super) async fn commit(
    store: &Store,
    mut transaction: Transaction<'static, Postgres>,
) -> Result<(), StepError> {
    let committed = async {
        sqlx::query("SELECT 1").persistent(!store.is_pooled).execute(&mut *transaction).await?;
        transaction.commit().await
    };
    Ok(store.within(committed).await?)
}
