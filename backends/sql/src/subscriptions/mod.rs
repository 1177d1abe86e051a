//! The tables of subscribers. Whatever changes the state of a subscriber locks its row first, apart from the transactions of events.

mod methods;
mod parked;
mod readers;
mod received;

use graceful::backends::{NewSubscriber, PARTITIONS, SubscriberState};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    indexed,
    values::{broken, position},
};

/// The tables that contain the state of a subscriber, by its number.
const TABLES: [&str; 6] = [
    "graceful_subscriber_processes",
    "graceful_partitions",
    "graceful_fences",
    "graceful_subscriber_attempts",
    "graceful_parked_events",
    "graceful_received_events",
];

/// The condition that a number between 0 and 31 is among the bits of an argument, which follows.
fn in_bits(number: &str) -> String {
    format!("0 <> (CAST(1 AS BIGINT) << CAST({number} AS INTEGER)) & ")
}

/// The partition of an event.
fn partition_of(entity: i64) -> i16 {
    i16::try_from(entity & i64::from(PARTITIONS - 1)).unwrap_or_default()
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> bool: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// The form of a subscriber's identity in the index.
    pub fn subscriber_key(name: &str) -> String {
        indexed(&D::escaped(name)).into_owned()
    }

    /// Locks a registered subscriber until the end of the transaction, and returns its number.
    async fn subscriber(connection: &mut Connection<D>, name: &str) -> Result<Option<i64>, Error> {
        let statement = format!("SELECT id FROM graceful_subscribers WHERE key = $1 {}", D::LOCK);
        let query = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(name));
        query.fetch_optional(connection).await?.map(|row| row.try_get("id")).transpose()
    }

    /// Whether a process holds the partition of an entity.
    async fn holds(
        connection: &mut Connection<D>,
        subscriber: i64,
        process: Uuid,
        entity: i64,
    ) -> Result<bool, Error> {
        let query = sqlx::query(
            "SELECT partition FROM graceful_partitions WHERE subscriber = $1 AND partition = $2 AND process = $3",
        );
        let query = query.bind(subscriber).bind(partition_of(entity)).bind(process);
        Ok(query.fetch_optional(connection).await?.is_some())
    }

    /// Registers a subscriber, or renames it; in a transaction. Returns whether it is new.
    pub async fn register_subscriber(
        connection: &mut Connection<D>,
        new: &NewSubscriber,
    ) -> Result<bool, Error> {
        let (key, name) = (Self::subscriber_key(&new.subscriber), D::escaped(&new.subscriber).into_owned());
        let source = D::escaped(&new.source).into_owned();
        for known in std::iter::once(&new.subscriber).chain(&new.was) {
            let statement =
                format!("SELECT id, reads_log FROM graceful_subscribers WHERE key = $1 {}", D::LOCK);
            let found = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(known));
            let Some(row) = found.fetch_optional(&mut *connection).await? else { continue };
            if row.try_get::<bool, _>("reads_log")? != new.reads_log {
                return Err(broken(NewSubscriber::reads_elsewhere()));
            }
            let rename =
                sqlx::query("UPDATE graceful_subscribers SET key = $1, name = $2, source = $3 WHERE id = $4");
            let rename = rename.bind(key).bind(name).bind(source).bind(row.try_get::<i64, _>("id")?);
            return rename.execute(connection).await.map(|_| false);
        }
        let registered = sqlx::query(
            "INSERT INTO graceful_subscribers (key, name, source, reads_log) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (key) DO NOTHING RETURNING id",
        );
        let registered = registered.bind(key).bind(name).bind(source).bind(new.reads_log);
        // Another process may have registered it meanwhile.
        let Some(row) = registered.fetch_optional(&mut *connection).await? else { return Ok(false) };
        let (id, start): (i64, _) = (row.try_get("id")?, position(new.start));
        let mut partitions = QueryBuilder::<D::Database>::new(
            "INSERT INTO graceful_partitions (subscriber, partition, handled_to, begun_to) ",
        );
        partitions.push_values(0..i16::from(PARTITIONS), |mut row, partition| {
            row.push_bind(id).push_bind(partition).push_bind(start).push_bind(start);
        });
        partitions.build().execute(connection).await.map(|_| true)
    }

    /// Lists the subscribers, by identity.
    pub async fn subscribers(connection: &mut Connection<D>) -> Result<Vec<SubscriberState>, Error> {
        let statement = format!(
            "SELECT name, source, \
             (SELECT min(handled_to) FROM graceful_partitions WHERE subscriber = id) AS handled_to, \
             (SELECT count(*) FROM graceful_subscriber_processes WHERE subscriber = id AND expires > {}) AS processes, \
             (SELECT count(*) FROM graceful_parked_events WHERE subscriber = id) AS parked FROM graceful_subscribers",
            D::NOW
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(connection).await?;
        let state = |row: &Row<D>| {
            let (name, source) = (Self::text(row, "name")?, Self::text(row, "source")?);
            let (handled_to, processes) = (Self::number(row, "handled_to")?, Self::number(row, "processes")?);
            Ok(SubscriberState::new(name, source, handled_to, processes, Self::number(row, "parked")?))
        };
        let mut all = rows.iter().map(state).collect::<Result<Vec<_>, Error>>()?;
        all.sort_by(|one, other| one.subscriber.cmp(&other.subscriber));
        Ok(all)
    }

    /// Lets a subscriber go on after a position; in a transaction.
    pub async fn skip_to(connection: &mut Connection<D>, name: &str, to: u64) -> Result<(), Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, name).await? else { return Ok(()) };
        let skip = sqlx::query(
            "UPDATE graceful_partitions SET handled_to = $2, begun_to = CASE WHEN begun_to < $2 THEN $2 ELSE begun_to END \
             WHERE subscriber = $1 AND handled_to < $2",
        );
        skip.bind(subscriber).bind(position(to)).execute(connection).await.map(drop)
    }

    /// Deletes a subscriber that no process reads, with its state; in a transaction.
    pub async fn unregister_subscriber(connection: &mut Connection<D>, name: &str) -> Result<bool, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, name).await? else { return Ok(false) };
        let alive = format!(
            "SELECT process FROM graceful_subscriber_processes WHERE subscriber = $1 AND expires > {} LIMIT 1",
            D::NOW
        );
        let alive = sqlx::query(AssertSqlSafe(alive)).bind(subscriber);
        if alive.fetch_optional(&mut *connection).await?.is_some() {
            return Ok(false);
        }
        for table in TABLES {
            let delete = format!("DELETE FROM {table} WHERE subscriber = $1");
            sqlx::query(AssertSqlSafe(delete)).bind(subscriber).execute(&mut *connection).await?;
        }
        let delete = sqlx::query("DELETE FROM graceful_subscribers WHERE id = $1").bind(subscriber);
        delete.execute(connection).await.map(|_| true)
    }
}
