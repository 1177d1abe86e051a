//! Parked events, and the fences of entities.

use graceful::{
    Text,
    backends::{ParkedEvent, ReaderId, Resubmitted},
};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use super::in_bits;
use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{count, position},
};

const COLUMNS: &str = "position, entity, body, attempts, error, is_released";

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> &'v [u8]: Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> bool: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    fn decode_parked(row: &Row<D>) -> Result<ParkedEvent, Error> {
        let (position, attempts) = (Self::number(row, "position")?, Self::number(row, "attempts")?);
        let (body, error): (Vec<u8>, _) = (row.try_get("body")?, Self::text(row, "error")?);
        let mut event = ParkedEvent::new(position, row.try_get("entity")?, body, attempts, error);
        event.is_released = row.try_get("is_released")?;
        Ok(event)
    }

    /// Records in an open transaction that an event is handled, and locks its entity. Returns false if the event, or a later one of its entity, was
    /// handled already, or the process does not hold its partition. A statement that is not persistent leaves nothing prepared on the connection.
    pub async fn begin_event(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        entity: i64,
        at: u64,
        is_persistent: bool,
    ) -> Result<bool, Error> {
        let statement = format!(
            "INSERT INTO graceful_fences AS fence (subscriber, entity, position, at) SELECT id, $3, $4, {} \
             FROM graceful_subscribers JOIN graceful_partitions ON subscriber = id \
             WHERE key = $1 AND process = $2 AND partition = ($3 & 31) AND handled_to < $4 \
             ON CONFLICT (subscriber, entity) DO UPDATE SET position = excluded.position, at = excluded.at \
             WHERE fence.position < excluded.position RETURNING position{}",
            D::NOW,
            D::WAITED
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(&reader.subscriber));
        let query = query.bind(reader.process).bind(entity).bind(position(at)).persistent(is_persistent);
        Ok(query.fetch_optional(connection).await?.is_some())
    }

    /// Removes a released event in an open transaction, and releases the next one of its entity. Returns false if it is not released, or the process
    /// does not hold its partition.
    pub async fn begin_released(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        entity: i64,
        at: u64,
        is_persistent: bool,
    ) -> Result<bool, Error> {
        let delete = sqlx::query(
            "DELETE FROM graceful_parked_events WHERE position = $4 AND is_released AND entity = $3 AND subscriber = \
             (SELECT id FROM graceful_subscribers JOIN graceful_partitions ON subscriber = id \
             WHERE key = $1 AND process = $2 AND partition = ($3 & 31)) RETURNING subscriber",
        );
        let delete = delete.bind(Self::subscriber_key(&reader.subscriber)).bind(reader.process);
        let delete = delete.bind(entity).bind(position(at)).persistent(is_persistent);
        let Some(row) = delete.fetch_optional(&mut *connection).await? else { return Ok(false) };
        Self::release_next(connection, row.try_get("subscriber")?, entity, is_persistent).await.map(|()| true)
    }

    /// Parks an event; with `is_behind` only behind another of its entity. In a transaction.
    pub async fn park_event(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        event: &ParkedEvent,
        is_behind: bool,
    ) -> Result<bool, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, &reader.subscriber).await? else {
            return Ok(false);
        };
        if !Self::holds(&mut *connection, subscriber, reader.process, event.entity).await? {
            return Ok(false);
        }
        // Here and below: the transaction of a handler can have locked a row for as long as the handler works, and the subscriber is locked meanwhile.
        if is_behind
            && Self::first_parked(&mut *connection, subscriber, event.entity, D::NOWAIT).await?.is_none()
        {
            return Ok(false);
        }
        let fence = format!(
            "SELECT position FROM graceful_fences WHERE subscriber = $1 AND entity = $2 {}",
            D::NOWAIT
        );
        let fence = sqlx::query(AssertSqlSafe(fence)).bind(subscriber).bind(event.entity);
        fence.fetch_optional(&mut *connection).await?;
        let handle = format!(
            "INSERT INTO graceful_fences AS fence (subscriber, entity, position, at) VALUES ($1, $2, $3, {}) \
             ON CONFLICT (subscriber, entity) DO UPDATE SET position = excluded.position, at = excluded.at \
             WHERE fence.position < excluded.position RETURNING position",
            D::NOW
        );
        let at = position(event.position);
        let handle = sqlx::query(AssertSqlSafe(handle)).bind(subscriber).bind(event.entity).bind(at);
        if handle.fetch_optional(&mut *connection).await?.is_none() {
            // It was handled, although the reply was lost.
            return Ok(true);
        }
        let park = format!(
            "INSERT INTO graceful_parked_events (subscriber, position, entity, body, attempts, error, is_released, at) \
             VALUES ($1, $2, $3, $4, $5, $6, FALSE, {}) ON CONFLICT (subscriber, position) DO NOTHING",
            D::NOW
        );
        let park = sqlx::query(AssertSqlSafe(park)).bind(subscriber).bind(at).bind(event.entity);
        let park = park.bind(event.body.to_vec()).bind(i64::from(event.attempts));
        let park = park.bind(D::escaped(&event.error).into_owned());
        park.execute(connection).await.map(|_| true)
    }

    async fn first_parked(
        connection: &mut Connection<D>,
        subscriber: i64,
        entity: i64,
        lock: &str,
    ) -> Result<Option<u64>, Error> {
        let first = format!(
            "SELECT position FROM graceful_parked_events WHERE subscriber = $1 AND entity = $2 ORDER BY position LIMIT 1 {lock}"
        );
        let first = sqlx::query(AssertSqlSafe(first));
        let first = first.bind(subscriber).bind(entity).fetch_optional(connection).await?;
        first.map(|row| Self::number(&row, "position")).transpose()
    }

    /// Releases the first parked event of an entity.
    async fn release_next(
        connection: &mut Connection<D>,
        subscriber: i64,
        entity: i64,
        is_persistent: bool,
    ) -> Result<(), Error> {
        // Locked, because one that an operator discards meanwhile is not the first.
        let release = format!(
            "UPDATE graceful_parked_events SET is_released = TRUE WHERE subscriber = $1 AND position = \
             (SELECT position FROM graceful_parked_events WHERE subscriber = $1 AND entity = $2 ORDER BY position LIMIT 1 {})",
            D::LOCK
        );
        let release = sqlx::query(AssertSqlSafe(release)).bind(subscriber).bind(entity);
        release.persistent(is_persistent).execute(connection).await.map(drop)
    }

    /// Reads the released events of partitions, the oldest first.
    pub async fn released_events(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        partitions: u32,
        limit: usize,
    ) -> Result<Vec<ParkedEvent>, Error> {
        let statement = format!(
            "SELECT {COLUMNS} FROM graceful_parked_events WHERE subscriber = (SELECT id FROM graceful_subscribers WHERE key = $1) \
             AND is_released AND {}$2 ORDER BY position LIMIT $3",
            in_bits("(entity & 31)")
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(&reader.subscriber));
        let rows = query.bind(i64::from(partitions)).bind(count(limit)).fetch_all(connection).await?;
        rows.iter().map(Self::decode_parked).collect()
    }

    /// Reads the parked events of a subscriber after a position.
    pub async fn parked_events(
        connection: &mut Connection<D>,
        name: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ParkedEvent>, Error> {
        let statement = format!(
            "SELECT {COLUMNS} FROM graceful_parked_events WHERE subscriber = (SELECT id FROM graceful_subscribers WHERE key = $1) \
             AND position > $2 ORDER BY position LIMIT $3"
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(name));
        let rows = query.bind(position(after)).bind(count(limit)).fetch_all(connection).await?;
        rows.iter().map(Self::decode_parked).collect()
    }

    /// Ends a released event; in a transaction.
    pub async fn end_released(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        entity: i64,
        at: u64,
        failed: Option<&(u32, Text)>,
    ) -> Result<bool, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, &reader.subscriber).await? else {
            return Ok(false);
        };
        if !Self::holds(&mut *connection, subscriber, reader.process, entity).await? {
            return Ok(false);
        }
        let locked = format!(
            "SELECT position FROM graceful_parked_events WHERE subscriber = $1 AND position = $2 {}",
            D::NOWAIT
        );
        let locked = sqlx::query(AssertSqlSafe(locked)).bind(subscriber).bind(position(at));
        locked.fetch_optional(&mut *connection).await?;
        if let Some((attempts, error)) = failed {
            let park = sqlx::query(
                "UPDATE graceful_parked_events SET attempts = $3, error = $4, is_released = FALSE \
                 WHERE subscriber = $1 AND position = $2 AND is_released RETURNING position",
            );
            let park = park.bind(subscriber).bind(position(at)).bind(i64::from(*attempts));
            let park = park.bind(D::escaped(error).into_owned());
            return Ok(park.fetch_optional(connection).await?.is_some());
        }
        let delete = sqlx::query(
            "DELETE FROM graceful_parked_events WHERE subscriber = $1 AND position = $2 AND is_released RETURNING position",
        );
        let delete = delete.bind(subscriber).bind(position(at));
        if delete.fetch_optional(&mut *connection).await?.is_none() {
            return Ok(false);
        }
        Self::release_next(connection, subscriber, entity, true).await.map(|()| true)
    }

    /// Releases a parked event if it is the first of its entity; in a transaction.
    pub async fn resubmit_parked(
        connection: &mut Connection<D>,
        name: &str,
        at: u64,
    ) -> Result<Resubmitted, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, name).await? else {
            return Ok(Resubmitted::NotParked);
        };
        let parked =
            sqlx::query("SELECT entity FROM graceful_parked_events WHERE subscriber = $1 AND position = $2");
        let parked = parked.bind(subscriber).bind(position(at)).fetch_optional(&mut *connection).await?;
        let Some(entity) = parked.map(|row| row.try_get("entity")).transpose()? else {
            return Ok(Resubmitted::NotParked);
        };
        if let Some(first) = Self::first_parked(&mut *connection, subscriber, entity, "").await?
            && first < at
        {
            return Ok(Resubmitted::WaitsBehind { first });
        }
        // An event that runs again is locked by its transaction, and released already.
        let release = sqlx::query(
            "UPDATE graceful_parked_events SET is_released = TRUE WHERE subscriber = $1 AND position = $2 AND NOT is_released",
        );
        release.bind(subscriber).bind(position(at)).execute(connection).await?;
        Ok(Resubmitted::Released)
    }

    /// Deletes a parked event, and releases the next one of its entity if it was the first; in a transaction. An event that runs again counts as not
    /// parked.
    pub async fn discard_parked(
        connection: &mut Connection<D>,
        name: &str,
        at: u64,
    ) -> Result<Option<ParkedEvent>, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, name).await? else { return Ok(None) };
        let parked = format!(
            "SELECT {COLUMNS} FROM graceful_parked_events WHERE subscriber = $1 AND position = $2 {}",
            D::SKIP_LOCKED
        );
        let parked = sqlx::query(AssertSqlSafe(parked)).bind(subscriber).bind(position(at));
        let parked = parked.fetch_optional(&mut *connection).await?;
        let Some(event) = parked.as_ref().map(Self::decode_parked).transpose()? else { return Ok(None) };
        let was_first =
            Self::first_parked(&mut *connection, subscriber, event.entity, "").await? == Some(event.position);
        let delete =
            sqlx::query("DELETE FROM graceful_parked_events WHERE subscriber = $1 AND position = $2");
        delete.bind(subscriber).bind(position(at)).execute(&mut *connection).await?;
        if was_first {
            Self::release_next(connection, subscriber, event.entity, true).await?;
        }
        Ok(Some(event))
    }
}
