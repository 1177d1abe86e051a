//! Actions of operators on one flow.

use graceful::backends::{Action, ActionResult, FlowState, FlowVersion};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::length,
};

/// The statement of an action on a flow in this state, if the action applies to it. Its parameters: the id; the version, as two numbers, or two
/// times NULL for any; for a postponement the time.
fn statement<D: Dialect>(action: Action, from: FlowState) -> Option<String> {
    let now = D::NOW;
    let (change, condition) = match (action, from) {
        (Action::Resubmit, FlowState::Dead) => {
            let last = D::LAST;
            let change = format!(
                "{last}, state = 0, attempts = 0, resubmitted = resubmitted + 1, due = {now}, failed_at = NULL, step = NULL, \
                 code = NULL, failure_group = NULL, error = NULL, ended_at = NULL"
            );
            (change, "state = 2".to_owned())
        }
        (Action::Discard, FlowState::Dead) => {
            (format!("state = 3, ended_at = {now}"), "state = 2".to_owned())
        }
        (Action::Discard, FlowState::Queued) => {
            (format!("state = 3, head = FALSE, token = NULL, ended_at = {now}"), is_idle::<D>())
        }
        (Action::Postpone(_), FlowState::Queued) => {
            (format!("due = {now} + $4, token = NULL"), is_idle::<D>())
        }
        _ => return None,
    };
    Some(format!(
        "UPDATE graceful_flows SET {change} WHERE id = $1 AND {condition} AND coalesce($2, resubmitted) = resubmitted \
         AND coalesce($3, attempts) = attempts RETURNING entity"
    ))
}

/// The condition of a queued flow without a running attempt.
fn is_idle<D: Dialect>() -> String {
    format!("state = 0 AND (token IS NULL OR due <= {})", D::NOW)
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
{
    /// Changes a flow that is in this state and has this version, if one is given; in a transaction.
    pub async fn act(
        connection: &mut Connection<D>,
        id: Uuid,
        action: Action,
        from: FlowState,
        version: Option<FlowVersion>,
    ) -> Result<ActionResult, Error> {
        let Some(statement) = statement::<D>(action, from) else {
            return Self::refused(connection, id, from, version).await;
        };
        if from == FlowState::Queued
            && let Some(lock) = D::LOCK_CLAIMS
        {
            // A claim makes flows wait for a first flow, which must not be changed meanwhile.
            sqlx::query(lock).fetch_optional(&mut *connection).await?;
        }
        let (resubmitted, attempts): (Option<i64>, Option<i64>) =
            version.map(|version| (version.resubmitted.into(), version.attempts.into())).unzip();
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(resubmitted).bind(attempts);
        let query = match action {
            Action::Postpone(time) => query.bind(length(time)),
            _ => query,
        };
        let Some(row) = query.fetch_optional(&mut *connection).await? else {
            return Self::refused(connection, id, from, version).await;
        };
        if let Some(promote) = D::PROMOTE {
            let entity: String = row.try_get("entity")?;
            sqlx::query(promote).bind(entity).fetch_optional(connection).await?;
        }
        Ok(ActionResult::Done)
    }

    /// The result of an action that has changed nothing.
    async fn refused(
        connection: &mut Connection<D>,
        id: Uuid,
        from: FlowState,
        version: Option<FlowVersion>,
    ) -> Result<ActionResult, Error> {
        let found = Self::flow(connection, id).await?.map(|flow| flow.summary);
        let is_other =
            |version| found.as_ref().is_some_and(|flow| flow.state == from && flow.version() != version);
        Ok(match found.as_ref().is_some_and(|flow| flow.running) {
            false if version.is_some_and(is_other) => ActionResult::Changed,
            _ => ActionResult::refused(found.map(|flow| (flow.state, flow.running))),
        })
    }
}
