//! The table of pauses.

use graceful::backends::{Count, Lane, Pause, PauseTarget};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    groups::limit,
    indexed,
    queries::{EXAMINED, in_index},
    values::{at, count, number_of, numbered},
};

fn kind(target: &PauseTarget) -> i16 {
    number_of(&PauseTarget::KINDS, &target.kind())
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
{
    /// Reads the pauses.
    pub async fn pauses(connection: &mut Connection<D>) -> Result<Vec<Pause>, Error> {
        let rows =
            sqlx::query("SELECT * FROM graceful_pauses ORDER BY kind, key").fetch_all(connection).await?;
        let pause = |row: &Row<D>| {
            let (kind, name): (i16, _) = (row.try_get("kind")?, Self::text(row, "name")?);
            // A newer version can pause more.
            let kind = numbered(&PauseTarget::KINDS, kind);
            let Some(target) = kind.and_then(|kind| PauseTarget::of(kind, &name)) else { return Ok(None) };
            let (operator, reason) = (Self::text(row, "operator")?, Self::text(row, "reason")?);
            Ok(Some(Pause::new(target, operator, reason, at(row.try_get("at")?))))
        };
        rows.iter().filter_map(|row| pause(row).transpose()).collect()
    }

    /// Pauses. Returns false if the target is paused already.
    pub async fn pause(
        connection: &mut Connection<D>,
        target: &PauseTarget,
        operator: &str,
        reason: &str,
    ) -> Result<bool, Error> {
        let lane = match target {
            PauseTarget::Handler(handler) => Lane::of(handler, "").handler(),
            _ => 0,
        };
        let statement = format!(
            "INSERT INTO graceful_pauses (kind, key, name, lane, operator, reason, at) VALUES ($1, $2, $3, $4, $5, $6, {}) \
             ON CONFLICT DO NOTHING RETURNING kind",
            D::NOW
        );
        let name = D::escaped(target.name()).into_owned();
        let query =
            sqlx::query(AssertSqlSafe(statement)).bind(kind(target)).bind(indexed(&name).into_owned());
        let query = query.bind(name).bind(lane).bind(D::escaped(operator).into_owned());
        let inserted = query.bind(D::escaped(reason).into_owned()).fetch_optional(connection).await?;
        Ok(inserted.is_some())
    }

    /// Ends a pause, and wakes the relays. Returns false if the target is not paused.
    pub async fn resume(connection: &mut Connection<D>, target: &PauseTarget) -> Result<bool, Error> {
        let delete = "DELETE FROM graceful_pauses WHERE kind = $1 AND key = $2 RETURNING kind";
        let name = D::escaped(target.name());
        let query = sqlx::query(delete).bind(kind(target)).bind(indexed(&name).into_owned());
        let ended = query.fetch_optional(&mut *connection).await?.is_some();
        if ended && let Some(wake) = D::WAKE {
            sqlx::query(wake).fetch_optional(connection).await?;
        }
        Ok(ended)
    }

    /// Counts the queued flows of other handlers of the entities that have queued flows of this one.
    pub async fn waiting_behind(
        connection: &mut Connection<D>,
        handler: &str,
        cap: u64,
    ) -> Result<Count, Error> {
        let in_table = D::HANDLER;
        let statement = format!(
            "WITH entities AS MATERIALIZED (SELECT entity FROM graceful_flows WHERE state = 0 AND {in_table} = $1 AND handler = $2 \
             ORDER BY {in_table}, stored_at, id LIMIT $3) \
             SELECT (SELECT count(*) FROM entities) AS examined, CAST(coalesce(sum((SELECT count(*) FROM (SELECT 1 FROM graceful_flows AS flow \
             WHERE flow.state = 0 AND flow.entity = found.entity AND flow.handler <> $2 ORDER BY flow.entity, flow.seq LIMIT $4) AS part)), 0) \
             AS bigint) AS behind FROM (SELECT DISTINCT entity FROM entities) AS found"
        );
        let handler = D::escaped(handler).into_owned();
        let query = sqlx::query(AssertSqlSafe(statement)).bind(in_index(&handler)).bind(handler);
        let query = query.bind(count(EXAMINED)).bind(limit(cap.saturating_add(1)));
        let row = query.fetch_one(connection).await?;
        let mut behind = Count::capped(Self::number(&row, "behind")?, cap);
        behind.more |= Self::number::<usize>(&row, "examined")? >= EXAMINED;
        Ok(behind)
    }
}
