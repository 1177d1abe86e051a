//! The state of subscribers.

use std::{
    any::{Any, TypeId},
    time::Duration,
};

use graceful::{
    StepError,
    backends::{InboxTransaction, Progress, ReaderId, Reply, Subscriptions},
};
use graceful_sql::values::position;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, Transaction};

use super::{Running, Store, Tables, begin, inbox};

/// Records progress in one statement: it locks the subscriber, as every change does; and in partitions that the process holds, it moves the positions and
/// records the handled events.
const ADVANCE: &str = "WITH subscriber AS MATERIALIZED (SELECT id FROM graceful_subscribers WHERE key = $1 FOR UPDATE), \
    held AS (UPDATE graceful_partitions AS held SET handled_to = greatest(held.handled_to, given.handled_to), \
    begun_to = greatest(held.handled_to, given.handled_to, given.begun_to) \
    FROM subscriber, unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS given (partition, handled_to, begun_to) \
    WHERE held.subscriber = subscriber.id AND held.partition = given.partition AND held.process = $2 RETURNING held.partition), \
    handled AS (INSERT INTO graceful_fences AS fence (subscriber, entity, position, at) \
    SELECT subscriber.id, given.entity, max(given.position), graceful_now() \
    FROM subscriber, unnest($6::bigint[], $7::bigint[]) AS given (entity, position) \
    WHERE (given.entity & 31) IN (SELECT partition FROM held) GROUP BY subscriber.id, given.entity ORDER BY given.entity \
    ON CONFLICT (subscriber, entity) DO UPDATE SET position = excluded.position, at = excluded.at \
    WHERE fence.position < excluded.position) \
    SELECT partition FROM held";

async fn advance(
    connection: &mut PgConnection,
    reader: &ReaderId,
    progress: &[Progress],
    handled: &[(i64, u64)],
) -> Result<u32, sqlx::Error> {
    let rows = sqlx::query(ADVANCE)
        .bind(Tables::subscriber_key(&reader.subscriber))
        .bind(reader.process)
        .bind(progress.iter().map(|progress| i16::from(progress.partition)).collect::<Vec<_>>())
        .bind(progress.iter().map(|progress| position(progress.handled_to)).collect::<Vec<_>>())
        .bind(progress.iter().map(|progress| position(progress.begun_to)).collect::<Vec<_>>())
        .bind(handled.iter().map(|(entity, _)| *entity).collect::<Vec<_>>())
        .bind(handled.iter().map(|(_, at)| position(*at)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter().try_fold(0, |bits, row| Ok(bits | 1 << row.try_get::<i16, _>("partition")?))
}

/// Begins the transaction of an event. It waits for the lock of an entity for less than the store waits for the reply, because the server does not notice that nobody
/// waits any more: else each attempt would leave a connection that waits. The limit of the handler's own statements is as before.
fn begin_event(timeout: Duration) -> String {
    format!(
        "{}; SELECT set_config('graceful.lock_timeout', current_setting('lock_timeout'), true); SET LOCAL lock_timeout = {}",
        inbox::BEGIN,
        (timeout / 3 * 2).as_millis()
    )
}

/// The transaction of an event.
struct Begun {
    store: Store,
    transaction: Transaction<'static, Postgres>,
}

impl InboxTransaction for Begun {
    fn transaction(&mut self) -> &mut (dyn Any + Send) {
        &mut self.transaction
    }

    fn commit(self: Box<Self>) -> Reply<()> {
        let Self { store, transaction } = *self;
        let runtime = store.runtime.clone();
        Reply::within(&runtime, async move { inbox::commit(&store, transaction).await })
    }
}

async fn begun(
    store: Store,
    reader: ReaderId,
    entity: i64,
    position: u64,
    released: bool,
) -> Result<Option<Box<dyn InboxTransaction>>, StepError> {
    let mut transaction =
        store.within(store.inbox.begin_with(AssertSqlSafe(begin_event(store.timeout)))).await?;
    // A pooler reuses the connection for other clients, so nothing may stay prepared on it.
    let persistent = !store.is_pooled;
    // If another open transaction has locked the entity, this waits for its end.
    let is_first = store.within(async {
        match released {
            true => {
                let is_first =
                    Tables::begin_released(&mut transaction, &reader, entity, position, persistent).await?;
                let waited =
                    format!("SELECT 1{}", <super::dialect::Dialect as graceful_sql::Dialect>::WAITED);
                sqlx::query(AssertSqlSafe(waited)).persistent(persistent).execute(&mut *transaction).await?;
                Ok(is_first)
            }
            false => Tables::begin_event(&mut transaction, &reader, entity, position, persistent).await,
        }
    });
    let is_first = is_first.await?;
    Ok(is_first.then(|| Box::new(Begun { store, transaction }) as _))
}

impl Store {
    /// Runs a change in one transaction.
    fn change<A, T, F>(&self, arguments: A, change: F) -> Reply<T>
    where
        A: Send + 'static,
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection, A) -> Running<'c, T> + Send + 'static,
    {
        self.run(move |connection| {
            Box::pin(async move {
                let mut transaction = begin(connection).await?;
                let changed = change(&mut transaction, arguments).await?;
                transaction.commit().await?;
                Ok(changed)
            })
        })
    }
}

impl Subscriptions for Store {
    graceful_sql::subscription_methods!(Tables, run);

    fn advance(&self, reader: ReaderId, progress: Vec<Progress>, handled: Vec<(i64, u64)>) -> Reply<u32> {
        self.run(move |connection| {
            Box::pin(async move { advance(connection, &reader, &progress, &handled).await })
        })
    }

    /// The handler writes through the transaction, so its effects are committed atomically with the record that the event was handled.
    fn begin(
        &self,
        reader: ReaderId,
        entity: i64,
        position: u64,
        released: bool,
    ) -> Reply<Option<Box<dyn InboxTransaction>>> {
        // If it were dropped half-way, the next user of the connection would get its transaction.
        Reply::within(&self.runtime, begun(self.clone(), reader, entity, position, released))
    }

    fn transaction_type(&self) -> Option<TypeId> {
        Some(TypeId::of::<Transaction<'static, Postgres>>())
    }
}
