//! Runs operations: each transaction changes some flows.

use std::time::Duration;

use graceful::backends::{
    ActionResult, FlowState, FlowVersion, ItemState, Operation, OperationClaim, OperationState,
};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{item_number, operation_number};
use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    flows::{COLUMNS, state},
    values::{count, length},
};

/// How many queued flows are changed in one transaction, which claims wait for.
const QUEUED_AT_ONCE: usize = 25;

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
    for<'v> Option<String>: Value<'v, D>,
{
    /// Claims an operation that is running, or not recorded. A newer version may have stored other actions.
    pub async fn claim_operation(
        connection: &mut Connection<D>,
        id: Option<Uuid>,
        lease: Duration,
    ) -> Result<Option<OperationClaim>, Error> {
        let only = if id.is_some() { "AND id = $2 " } else { "" };
        let statement = format!(
            "UPDATE graceful_operations SET token = {token}, lease_until = {now} + $1 WHERE id = (SELECT id FROM graceful_operations \
             WHERE recorded = 0 AND action <= 2 AND (lease_until IS NULL OR lease_until <= {now}) {only}ORDER BY id LIMIT 1 {skip}) RETURNING id, token",
            token = D::TOKEN,
            now = D::NOW,
            skip = D::SKIP_LOCKED,
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(length(lease));
        let query = match id {
            Some(id) => query.bind(id),
            None => query,
        };
        let claimed = query.fetch_optional(connection).await?;
        claimed.map(|row| Ok(OperationClaim::new(row.try_get("id")?, row.try_get("token")?))).transpose()
    }

    /// Goes on with an operation; in a transaction.
    pub async fn advance(
        connection: &mut Connection<D>,
        claim: OperationClaim,
        lease: Duration,
        limit: usize,
    ) -> Result<Option<Operation>, Error> {
        let Some(mut operation) = Self::claimed(&mut *connection, claim, Some(lease)).await? else {
            return Ok(None);
        };
        if operation.waiting > 0 {
            Self::observe(&mut *connection, &mut operation).await?;
        }
        Self::change(&mut *connection, &mut operation, limit).await?;
        Self::store_counts(connection, &operation).await?;
        Ok(Some(operation))
    }

    /// Skips the next flow, because the store fails to change it; in a transaction.
    pub async fn skip_next(
        connection: &mut Connection<D>,
        claim: OperationClaim,
        reason: &str,
    ) -> Result<Option<Operation>, Error> {
        let Some(mut operation) = Self::claimed(&mut *connection, claim, None).await? else {
            return Ok(None);
        };
        let next = "UPDATE graceful_operation_items SET state = 4, reason = $2 WHERE operation = $1 AND flow = \
                    (SELECT flow FROM graceful_operation_items WHERE operation = $1 AND state = 0 ORDER BY flow LIMIT 1) RETURNING flow";
        let next = sqlx::query(next).bind(claim.id).bind(D::escaped(reason).into_owned());
        if next.fetch_optional(&mut *connection).await?.is_some() {
            operation.count_refused();
            Self::store_counts(connection, &operation).await?;
        }
        Ok(Some(operation))
    }

    /// Locks a claimed operation, and extends its lease. Returns the operation, or none if the claim is lost.
    async fn claimed(
        connection: &mut Connection<D>,
        claim: OperationClaim,
        lease: Option<Duration>,
    ) -> Result<Option<Operation>, Error> {
        let statement = format!(
            "UPDATE graceful_operations SET lease_until = coalesce({now} + $3, lease_until) WHERE id = $1 AND token = $2 AND state = 2 \
             RETURNING *, {now} AS now",
            now = D::NOW
        );
        let query =
            sqlx::query(AssertSqlSafe(statement)).bind(claim.id).bind(claim.token).bind(lease.map(length));
        query.fetch_optional(connection).await?.as_ref().map(Self::decode_operation).transpose()
    }

    async fn store_counts(connection: &mut Connection<D>, operation: &Operation) -> Result<(), Error> {
        let numbers = [
            operation.done,
            operation.waiting,
            operation.failed,
            operation.skipped,
            operation.failures_in_a_row,
        ];
        let mut query = sqlx::query(
            "UPDATE graceful_operations SET done = $2, waiting = $3, failed = $4, skipped = $5, in_a_row = $6 WHERE id = $1 RETURNING id",
        )
        .bind(operation.id);
        for number in numbers {
            query = query.bind(i64::try_from(number).unwrap_or(i64::MAX));
        }
        query.fetch_optional(connection).await.map(drop)
    }

    /// Finds out which of the resubmitted flows have finished their first attempts, in the order in which they did.
    async fn observe(connection: &mut Connection<D>, operation: &mut Operation) -> Result<(), Error> {
        let columns = COLUMNS.replace(", ", ", flow.");
        let statement = format!(
            "SELECT item.flow AS item, item.resubmitted AS was_resubmitted, item.attempts AS had_attempts, flow.id AS found, \
             flow.{columns}, {} AS now FROM graceful_operation_items AS item LEFT JOIN graceful_flows AS flow ON flow.id = item.flow \
             WHERE item.operation = $1 AND item.state = 1 ORDER BY coalesce(flow.failed_at, flow.ended_at)",
            D::NOW
        );
        let rows =
            sqlx::query(AssertSqlSafe(statement)).bind(operation.id).fetch_all(&mut *connection).await?;
        let mut finished = Vec::new();
        for row in &rows {
            // A row that cannot be read counts as one that was purged.
            let found = match row.try_get::<Option<Uuid>, _>("found")? {
                Some(_) => Self::decode_summary(row).ok(),
                None => None,
            };
            let version =
                FlowVersion::new(Self::number(row, "was_resubmitted")?, Self::number(row, "had_attempts")?);
            let state = ItemState::of_resubmitted(found.as_ref(), version);
            if state != ItemState::Waiting {
                operation.count(ItemState::Waiting, state);
                finished.push((row.try_get("item")?, state));
            }
        }
        for state in [ItemState::Done, ItemState::Failed] {
            let of_state = finished.iter().filter(|(_, finished)| *finished == state).map(|(flow, _)| *flow);
            Self::mark(&mut *connection, operation.id, state, of_state.collect()).await?;
        }
        Ok(())
    }

    /// Acts on the next flows.
    async fn change(
        connection: &mut Connection<D>,
        operation: &mut Operation,
        limit: usize,
    ) -> Result<(), Error> {
        let next = "SELECT flow, from_state, resubmitted, attempts FROM graceful_operation_items \
                    WHERE operation = $1 AND state = 0 ORDER BY operation, state, flow LIMIT $2";
        let query = sqlx::query(next).bind(operation.id).bind(count(operation.room(limit)));
        let (mut rows, mut changed) = (query.fetch_all(&mut *connection).await?, Vec::new());
        // While queued flows are changed, claims wait.
        let is_queued = |row: &Row<D>| Ok(state(row.try_get("from_state")?) == FlowState::Queued);
        if rows.iter().map(is_queued).collect::<Result<Vec<_>, Error>>()?.contains(&true) {
            rows.truncate(QUEUED_AT_ONCE);
        }
        for row in rows {
            let (flow, from) = (row.try_get("flow")?, state(row.try_get("from_state")?));
            let version =
                FlowVersion::new(Self::number(&row, "resubmitted")?, Self::number(&row, "attempts")?);
            match Self::act(&mut *connection, flow, operation.action, from, Some(version)).await? {
                ActionResult::Done => {
                    operation.count(ItemState::Left, ItemState::changed_by(operation.action));
                    changed.push(flow);
                }
                refused => {
                    operation.count(ItemState::Left, ItemState::Skipped);
                    let skip = "UPDATE graceful_operation_items SET state = 4, reason = $3 WHERE operation = $1 AND flow = $2 \
                                RETURNING flow";
                    let skip = sqlx::query(skip).bind(operation.id).bind(flow).bind(refused.to_string());
                    skip.fetch_optional(&mut *connection).await?;
                }
            }
        }
        Self::mark(connection, operation.id, ItemState::changed_by(operation.action), changed).await
    }

    /// Sets the state of items.
    async fn mark(
        connection: &mut Connection<D>,
        operation: Uuid,
        state: ItemState,
        flows: Vec<Uuid>,
    ) -> Result<(), Error> {
        if flows.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::new("UPDATE graceful_operation_items SET state = ");
        query
            .push_bind(item_number(state))
            .push(" WHERE operation = ")
            .push_bind(operation)
            .push(" AND flow IN (");
        let mut ids = query.separated(", ");
        for flow in flows {
            ids.push_bind(flow);
        }
        query.push(") RETURNING flow");
        query.build().persistent(false).fetch_all(connection).await.map(drop)
    }

    /// Ends an operation. Returns false if the claim is lost.
    pub async fn end_operation(
        connection: &mut Connection<D>,
        claim: OperationClaim,
        state: OperationState,
    ) -> Result<bool, Error> {
        let statement = format!(
            "UPDATE graceful_operations SET state = $3, ended_at = {} WHERE id = $1 AND token = $2 AND state = 2 RETURNING id",
            D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(claim.id).bind(claim.token);
        let ended = query.bind(operation_number(state)).fetch_optional(connection).await?;
        Ok(ended.is_some())
    }

    /// Stores that an operation is in the audit log. Returns false if the claim is lost.
    pub async fn record_operation(
        connection: &mut Connection<D>,
        claim: OperationClaim,
    ) -> Result<bool, Error> {
        let recorded = "UPDATE graceful_operations SET recorded = 1, token = NULL, lease_until = NULL \
                        WHERE id = $1 AND token = $2 AND state > 2 RETURNING id";
        let query = sqlx::query(recorded).bind(claim.id).bind(claim.token);
        Ok(query.fetch_optional(connection).await?.is_some())
    }
}
