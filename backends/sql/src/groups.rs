//! Groups of failures, and the lag of a store.

use std::time::Duration;

use graceful::backends::{Count, FailureGroup, FailureGroups, FlowFilter, FlowState, Lag};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    flows::state_number,
    queries::{EXAMINED, Fulfilled, conditions, count_u64},
    values::at,
};

/// How many groups are examined in one state.
const GROUPS: usize = 1000;

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
    for<'v> Option<i64>: Value<'v, D>,
{
    /// Groups the queued and dead flows by the cause of their last failure.
    pub async fn groups(
        connection: &mut Connection<D>,
        filter: &FlowFilter,
        cap: u64,
    ) -> Result<FailureGroups, Error> {
        let (mut parts, mut more) = (Vec::new(), false);
        for state in filter.states() {
            if matches!(state, FlowState::Queued | FlowState::Dead) {
                let (of_state, unexamined) = Self::groups_of(connection, state, filter, cap).await?;
                more |= unexamined;
                parts.extend(of_state);
            }
        }
        Ok(FailureGroups::merged(parts, cap, more))
    }

    /// The groups of one state, and whether there may be more.
    async fn groups_of(
        connection: &mut Connection<D>,
        state: FlowState,
        filter: &FlowFilter,
        cap: u64,
    ) -> Result<(Vec<FailureGroup>, bool), Error> {
        let number = state_number(state);
        let conditions = conditions::<D>(filter, &Fulfilled::default());
        let conditional = !conditions.is_empty() || filter.since.is_some() || filter.until.is_some();
        let examined = if conditional { count_u64(EXAMINED) } else { cap.saturating_add(1) };
        // Steps through the index, from group to group.
        let mut query = QueryBuilder::new("WITH RECURSIVE keys (failure_group, n) AS (");
        match filter.group {
            Some(group) => {
                query.push("SELECT CAST(").push_bind(group.number()).push(" AS bigint), 1");
            }
            None => {
                query.push(format_args!(
                    "SELECT min(failure_group), 1 FROM graceful_flows WHERE state = {number} AND failure_group IS NOT NULL \
                     UNION ALL SELECT (SELECT min(failure_group) FROM graceful_flows WHERE state = {number} \
                     AND failure_group > keys.failure_group), n + 1 FROM keys WHERE failure_group IS NOT NULL AND n <= {GROUPS}",
                ));
            }
        }
        let flows = |order: &str| {
            format!(
                "(SELECT * FROM graceful_flows AS flow WHERE flow.state = {number} \
                 AND flow.failure_group = keys.failure_group ORDER BY flow.failed_at {order}, flow.id {order}"
            )
        };
        query.push(format_args!(
            ") SELECT found.found, found.examined, found.first, flow.handler, flow.id, flow.failed_at, flow.step, flow.code, \
             flow.failure_group, flow.error FROM (SELECT keys.failure_group, (SELECT count(*) FROM {} LIMIT ",
            flows("DESC"),
        ));
        query.push_bind(limit(examined)).push(") AS part) AS examined, (SELECT count(*) FROM ");
        query.push(flows("DESC")).push(" LIMIT ").push_bind(limit(examined)).push(") AS part WHERE TRUE");
        Self::push_conditions(&mut query, &conditions);
        Self::push_times(&mut query, "stored_at", filter.since, filter.until);
        // Without conditions, the first failure is at the other end of the index.
        let first = if conditional { "DESC" } else { "ASC" };
        query.push(") AS found, (SELECT min(failed_at) FROM ").push(flows(first)).push(" LIMIT ");
        query.push_bind(if conditional { limit(examined) } else { 1 }).push(") AS part WHERE TRUE");
        Self::push_conditions(&mut query, &conditions);
        Self::push_times(&mut query, "stored_at", filter.since, filter.until);
        query.push(") AS first, (SELECT id FROM ").push(flows("DESC")).push(" LIMIT ");
        query.push_bind(if conditional { limit(examined) } else { 1 }).push(") AS part WHERE TRUE");
        Self::push_conditions(&mut query, &conditions);
        Self::push_times(&mut query, "stored_at", filter.since, filter.until);
        query.push(
            " ORDER BY failed_at DESC, id DESC LIMIT 1) AS example FROM keys WHERE keys.failure_group IS NOT NULL) AS found \
             LEFT JOIN graceful_flows AS flow ON flow.id = found.example",
        );
        let rows = query.build().fetch_all(connection).await?;
        let mut more = rows.len() > GROUPS;
        let mut group = |row: &Row<D>| {
            let (found, all): (u64, u64) = (Self::number(row, "found")?, Self::number(row, "examined")?);
            let Some(first) = row.try_get::<Option<i64>, _>("first")?.map(at) else {
                // The filter may select flows that were not examined.
                more |= all >= examined;
                return Ok(None);
            };
            let (last, example) = (at(row.try_get("failed_at")?), row.try_get("id")?);
            let mut group = FailureGroup::new(
                Self::text(row, "handler")?,
                Self::decode_cause(row)?,
                first,
                last,
                example,
            );
            let counted = match all < examined {
                true => Count::exact(found),
                false => Count::at_least(found),
            };
            match state {
                FlowState::Queued => group.retrying = counted,
                _ => group.dead = counted,
            }
            Ok(Some(group))
        };
        let groups = rows.iter().take(GROUPS).filter_map(|row| group(row).transpose());
        let groups = groups.collect::<Result<Vec<_>, Error>>()?;
        Ok((groups, more))
    }

    /// Counts what there is to do. The order is that of an index: without it PostgreSQL may read the table.
    pub async fn lag(connection: &mut Connection<D>, cap: u64) -> Result<Lag, Error> {
        let (head, first, now, handler) = (D::HEAD, D::FIRST, D::NOW, D::HANDLER);
        let examined = cap.saturating_add(1).max(count_u64(EXAMINED));
        let statement = format!(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM graceful_flows WHERE state = 0 ORDER BY {handler} LIMIT $1) AS part) AS queued, \
             (SELECT count(*) FROM (SELECT 1 FROM graceful_flows WHERE state = 2 ORDER BY {handler} LIMIT $1) AS part) AS dead, \
             running.found AS running, running.examined AS examined, \
             (SELECT {now} - due FROM (SELECT * FROM graceful_flows WHERE {head} AND due <= {now} ORDER BY due, seq LIMIT $2) \
             AS flow WHERE {first} ORDER BY due, seq LIMIT 1) AS waited \
             FROM (SELECT count(*) AS examined, count(token) AS found FROM \
             (SELECT token FROM graceful_flows WHERE {head} AND due > {now} ORDER BY due, seq LIMIT $2) AS part) AS running"
        );
        let query = sqlx::query(AssertSqlSafe(statement));
        let query = query.bind(limit(cap.saturating_add(1))).bind(limit(examined));
        let row = query.fetch_one(connection).await?;
        let number = |column| Self::number::<u64>(&row, column);
        let (mut lag, waited) = (Lag::default(), row.try_get::<Option<i64>, _>("waited")?);
        (lag.queued, lag.dead) = (Count::capped(number("queued")?, cap), Count::capped(number("dead")?, cap));
        lag.running = Count::capped(number("running")?, cap);
        lag.running.more |= number("examined")? >= examined;
        lag.oldest_due =
            waited.map(|waited| Duration::from_micros(u64::try_from(waited).unwrap_or_default()));
        Ok(lag)
    }
}

pub(crate) fn limit(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
