//! Actions of operators on one flow.

use graceful::backends::{Action, ActionResult, FlowState, FlowVersion};
use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::length,
};

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
    /// Changes a flow that is in this state and has this version, if one is given.
    pub async fn act(
        connection: &mut Connection<D>,
        id: Uuid,
        action: Action,
        from: FlowState,
        version: Option<FlowVersion>,
    ) -> Result<ActionResult, Error> {
        let statement = match (action, from) {
            (Action::Resubmit, FlowState::Dead) => D::RESUBMIT,
            (Action::Discard, FlowState::Dead) => D::DISCARD_DEAD,
            (Action::Discard, FlowState::Queued) => D::DISCARD_QUEUED,
            (Action::Postpone(_), FlowState::Queued) => D::POSTPONE,
            _ => return Self::refused(connection, id, from, version).await,
        };
        let (resubmitted, attempts): (Option<i64>, Option<i64>) =
            version.map(|version| (version.resubmitted.into(), version.attempts.into())).unzip();
        let query = sqlx::query(statement).bind(id).bind(resubmitted).bind(attempts);
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
