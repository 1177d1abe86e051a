//! The tables of operations on many flows.

mod work;

use std::time::Duration;

use graceful::backends::{
    Action, ActionResult, FlowState, FlowVersion, ItemState, NewOperation, Operation, OperationItem,
    OperationState, Page, SelectedFlow,
};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    PURGED_AT_ONCE,
    dialect::{Connection, Dialect, Row, Tables, Value},
    flows::state_number,
    queries::count_u64,
    values::{at, broken, count, length, number_of, numbered},
};

fn action(number: i16, time: Duration) -> Result<Action, Error> {
    match number {
        0 => Ok(Action::Resubmit),
        1 => Ok(Action::Discard),
        2 => Ok(Action::Postpone(time)),
        _ => Err(broken("a newer version has stored this operation")),
    }
}

fn action_number(action: Action) -> Result<(i16, Duration), Error> {
    match action {
        Action::Resubmit => Ok((0, Duration::ZERO)),
        Action::Discard => Ok((1, Duration::ZERO)),
        Action::Postpone(time) => Ok((2, time)),
        _ => Err(broken("the store does not know this action")),
    }
}

/// The number of a state is its place among all states. An expired operation is stored as a prepared one.
fn operation_number(state: OperationState) -> i16 {
    number_of(&OperationState::ALL, &state)
}

