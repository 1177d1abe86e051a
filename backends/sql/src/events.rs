//! The table of the event log.

use std::time::Duration;

use graceful::backends::{LogPage, LogQuery, LogSpan, LoggedEvent};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};

use crate::{
    PURGED_AT_ONCE,
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{count, length, position},
};

/// How long events are stored at least; longer if a registered subscriber has not read them.
const RETENTION: Duration = Duration::from_hours(7 * 24);

/// How long events are stored at most.
const LONGEST_RETENTION: Duration = Duration::from_hours(30 * 24);

/// The position up to which every registered subscriber has read.
const READ_TO: &str = "coalesce((SELECT min(handled_to) FROM graceful_subscribers JOIN graceful_partitions ON subscriber = id \
    WHERE reads_log), 9223372036854775807)";

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    usize: ColumnIndex<Row<D>>,
{
    /// Reads a page of the event log. What is not selected is not read, apart from its position.
    pub async fn read_log(connection: &mut Connection<D>, query: &LogQuery) -> Result<LogPage, Error> {
        // One scan of the index, whatever the planner knows of the table.
        let mut select = QueryBuilder::new(
            "SELECT purged_to, page.position, page.entity, page.payload FROM graceful_event_log LEFT JOIN \
             (SELECT position, entity, CASE WHEN TRUE",
        );
        if query.partitions != u32::MAX {
            select.push(" AND ((CAST(1 AS BIGINT) << CAST(entity & 31 AS INTEGER)) & ");
            select.push_bind(i64::from(query.partitions)).push(") <> 0");
        }
        for (column, wanted) in
            [("type", &query.event), ("aggregatetype", &query.pattern), ("source", &query.service)]
        {
            if let Some(wanted) = wanted {
                select.push(format_args!(" AND {column} = ")).push_bind(D::escaped(wanted).into_owned());
            }
        }
        select.push(" THEN payload END AS payload FROM graceful_events WHERE position > ");
        select.push_bind(position(query.after)).push(" ORDER BY position LIMIT ");
        select.push_bind(count(query.limit)).push(") AS page ON TRUE");
        let rows = select.build().fetch_all(connection).await?;
        let mut page = LogPage::new(Vec::with_capacity(rows.len()), query.after);
        for row in &rows {
            page.purged_to = row.try_get::<i64, _>(0)?.unsigned_abs();
            let Some(position) = row.try_get::<Option<i64>, _>(1)? else { continue };
            let position = position.unsigned_abs();
            page.read_to = page.read_to.max(position);
            if let Some(body) = row.try_get::<Option<String>, _>(3)? {
                page.events.push(LoggedEvent::new(position, row.try_get(2)?, body.into_bytes()));
            }
        }
        // The join promises no order. A server that sorts the joined rows copies each payload once more.
        page.events.sort_unstable_by_key(|event| event.position);
        Ok(page)
    }

    /// Reads which positions the event log has.
    pub async fn log_span(connection: &mut Connection<D>) -> Result<LogSpan, Error> {
        let query = sqlx::query(
            "SELECT purged_to, coalesce((SELECT max(position) FROM graceful_events), 0) AS newest FROM graceful_event_log",
        );
        let row = query.fetch_one(connection).await?;
        let (purged_to, newest) = (Self::number(&row, "purged_to")?, Self::number(&row, "newest")?);
        Ok(LogSpan::new(purged_to, u64::max(purged_to, newest)))
    }

    /// Returns up to where the oldest events can be deleted: at most a thousand, whose retention is over. `None` if there are none.
    pub async fn log_purgeable(connection: &mut Connection<D>) -> Result<Option<i64>, Error> {
        let mut query = QueryBuilder::new(format!("WITH oldest AS (SELECT position, at <= {} - ", D::NOW));
        query.push_bind(length(LONGEST_RETENTION)).push(format_args!(" OR (at <= {} - ", D::NOW));
        query.push_bind(length(RETENTION)).push(format_args!(" AND position <= {READ_TO}) AS is_over"));
        query.push(" FROM graceful_events ORDER BY position LIMIT ").push_bind(i64::from(PURGED_AT_ONCE));
        // The clock may have been set back, and no position may be deleted before an earlier one.
        query.push(
            ") SELECT max(position) FROM oldest WHERE position < \
             coalesce((SELECT min(position) FROM oldest WHERE NOT is_over), 9223372036854775807)",
        );
        query.build().fetch_one(connection).await?.try_get(0)
    }

    /// Deletes events up to a position. Returns their number. The position is recorded first: a reader must not miss events without knowing.
    pub async fn purge_log(connection: &mut Connection<D>, to: i64) -> Result<u64, Error> {
        let record = "UPDATE graceful_event_log SET purged_to = $1 WHERE purged_to < $1";
        sqlx::query(record).bind(to).execute(&mut *connection).await?;
        let delete =
            sqlx::query("DELETE FROM graceful_events WHERE position <= $1 RETURNING position").bind(to);
        Ok(delete.fetch_all(connection).await?.len() as u64)
    }
}
