//! The rows of stored flows, and of their failed attempts.

use std::time::Duration;

use graceful::{
    Code, Step,
    backends::{
        AttemptFailure, Claim, ClaimId, FailedAttempt, FailureCause, FlowState, FlowSummary, GroupId, Lane,
        StoredFlow,
    },
};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{at, broken},
};

/// The columns of a summary. The first ones are those of the table.
pub(crate) const COLUMNS: &str = "id, entity, handler, state, token, attempts, resubmitted, stored_at, due, failed_at, \
                                  step, code, failure_group, error, ended_at";

/// The number that a state has in the tables.
pub const fn state_number(state: FlowState) -> i16 {
    match state {
        FlowState::Queued => 0,
        FlowState::Completed => 1,
        FlowState::Dead => 2,
        _ => 3,
    }
}

pub(crate) fn state(number: i16) -> FlowState {
    FlowState::ALL.into_iter().find(|state| state_number(*state) == number).unwrap_or(FlowState::Discarded)
}

fn step(name: &str) -> Option<Step> {
    Step::ALL.into_iter().find(|step| step.as_str() == name)
}

/// The results of the steps of an attempt, as stored.
///
/// # Errors
/// Never fails: texts can always be encoded.
pub fn results(failure: &AttemptFailure) -> Result<String, Error> {
    serde_json::to_string(&failure.steps).map_err(broken)
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
    /// Decodes claimed flows, each followed by its followers. Those that cannot be read must not keep the others from running; but those that follow one
    /// must wait for it.
    ///
    /// # Errors
    /// Fails if the rows do not say which flow follows another one.
    pub fn decode_claims(rows: &[Row<D>]) -> Result<Vec<Claim>, Error> {
        let (mut claims, mut is_readable) = (Vec::<Claim>::new(), true);
        for row in rows {
            let follows = row.try_get::<i64, _>("follows")? > 0;
            if follows && !is_readable {
                continue;
            }
            let unreadable = |error: &Error| {
                let id = row.try_get::<Uuid, _>("id").unwrap_or_default();
                tracing::error!(target: "graceful::relay", flow = %id, %error, "the row of a flow cannot be read: discard it");
            };
            let claim = Self::decode_claim(row).inspect_err(unreadable).ok();
            is_readable = claim.is_some();
            match (claim, claims.last_mut()) {
                (Some(claim), Some(first)) if follows => first.followers.push(claim),
                (Some(claim), _) => claims.push(claim),
                (None, _) => {}
            }
        }
        Ok(claims)
    }

    /// Decodes a claimed flow.
    pub fn decode_claim(row: &Row<D>) -> Result<Claim, Error> {
        let (id, attempt) = (row.try_get("id")?, Self::number(row, "attempts")?);
        let (handler, lane) = (Self::text(row, "handler")?, Lane::from_number(row.try_get("lane")?));
        let id = ClaimId { id, token: row.try_get("token")? };
        let mut claim = Claim::new(id, attempt, handler, lane, row.try_get("body")?);
        claim.resubmitted = Self::number(row, "resubmitted")?;
        Ok(claim)
    }

    /// Decodes a summary. A row that cannot be read is shown as such, so that it hides no other, and can be discarded.
    pub(crate) fn shown_summary(row: &Row<D>) -> Result<FlowSummary, Error> {
        Self::decode_summary(row).or_else(|error| {
            let state = row.try_get("state").map_or(FlowState::Discarded, state);
            let stored_at = row.try_get("stored_at").map_or(jiff::Timestamp::UNIX_EPOCH, at);
            // The body is decoded with the handler.
            let handler = Self::text(row, "handler").unwrap_or_default();
            let mut flow = FlowSummary::new(row.try_get("id")?, "", handler, state, stored_at);
            flow.attempts = Self::number(row, "attempts").unwrap_or_default();
            flow.resubmitted = Self::number(row, "resubmitted").unwrap_or_default();
            flow.failure = Some(FailureCause::new("", format!("the row cannot be read: {error}")));
            Ok(flow)
        })
    }

    /// Decodes a summary, from its columns and the store's time as `now`.
    pub(crate) fn decode_summary(row: &Row<D>) -> Result<FlowSummary, Error> {
        let (entity, handler) = (Self::text(row, "entity")?, Self::text(row, "handler")?);
        let (state, stored_at) = (state(row.try_get("state")?), at(row.try_get("stored_at")?));
        let mut flow = FlowSummary::new(row.try_get("id")?, entity, handler, state, stored_at);
        let (due, token): (i64, Option<Uuid>) = (row.try_get("due")?, row.try_get("token")?);
        flow.running = state == FlowState::Queued && token.is_some() && due > row.try_get("now")?;
        flow.due = at(due);
        flow.attempts = Self::number(row, "attempts")?;
        flow.resubmitted = Self::number(row, "resubmitted")?;
        flow.ended_at = row.try_get::<Option<i64>, _>("ended_at")?.map(at);
        flow.failed_at = row.try_get::<Option<i64>, _>("failed_at")?.map(at);
        flow.failure = match row.try_get::<Option<i64>, _>("failure_group")? {
            Some(_) => Some(Self::decode_cause(row)?),
            // From before there were groups.
            None => Self::optional_text(row, "error")?.map(|error| FailureCause::new(&flow.handler, error)),
        };
        Ok(flow)
    }

    /// Decodes a cause.
    pub(crate) fn decode_cause(row: &Row<D>) -> Result<FailureCause, Error> {
        let group = GroupId::from_number(row.try_get("failure_group")?);
        let of_step = Self::optional_text(row, "step")?.and_then(|name| step(&name));
        let code: Option<Code> = Self::optional_text(row, "code")?.and_then(|code| code.parse().ok());
        let error = Self::optional_text(row, "error")?.unwrap_or_default();
        Ok(FailureCause::stored(of_step, code, error, group))
    }

    fn decode_attempt(row: &Row<D>) -> Result<FailedAttempt, Error> {
        let mut failure = AttemptFailure::new(Self::decode_cause(row)?);
        failure.took = Duration::from_micros(Self::number(row, "took")?);
        let results: Vec<(String, String)> =
            serde_json::from_str(&Self::text(row, "results")?).map_err(broken)?;
        let known = results.into_iter().filter_map(|(name, result)| Some((step(&name)?, result)));
        failure.steps = known.collect();
        let (resubmitted, number) = (Self::number(row, "resubmitted")?, Self::number(row, "attempt")?);
        Ok(FailedAttempt::new(resubmitted, number, at(row.try_get("failed_at")?), failure))
    }

    /// Reads one flow.
    pub async fn flow(connection: &mut Connection<D>, id: Uuid) -> Result<Option<StoredFlow>, Error> {
        let statement =
            format!("SELECT {COLUMNS}, body, {} AS now FROM graceful_flows WHERE id = $1", D::NOW);
        let query = sqlx::query(AssertSqlSafe(statement)).bind(id);
        let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
        Ok(Some(StoredFlow::new(Self::shown_summary(&row)?, row.try_get("body").unwrap_or_default())))
    }

    /// Reads the failed attempts of a flow.
    pub async fn attempts(connection: &mut Connection<D>, id: Uuid) -> Result<Vec<FailedAttempt>, Error> {
        let query =
            sqlx::query("SELECT * FROM graceful_attempts WHERE flow = $1 ORDER BY resubmitted, attempt");
        query.bind(id).fetch_all(connection).await?.iter().map(Self::decode_attempt).collect()
    }
}
