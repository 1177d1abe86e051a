//! Records the outcomes of attempts: the completed flows of a batch in one statement.

use std::collections::HashSet;

use graceful::{
    Code, Step,
    backends::{AttemptOutcome, ClaimId, FlowState},
};
use graceful_sql::{
    flows::{results, state_number},
    values::{broken, length},
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{after, now};

/// Records outcomes, and returns for each whether its claim was not lost.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    outcomes: &[(ClaimId, AttemptOutcome)],
) -> Result<Vec<bool>, sqlx::Error> {
    let (mut completed, mut flows) = (Vec::new(), HashSet::new());
    for (held, outcome) in outcomes {
        // The statement returns ids, so it gets at most one claim of a flow.
        if matches!(outcome, AttemptOutcome::Completed) && flows.insert(held.id) {
            completed.push(*held);
        }
    }
    let mut done = match completed.as_slice() {
        [] => HashSet::new(),
        completed => complete(connection, completed).await?,
    };
    let mut recorded = Vec::with_capacity(outcomes.len());
    let mut ended: Vec<_> = done.iter().copied().collect();
    for (held, outcome) in outcomes {
        let in_statement = matches!(outcome, AttemptOutcome::Completed) && flows.remove(&held.id);
        let is_recorded = match in_statement {
            true => done.remove(&held.id),
            false => record_one(connection, *held, outcome).await?,
        };
        if is_recorded && !in_statement && !matches!(outcome, AttemptOutcome::Retry { .. }) {
            ended.push(held.id);
        }
        recorded.push(is_recorded);
    }
    if !ended.is_empty() {
        promote(connection, &ended).await?;
    }
    Ok(recorded)
}

/// Each held flow is looked up by its id, whatever the planner knows of the table: by their state it would read all queued flows.
const COMPLETE: &str = "UPDATE graceful_flows SET state = 1, head = 0, attempts = max(attempts, 1), token = NULL, ended_at = ?2, failed_at = NULL, step = NULL, \
    code = NULL, failure_group = NULL, error = NULL WHERE seq IN ( \
    SELECT flow.seq FROM json_each(?1) AS held CROSS JOIN graceful_flows AS flow ON flow.id = unhex(held.value ->> 0) \
    WHERE flow.token = unhex(held.value ->> 1) AND flow.state = 0) RETURNING id";

const HELD: &str = "SELECT held.key FROM json_each(?1) AS held CROSS JOIN graceful_flows AS flow ON flow.id = unhex(held.value ->> 0) \
    WHERE flow.token = unhex(held.value ->> 1) AND flow.state = 0";

/// How many flows are before the first one whose claim is lost.
pub(super) async fn still_held(
    connection: &mut SqliteConnection,
    outcomes: &[(ClaimId, AttemptOutcome)],
) -> Result<usize, sqlx::Error> {
    let query = sqlx::query_scalar(HELD).bind(as_json(outcomes.iter().map(|(held, _)| held))?);
    let held: HashSet<i64> = query.fetch_all(connection).await?.into_iter().collect();
    Ok((0_i64..).zip(outcomes).take_while(|(number, _)| held.contains(number)).count())
}

fn as_json<'a>(held: impl Iterator<Item = &'a ClaimId>) -> Result<String, sqlx::Error> {
    let held: Vec<_> =
        held.map(|held| (held.id.simple().to_string(), held.token.simple().to_string())).collect();
    serde_json::to_string(&held).map_err(broken)
}

/// Completes flows, and returns those whose claims were not lost.
async fn complete(connection: &mut SqliteConnection, held: &[ClaimId]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let completed = sqlx::query_scalar(COMPLETE).bind(as_json(held.iter())?).bind(now());
    Ok(completed.fetch_all(connection).await?.into_iter().collect())
}

