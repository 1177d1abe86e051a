//! The registry of patterns.

use graceful::{
    Flow,
    backends::{PatternTrace, PatternUse},
};
use sqlx::{ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    KEPT_PER_ENTITY,
    dialect::{Connection, Dialect, Row, Tables, Value},
    indexed,
    values::{at, count, micros},
};

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Registers the use of a pattern, and returns whether it is new: a flow that is delivered again is one use.
    pub async fn register(connection: &mut Connection<D>, flow: &Flow) -> Result<bool, Error> {
        let (pattern, entity) = (flow.registered_pattern(), flow.nexus_key().to_string());
        let pattern = indexed(&pattern);
        let pattern = D::escaped(&pattern);
        let traced = sqlx::query(
            "INSERT INTO graceful_traces (flow, entity, pattern, at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (flow) DO NOTHING RETURNING flow",
        )
        .bind(flow.id())
        .bind(&*entity)
        .bind(&*pattern)
        .bind(micros(flow.timestamp()))
        .fetch_optional(&mut *connection)
        .await?;
        if traced.is_none() {
            return Ok(false);
        }
        sqlx::query(D::DELETE_OLD_TRACES)
            .bind(entity)
            .bind(KEPT_PER_ENTITY - 1)
            .execute(&mut *connection)
            .await?;
        // Last, since in PostgreSQL all who use the pattern wait for this row.
        sqlx::query(
            "INSERT INTO graceful_patterns AS known (pattern, count, first_used, last_used) VALUES ($1, 1, $2, $2) \
             ON CONFLICT (pattern) DO UPDATE SET count = known.count + 1, \
             first_used = CASE WHEN $2 < known.first_used THEN $2 ELSE known.first_used END, \
             last_used = CASE WHEN $2 > known.last_used THEN $2 ELSE known.last_used END",
        )
        .bind(&*pattern)
        .bind(micros(flow.timestamp()))
        .execute(connection)
        .await?;
        Ok(true)
    }

    /// Reads a page of the patterns, in the order of their bytes as stored.
    pub async fn patterns(
        connection: &mut Connection<D>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<PatternUse>, Error> {
        let mut query = QueryBuilder::new("SELECT * FROM graceful_patterns");
        if let Some(after) = after {
            query.push(format_args!(" WHERE {} > ", D::PATTERN)).push_bind(D::escaped(&after).into_owned());
        }
        query.push(format_args!(" ORDER BY {} LIMIT ", D::PATTERN)).push_bind(count(limit));
        let rows = query.build().fetch_all(connection).await?;
        let used = rows.iter().map(|row| {
            let (first, last) = (at(row.try_get("first_used")?), at(row.try_get("last_used")?));
            let pattern = D::unescaped(row.try_get("pattern")?);
            Ok(PatternUse::new(pattern, Self::number(row, "count")?, first, last))
        });
        used.collect()
    }

    /// Reads the uses of an entity.
    pub async fn trace(connection: &mut Connection<D>, entity: String) -> Result<Vec<PatternTrace>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_traces WHERE entity = $1 ORDER BY at, flow");
        let rows = query.bind(entity).fetch_all(connection).await?;
        let traced = rows.iter().map(|row| {
            let pattern = D::unescaped(row.try_get("pattern")?);
            Ok(PatternTrace::new(pattern, row.try_get("flow")?, at(row.try_get("at")?)))
        });
        traced.collect()
    }
}
