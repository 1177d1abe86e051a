//! The queued flows.

use std::time::Duration;

use graceful::backends::{AttemptOutcome, Claim, ClaimId, FlowState, Lane, StoredFlow};
use sqlx::{ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{at, count},
};

/// The number that a state has in the tables.
pub const fn state_number(state: FlowState) -> i16 {
    match state {
        FlowState::Queued => 0,
        FlowState::Completed => 1,
        FlowState::Dead => 2,
    }
}

/// What an outcome changes: the state, the time until the next attempt, the error, and the body.
pub fn changes(outcome: &AttemptOutcome) -> (FlowState, Option<Duration>, Option<&str>, Option<&[u8]>) {
    match outcome {
        AttemptOutcome::Completed => (FlowState::Completed, None, None, None),
        AttemptOutcome::Retry { after, error, body } => {
            (FlowState::Queued, Some(*after), Some(error), body.as_deref())
        }
        AttemptOutcome::Dead { error, body } => (FlowState::Dead, None, Some(error), body.as_deref()),
    }
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> Vec<u8>: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Decodes a claimed flow.
    pub fn decode_claim(row: &Row<D>) -> Result<Claim, Error> {
        let (id, attempt) = (row.try_get("id")?, Self::number(row, "attempts")?);
        let (handler, lane) = (Self::text(row, "handler")?, Lane::from_number(row.try_get("lane")?));
        let id = ClaimId { id, token: row.try_get("token")? };
        let mut claim = Claim::new(id, attempt, handler, lane, row.try_get("body")?);
        claim.resubmitted = Self::number(row, "resubmitted")?;
        Ok(claim)
    }

    fn decode_flow(row: &Row<D>) -> Result<StoredFlow, Error> {
        let state = match row.try_get("state")? {
            0_i16 => FlowState::Queued,
            1 => FlowState::Completed,
            _ => FlowState::Dead,
        };
        let (entity, handler) = (Self::text(row, "entity")?, Self::text(row, "handler")?);
        let (due, body) = (at(row.try_get("due")?), row.try_get("body")?);
        let mut flow = StoredFlow::new(row.try_get("id")?, entity, handler, state, due, body);
        flow.attempts = Self::number(row, "attempts")?;
        flow.resubmitted = Self::number(row, "resubmitted")?;
        flow.error = Self::optional_text(row, "error")?;
        flow.ended_at = row.try_get::<Option<i64>, _>("ended_at")?.map(at);
        Ok(flow)
    }

    /// Reads one flow.
    pub async fn flow(connection: &mut Connection<D>, id: Uuid) -> Result<Option<StoredFlow>, Error> {
        let query = sqlx::query("SELECT * FROM graceful_flows WHERE id = $1").bind(id);
        query.fetch_optional(connection).await?.as_ref().map(Self::decode_flow).transpose()
    }

    /// Reads the first flows in a state.
    pub async fn flows(
        connection: &mut Connection<D>,
        state: FlowState,
        limit: usize,
    ) -> Result<Vec<StoredFlow>, Error> {
        let query = sqlx::query(match state {
            FlowState::Queued => "SELECT * FROM graceful_flows WHERE state = $1 ORDER BY seq LIMIT $2",
            _ => {
                "SELECT * FROM graceful_flows WHERE state <> 0 AND state = $1 ORDER BY ended_at, seq LIMIT $2"
            }
        });
        let query = query.bind(state_number(state)).bind(count(limit));
        query.fetch_all(connection).await?.iter().map(Self::decode_flow).collect()
    }
}
