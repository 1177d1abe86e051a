//! Events that a broker has delivered.

use std::{collections::HashSet, time::Duration};

use graceful::backends::{LogPage, LoggedEvent, NewEvent, ReaderId};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use super::in_bits;
use crate::{
    PURGED_AT_ONCE,
    dialect::{Connection, Dialect, Row, Tables, Value},
    indexed,
    values::{count, length, position},
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> bool: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Stores events, if the process copies; in a transaction.
    pub async fn receive_events(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        events: &[NewEvent],
    ) -> Result<bool, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, &reader.subscriber).await? else {
            return Ok(false);
        };
        let copier = sqlx::query("SELECT received FROM graceful_subscribers WHERE id = $1 AND copier = $2");
        let copier = copier.bind(subscriber).bind(reader.process).fetch_optional(&mut *connection).await?;
        let Some(newest) = copier.map(|row| row.try_get::<i64, _>("received")).transpose()? else {
            return Ok(false);
        };
        if events.is_empty() {
            return Ok(true);
        }
        let names = events.iter().map(|event| {
            let form = |text: &str| indexed(&D::escaped(text)).into_owned();
            [form(&event.source), form(&event.id)]
        });
        let mut known = Self::known_names(&mut *connection, subscriber, names.clone()).await?;
        let new: Vec<_> =
            names.zip(events).filter(|(name, _)| known.insert(name.clone())).zip(newest + 1..).collect();
        let Some((_, newest)) = new.last() else { return Ok(true) };
        let move_on = sqlx::query("UPDATE graceful_subscribers SET received = $2 WHERE id = $1");
        move_on.bind(subscriber).bind(*newest).execute(&mut *connection).await?;
        let mut insert = QueryBuilder::<D::Database>::new(
            "INSERT INTO graceful_received_events (subscriber, position, entity, source, id, body, at) ",
        );
        insert.push_values(new, |mut row, (([source, id], event), position)| {
            row.push_bind(subscriber).push_bind(position).push_bind(event.entity);
            row.push_bind(source).push_bind(id).push_bind(event.body.to_vec()).push(D::NOW);
        });
        insert.build().persistent(false).execute(connection).await.map(|_| true)
    }

    /// Those of these names that were received before.
    async fn known_names(
        connection: &mut Connection<D>,
        subscriber: i64,
        names: impl Iterator<Item = [String; 2]>,
    ) -> Result<HashSet<[String; 2]>, Error> {
        // A search of the index for each name, whatever the planner knows of the table.
        let mut select = QueryBuilder::<D::Database>::new("WITH given (source, id) AS (");
        select.push_values(names, |mut row, [source, id]| {
            row.push_bind(source).push_bind(id);
        });
        select.push(
            ") SELECT source, id FROM (SELECT source, id, (SELECT event.position FROM graceful_received_events AS event WHERE event.subscriber = ",
        );
        select.push_bind(subscriber).push(
            " AND event.source = given.source AND event.id = given.id) AS position FROM given) AS known WHERE position IS NOT NULL",
        );
        let rows = select.build().persistent(false).fetch_all(connection).await?;
        rows.iter().map(|row| Ok([row.try_get("source")?, row.try_get("id")?])).collect()
    }

    /// Reads received events, as the event log is read.
    pub async fn received_events(
        connection: &mut Connection<D>,
        name: &str,
        after: u64,
        partitions: u32,
        limit: usize,
    ) -> Result<LogPage, Error> {
        // The positions have no gaps but those of purged events, so a page is a range: the cost does not depend on what the planner knows.
        let statement = format!(
            "SELECT received, event.position, entity, CASE WHEN {}$4 THEN body END AS body FROM graceful_subscribers AS subscriber \
             LEFT JOIN graceful_received_events AS event ON event.subscriber = subscriber.id AND event.position > $2 AND event.position <= $3 \
             WHERE key = $1 ORDER BY event.position",
            in_bits("(entity & 31)")
        );
        let to = position(after).saturating_add(count(limit));
        let query = sqlx::query(AssertSqlSafe(statement)).bind(Self::subscriber_key(name));
        let query = query.bind(position(after)).bind(to).bind(i64::from(partitions));
        let mut page = LogPage::new(Vec::new(), after);
        for row in &query.fetch_all(connection).await? {
            let received: u64 = Self::number(row, "received")?;
            page.read_to = after.max(received.min(to.unsigned_abs()));
            if let Some(body) = row.try_get::<Option<Vec<u8>>, _>("body")? {
                let position = Self::number(row, "position")?;
                page.events.push(LoggedEvent::new(position, row.try_get("entity")?, body));
            }
        }
        Ok(page)
    }

    /// Deletes received events that were handled, and received at least this long ago.
    pub async fn purge_received_events(connection: &mut Connection<D>, age: Duration) -> Result<u64, Error> {
        let statement = format!(
            "DELETE FROM graceful_received_events WHERE (subscriber, position) IN (SELECT event.subscriber, event.position \
             FROM graceful_received_events AS event JOIN graceful_partitions AS partition \
             ON partition.subscriber = event.subscriber AND partition.partition = (event.entity & 31) \
             WHERE event.position <= partition.handled_to AND event.at <= {} - $1 \
             ORDER BY event.at LIMIT $2 {}) RETURNING position",
            D::NOW,
            D::SKIP_LOCKED
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(length(age)).bind(i64::from(PURGED_AT_ONCE));
        Ok(query.fetch_all(connection).await?.len() as u64)
    }
}