fn item_number(state: ItemState) -> i16 {
    number_of(&ItemState::ALL, &state)
}

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
    /// Decodes an operation, from its columns and the store's time as `now`.
    fn decode_operation(row: &Row<D>) -> Result<Operation, Error> {
        let time = Duration::from_micros(Self::number(row, "time")?);
        let (selection, operator) = (Self::text(row, "selection")?, Self::text(row, "operator")?);
        let mut new = NewOperation::new(action(row.try_get("action")?, time)?, selection, operator);
        (new.id, new.verified) = (row.try_get("id")?, row.try_get::<i16, _>("verified")? != 0);
        let (prepared_at, now): (i64, i64) = (row.try_get("prepared_at")?, row.try_get("now")?);
        let stored = numbered(&OperationState::ALL, row.try_get("state")?)
            .ok_or_else(|| broken("a newer version has changed this operation"))?;
        let is_over = prepared_at.saturating_add(length(Operation::EXPIRES_AFTER)) <= now;
        let state = match stored {
            OperationState::Preparing | OperationState::Prepared if is_over => OperationState::Expired,
            state => state,
        };
        let mut operation = Operation::new(new, state, at(prepared_at));
        operation.cancelled_by = Self::optional_text(row, "cancelled_by")?;
        operation.cancelled_by_verified = row.try_get::<i16, _>("cancelled_by_verified")? != 0;
        operation.ended_at = row.try_get::<Option<i64>, _>("ended_at")?.map(at);
        (operation.selected, operation.older) = (Self::number(row, "selected")?, Self::number(row, "older")?);
        (operation.done, operation.waiting) = (Self::number(row, "done")?, Self::number(row, "waiting")?);
        (operation.failed, operation.skipped) = (Self::number(row, "failed")?, Self::number(row, "skipped")?);
        operation.failures_in_a_row = Self::number(row, "in_a_row")?;
        Ok(operation)
    }

    /// Reads one operation.
    pub async fn operation(connection: &mut Connection<D>, id: Uuid) -> Result<Option<Operation>, Error> {
        let statement = format!("SELECT *, {} AS now FROM graceful_operations WHERE id = $1", D::NOW);
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id);
        query.fetch_optional(connection).await?.as_ref().map(Self::decode_operation).transpose()
    }

    /// Stores an operation that is being prepared.
    pub async fn prepare(connection: &mut Connection<D>, operation: &NewOperation) -> Result<(), Error> {
        let (number, time) = action_number(operation.action)?;
        let statement = format!(
            "INSERT INTO graceful_operations (id, action, time, selection, operator, verified, prepared_at) \
             VALUES ($1, $2, $3, $4, $5, $6, {}) ON CONFLICT DO NOTHING RETURNING id",
            D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(operation.id).bind(number).bind(length(time));
        let query = query.bind(D::escaped(&operation.selection).into_owned());
        let query =
            query.bind(D::escaped(&operation.operator).into_owned()).bind(i16::from(operation.verified));
        query.fetch_optional(connection).await.map(drop)
    }

    /// Adds flows to the list of an operation that is being prepared; in a transaction.
    pub async fn select(
        connection: &mut Connection<D>,
        id: Uuid,
        flows: &[SelectedFlow],
    ) -> Result<(), Error> {
        let lock =
            "UPDATE graceful_operations SET selected = selected WHERE id = $1 AND state = 0 RETURNING id";
        if flows.is_empty() || sqlx::query(lock).bind(id).fetch_optional(&mut *connection).await?.is_none() {
            return Ok(());
        }
        let mut query = QueryBuilder::new(
            "INSERT INTO graceful_operation_items (operation, flow, from_state, resubmitted, attempts, state, reason) ",
        );
        query.push_values(flows, |mut row, SelectedFlow { flow, seen, .. }| {
            let (from, version) = seen.unwrap_or((FlowState::Dead, FlowVersion::new(0, 0)));
            let (state, reason) = match seen {
                Some(_) => (ItemState::Left, None),
                None => (ItemState::Skipped, Some(ActionResult::NotFound.to_string())),
            };
            row.push_bind(id).push_bind(*flow).push_bind(state_number(from));
            row.push_bind(i64::from(version.resubmitted)).push_bind(i64::from(version.attempts));
            row.push_bind(item_number(state)).push_bind(reason);
        });
        query.push(" ON CONFLICT DO NOTHING RETURNING flow, state");
        let added = query.build().persistent(false).fetch_all(&mut *connection).await?;
        let mut skipped: i64 = 0;
        for row in &added {
            skipped += i64::from(row.try_get::<i16, _>("state")? == item_number(ItemState::Skipped));
        }
        // How many are older than a completed flow of their entity.
        let mut query =
            QueryBuilder::new("SELECT count(*) AS older FROM graceful_flows AS flow WHERE flow.id IN (");
        let mut ids = query.separated(", ");
        ids.push_bind(Uuid::nil());
        for row in &added {
            ids.push_bind(row.try_get::<Uuid, _>("flow")?);
        }
        query.push(
            ") AND EXISTS (SELECT 1 FROM graceful_flows AS newer WHERE newer.entity = flow.entity AND newer.state <> 0 \
             AND newer.state = 1 AND (newer.stored_at, newer.id) > (flow.stored_at, flow.id))",
        );
        let older: i64 =
            query.build().persistent(false).fetch_one(&mut *connection).await?.try_get("older")?;
        sqlx::query(
            "UPDATE graceful_operations SET selected = selected + $2, skipped = skipped + $3, older = older + $4 WHERE id = $1 \
             RETURNING id",
        )
        .bind(id)
        .bind(count(added.len()))
        .bind(skipped)
        .bind(older)
        .fetch_optional(connection)
        .await
        .map(drop)
    }

    /// Changes the state of an operation that has this one and has not expired. Returns the operation as it is then.
    pub async fn change_operation(
        connection: &mut Connection<D>,
        id: Uuid,
        from: OperationState,
        to: OperationState,
    ) -> Result<Option<Operation>, Error> {
        let statement = format!(
            "UPDATE graceful_operations SET state = $3, recorded = CASE WHEN $3 = 2 THEN 0 ELSE recorded END \
             WHERE id = $1 AND state = $2 AND (state = 2 OR prepared_at > {now} - $4) RETURNING id",
            now = D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(operation_number(from));
        let query = query.bind(operation_number(to)).bind(length(Operation::EXPIRES_AFTER));
        query.fetch_optional(&mut *connection).await?;
        Self::operation(connection, id).await
    }

    /// Cancels an operation that has not ended.
    pub async fn cancel(
        connection: &mut Connection<D>,
        id: Uuid,
        operator: &str,
        verified: bool,
    ) -> Result<Option<Operation>, Error> {
        let statement = format!(
            "UPDATE graceful_operations SET state = 4, ended_at = {now}, cancelled_by = $2, cancelled_by_verified = $4, token = NULL, \
             lease_until = NULL \
             WHERE id = $1 AND (state = 2 OR state < 2 AND prepared_at > {now} - $3) RETURNING id",
            now = D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(D::escaped(operator).into_owned());
        query
            .bind(length(Operation::EXPIRES_AFTER))
            .bind(i16::from(verified))
            .fetch_optional(&mut *connection)
            .await?;
        Self::operation(connection, id).await
    }

    /// Reads a page of operations.
    pub async fn operations(
        connection: &mut Connection<D>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Operation, Uuid>, Error> {
        let statement = format!(
            "SELECT *, {} AS now FROM graceful_operations WHERE id < $1 ORDER BY id DESC LIMIT $2",
            D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(after.unwrap_or(Uuid::max()));
        let rows = query.bind(count(limit.saturating_add(1))).fetch_all(connection).await?;
        // A newer version may have stored others.
        let items = rows.iter().filter_map(|row| Self::decode_operation(row).ok()).collect();
        Ok(Page::cut(items, limit, |operation: &Operation| operation.id))
    }

    /// Reads the operations that have a flow in their lists.
    pub async fn operations_on(connection: &mut Connection<D>, flow: Uuid) -> Result<Vec<Operation>, Error> {
        let statement = format!(
            "SELECT operation.*, {} AS now FROM graceful_operation_items AS item \
             JOIN graceful_operations AS operation ON operation.id = item.operation WHERE item.flow = $1 \
             ORDER BY item.operation DESC LIMIT $2",
            D::NOW
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(flow).bind(count(Operation::LISTED_PER_FLOW));
        query.fetch_all(connection).await?.iter().map(Self::decode_operation).collect()
    }

    /// Reads a page of the list of an operation.
    pub async fn items(
        connection: &mut Connection<D>,
        id: Uuid,
        state: Option<ItemState>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<OperationItem, Uuid>, Error> {
        let only = if state.is_some() { "AND state = $4 " } else { "" };
        let behind = if after.is_some() { ">" } else { ">=" };
        let statement = format!(
            "SELECT flow, state, reason FROM graceful_operation_items WHERE operation = $1 AND flow {behind} $2 {only}\
             ORDER BY flow LIMIT $3"
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(after.unwrap_or(Uuid::nil()));
        let query = query.bind(count(limit.saturating_add(1)));
        let query = match state {
            Some(state) => query.bind(item_number(state)),
            None => query,
        };
        let item = |row: &Row<D>| {
            let state = numbered(&ItemState::ALL, row.try_get("state")?).unwrap_or(ItemState::Skipped);
            Ok(OperationItem::new(row.try_get("flow")?, state, Self::optional_text(row, "reason")?))
        };
        let items = query.fetch_all(connection).await?.iter().map(item).collect::<Result<_, Error>>()?;
        Ok(Page::cut(items, limit, |item: &OperationItem| item.flow))
    }

    /// Deletes an old operation, or a part of its list. Returns how many rows were deleted, and how many of them were operations.
    pub async fn purge_operation(connection: &mut Connection<D>, age: Duration) -> Result<(u64, u64), Error> {
        let statement = format!(
            "SELECT id FROM graceful_operations WHERE state <> 2 AND coalesce(ended_at, prepared_at + $2) <= {} - $1 \
             ORDER BY id LIMIT 1 {}",
            D::NOW,
            D::SKIP_LOCKED
        );
        let old = sqlx::query(AssertSqlSafe(statement));
        let old = old.bind(length(age)).bind(length(Operation::EXPIRES_AFTER));
        let Some(row) = old.fetch_optional(&mut *connection).await? else { return Ok((0, 0)) };
        let id: Uuid = row.try_get("id")?;
        let items = "DELETE FROM graceful_operation_items WHERE operation = $1 AND flow IN \
                     (SELECT flow FROM graceful_operation_items WHERE operation = $1 LIMIT $2) RETURNING flow";
        let items = sqlx::query(items).bind(id).bind(i64::from(PURGED_AT_ONCE));
        let deleted = items.fetch_all(&mut *connection).await?.len();
        if deleted > 0 {
            return Ok((count_u64(deleted), 0));
        }
        let operation = "DELETE FROM graceful_operations WHERE id = $1 \
                         AND NOT EXISTS (SELECT 1 FROM graceful_operation_items WHERE operation = $1) RETURNING id";
        let deleted = sqlx::query(operation).bind(id).fetch_all(connection).await?.len();
        Ok((count_u64(deleted), count_u64(deleted)))
    }
}