/// Records one outcome. If the flow is not queued any more, its entity needs another head.
async fn record_one(
    connection: &mut SqliteConnection,
    held: ClaimId,
    outcome: &AttemptOutcome,
) -> Result<bool, sqlx::Error> {
    let now = now();
    let (state, due, failure, body) = match outcome {
        AttemptOutcome::Completed => (FlowState::Completed, None, None, None),
        AttemptOutcome::Retry { after: time, failure, body } => {
            (FlowState::Queued, Some(after(now, *time)), Some(failure), body.as_deref())
        }
        AttemptOutcome::Dead { failure, body } => (FlowState::Dead, None, Some(failure), body.as_deref()),
    };
    let (ended, cause) = ((state != FlowState::Queued).then_some(now), failure.map(|failure| &failure.cause));
    let updated = sqlx::query(
        "UPDATE graceful_flows SET state = ?1, head = head AND ?1 = 0, attempts = max(attempts, 1), token = NULL, due = coalesce(?2, due), \
         body = coalesce(?3, body), ended_at = ?4, failed_at = ?5, step = ?6, code = ?7, failure_group = ?8, error = ?9 \
         WHERE id = ?10 AND token = ?11 AND state = 0",
    )
    .bind(state_number(state))
    .bind(due)
    .bind(body)
    .bind(ended)
    .bind(cause.map(|_| now))
    .bind(cause.and_then(|cause| cause.step).map(Step::as_str))
    .bind(cause.and_then(|cause| cause.code).map(Code::as_str))
    .bind(cause.map(|cause| cause.group.number()))
    .bind(cause.map(|cause| &*cause.error))
    .bind(held.id)
    .bind(held.token)
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(failure) = failure {
        sqlx::query(
            "INSERT INTO graceful_attempts SELECT id, resubmitted, attempts, failed_at, ?1, step, code, failure_group, error, ?2 \
             FROM graceful_flows WHERE id = ?3",
        )
        .bind(length(failure.took))
        .bind(results(failure)?)
        .bind(held.id)
        .execute(connection)
        .await?;
    }
    Ok(true)
}

const PROMOTE: &str = "UPDATE graceful_flows SET head = 1 WHERE head = 0 AND seq IN ( \
    SELECT (SELECT min(seq) FROM graceful_flows AS queued WHERE queued.state = 0 AND queued.entity = ended.entity) \
    FROM json_each(?) AS ids CROSS JOIN graceful_flows AS ended ON ended.id = unhex(ids.value))";

/// Makes the first queued flow of the entities of these flows its head.
async fn promote(connection: &mut SqliteConnection, ended: &[Uuid]) -> Result<(), sqlx::Error> {
    let ended: Vec<_> = ended.iter().map(|id| id.simple().to_string()).collect();
    let promoted = sqlx::query(PROMOTE);
    promoted.bind(serde_json::to_string(&ended).map_err(broken)?).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, Row as _};

    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn ended_flows_are_looked_up_however_many_are_queued() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("graceful.db")).await.unwrap();
        let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
        let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000) \
            INSERT INTO graceful_flows (id, entity, handler, body, state, head, due) \
            SELECT randomblob(16), 'waiting ' || (n % 100), '', zeroblob(100), 0, n <= 100, 0 FROM n";
        sqlx::raw_sql(fill).execute(&mut connection).await.unwrap();
        for analyze in ["", "ANALYZE"] {
            sqlx::raw_sql(analyze).execute(&mut connection).await.unwrap();
            for statement in [COMPLETE, PROMOTE] {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
                let plan = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
                let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
                assert_eq!(plan[0], "SEARCH graceful_flows USING INTEGER PRIMARY KEY (rowid=?)", "{plan:?}");
                let scanned = plan.iter().filter(|step| step.starts_with("SCAN")).count();
                assert_eq!(scanned, 1, "only the ids: {plan:?}");
                assert!(!plan.iter().any(|step| step.contains("(state=?")), "{plan:?}");
            }
        }
    }
}
