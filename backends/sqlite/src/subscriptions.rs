//! The state of subscribers.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use graceful::{
    StepError,
    backends::{InboxTransaction, Progress, ReaderId, Reply, Subscriptions},
};
use graceful_sql::values::position;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use super::{Store, Tables, lock, now, writer::Running};

/// Records progress: in partitions that the process holds, it moves the positions and records the handled events.
async fn advance(
    connection: &mut SqliteConnection,
    reader: &ReaderId,
    progress: &[Progress],
    handled: &[(i64, u64)],
) -> Result<u32, sqlx::Error> {
    let mut recorded = 0;
    for Progress { partition, handled_to, begun_to, .. } in progress {
        let update = sqlx::query_scalar::<_, i64>(
            "UPDATE graceful_partitions SET handled_to = max(handled_to, ?3), begun_to = max(handled_to, ?3, ?4) \
             WHERE subscriber = (SELECT id FROM graceful_subscribers WHERE key = ?1) AND process = ?2 AND partition = ?5 \
             RETURNING partition",
        );
        let update = update.bind(Tables::subscriber_key(&reader.subscriber)).bind(reader.process);
        let update = update.bind(position(*handled_to)).bind(position(*begun_to)).bind(i16::from(*partition));
        if update.fetch_optional(&mut *connection).await?.is_some() {
            recorded |= 1 << partition;
        }
    }
    let at = now();
    let of_recorded = |(entity, _): &&(i64, u64)| recorded >> (entity & 31) & 1 == 1;
    for some in handled.iter().filter(of_recorded).collect::<Vec<_>>().chunks(HANDLED_AT_ONCE) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO graceful_fences AS fence (subscriber, entity, position, at) \
             SELECT id, column1, column2, column3 FROM graceful_subscribers, (",
        );
        insert.push_values(some, |mut row, (entity, handled)| {
            row.push_bind(entity).push_bind(position(*handled)).push_bind(at);
        });
        insert.push(") WHERE key = ").push_bind(Tables::subscriber_key(&reader.subscriber));
        insert.push(
            " ON CONFLICT (subscriber, entity) DO UPDATE SET position = excluded.position, at = excluded.at \
             WHERE fence.position < excluded.position",
        );
        insert.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(recorded)
}

/// A statement of SQLite has at most 32,766 arguments.
const HANDLED_AT_ONCE: usize = 1_000;

/// The transaction of an event.
struct Begun {
    store: Store,
    transaction: Transaction<'static, Sqlite>,
}

impl InboxTransaction for Begun {
    fn transaction(&mut self) -> &mut (dyn Any + Send) {
        &mut self.transaction
    }

    fn commit(self: Box<Self>) -> Reply<()> {
        let Self { store, transaction } = *self;
        let runtime = store.0.runtime.clone();
        Reply::within(&runtime, async move {
            transaction.commit().await.map_err(StepError::caused_by)?;
            store.0.file.check().map_err(StepError::caused_by)
        })
    }
}

async fn begun(
    store: Store,
    reader: ReaderId,
    entity: i64,
    position: u64,
    released: bool,
) -> Result<Option<Box<dyn InboxTransaction>>, StepError> {
    let (inbox, turns) = (store.0.inbox.clone(), Arc::clone(&store.0.turns));
    store.0.file.check().map_err(StepError::caused_by)?;
    let mut transaction = inbox.begin().await.map_err(StepError::caused_by)?;
    turns.take(lock(&mut transaction)).await.map_err(StepError::caused_by)?;
    let is_first = match released {
        true => Tables::begin_released(&mut transaction, &reader, entity, position, true).await,
        false => Tables::begin_event(&mut transaction, &reader, entity, position, true).await,
    };
    let is_first = is_first.map_err(StepError::caused_by)?;
    Ok(is_first.then(|| Box::new(Begun { store, transaction }) as _))
}

impl Store {
    /// Runs a change by the writer.
    fn change<A, T, F>(&self, arguments: A, change: F) -> Reply<T>
    where
        A: Clone + Send + Sync + 'static,
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection, A) -> Running<'c, T> + Send + 'static,
    {
        self.writer().write(move |connection| change(connection, arguments.clone()))
    }
}

impl Subscriptions for Store {
    graceful_sql::subscription_methods!(Tables, read);

    fn advance(&self, reader: ReaderId, progress: Vec<Progress>, handled: Vec<(i64, u64)>) -> Reply<u32> {
        self.change((reader, progress, handled), |connection, (reader, progress, handled)| {
            Box::pin(async move { advance(connection, &reader, &progress, &handled).await })
        })
    }

    /// The handler writes through the transaction, so its effects are committed atomically with the record that the event was handled. While it is open it
    /// is the only writer of the database.
    fn begin(
        &self,
        reader: ReaderId,
        entity: i64,
        position: u64,
        released: bool,
    ) -> Reply<Option<Box<dyn InboxTransaction>>> {
        // If it were dropped half-way, the next user of the connection would get its transaction.
        Reply::within(&self.0.runtime, begun(self.clone(), reader, entity, position, released))
    }

    fn transaction_type(&self) -> Option<TypeId> {
        Some(TypeId::of::<Transaction<'static, Sqlite>>())
    }
}
