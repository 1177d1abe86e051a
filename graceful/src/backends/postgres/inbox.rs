//! The events that a subscriber has handled.

use jiff::Timestamp;
use sqlx::{Postgres, Transaction};

use super::{PURGED_AT_ONCE, Store, micros, number, text::escaped};
use crate::{
    StepError,
    backends::{Inbox, InboxEntry, ReceivedEvent, Reply},
};

impl Store {
    /// Forgets the events that were handled before a time, a thousand in one statement. Let it be longer ago than the stream keeps
    /// them: what is forgotten, and comes again, is handled again.
    ///
    /// Dropped half-way, it has forgotten some.
    ///
    /// # Errors
    /// The server is away.
    ///
    /// ```no_run
    /// # async fn example(store: graceful::backends::postgres::Store) -> Result<(), graceful::StepError> {
    /// use graceful::backends::Timestamp;
    ///
    /// let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
    /// store.purge_inbox(Timestamp::now() - month).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn purge_inbox(&self, before: Timestamp) -> Result<u64, StepError> {
        self.purge(
            "DELETE FROM graceful_inbox_attempts WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM graceful_inbox_attempts WHERE at < $1 LIMIT $2))",
            before,
        )
        .await?;
        self.purge(
            "DELETE FROM graceful_inbox WHERE ctid = ANY (ARRAY(\
             SELECT ctid FROM graceful_inbox WHERE at < $1 LIMIT $2))",
            before,
        )
        .await
    }

    async fn purge(&self, some: &'static str, before: Timestamp) -> Result<u64, StepError> {
        let mut purged = 0;
        loop {
            let some = self.insist(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(some).bind(micros(before)).bind(i64::from(PURGED_AT_ONCE));
                    Ok(query.execute(connection).await?.rows_affected())
                })
            });
            let some = some.await?;
            purged += some;
            if some < PURGED_AT_ONCE.into() {
                return Ok(purged);
            }
        }
    }
}

/// The transaction is the handler's own: what it writes through it becomes true with the entry, or not at all.
impl Inbox for Store {
    type Transaction = Transaction<'static, Postgres>;

    async fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> Result<InboxEntry<Self::Transaction>, StepError> {
        let name = [consumer, &event.source, &event.id].map(escaped);
        let store = self.clone();
        // A beginning that is dropped half-way would leave its transaction to the next who gets the connection.
        let begun = Reply::within(&self.runtime, async move {
            let mut transaction = store.within(store.inbox.begin()).await?;
            let [consumer, source, id] = name;
            let noted = sqlx::query(
                "INSERT INTO graceful_inbox (consumer, source, id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            )
            .bind(consumer)
            .bind(source)
            .bind(id)
            .bind(micros(Timestamp::now()))
            .execute(&mut *transaction);
            // Where another has noted it, and is still at it, this waits for its end.
            let noted = store.within(noted).await?;
            Ok(match noted.rows_affected() {
                0 => InboxEntry::Again,
                _ => InboxEntry::First(transaction),
            })
        });
        begun.await
    }

    async fn attempted(&self, consumer: &str, event: &ReceivedEvent) -> Result<Option<u32>, StepError> {
        let [consumer, source, id] = [consumer, &event.source, &event.id].map(escaped);
        let attempts = self.insist(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(
                    "INSERT INTO graceful_inbox_attempts AS tried (consumer, source, id, attempts, at) \
                     VALUES ($1, $2, $3, 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) \
                     ON CONFLICT (consumer, source, id) DO UPDATE SET attempts = tried.attempts + 1, at = excluded.at \
                     RETURNING attempts::bigint",
                );
                let attempts: i64 = query.bind(consumer).bind(source).bind(id).fetch_one(connection).await?;
                number(attempts)
            })
        });
        attempts.await.map(Some)
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StepError> {
        let store = self.clone();
        let committed =
            Reply::within(&self.runtime, async move { Ok(store.within(transaction.commit()).await?) });
        committed.await
    }
}
