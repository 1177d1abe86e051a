//! The outcomes of attempts.

use std::{sync::Arc, time::Duration};

use graceful::{
    Code, Step,
    backends::{AttemptFailure, AttemptOutcome, BoxFuture, ClaimId, FlowState},
};
use graceful_sql::{
    flows::{results, state_number},
    values::length,
};
use sqlx::PgConnection;

use super::{
    Failed, Store,
    batches::{Batched, Batches},
    text::escaped,
};

/// The outcome of an attempt at a claimed flow.
pub(super) struct Outcome {
    pub(super) held: ClaimId,
    pub(super) outcome: AttemptOutcome,
}

impl Outcome {
    fn state(&self) -> FlowState {
        match self.outcome {
            AttemptOutcome::Completed => FlowState::Completed,
            AttemptOutcome::Retry { .. } => FlowState::Queued,
            AttemptOutcome::Dead { .. } => FlowState::Dead,
        }
    }

    fn after(&self) -> Option<i64> {
        match &self.outcome {
            AttemptOutcome::Retry { after, .. } => Some(length(*after)),
            _ => None,
        }
    }

    fn failure(&self) -> Option<&AttemptFailure> {
        match &self.outcome {
            AttemptOutcome::Retry { failure, .. } | AttemptOutcome::Dead { failure, .. } => Some(failure),
            AttemptOutcome::Completed => None,
        }
    }

    fn body(&self) -> Option<&[u8]> {
        match &self.outcome {
            AttemptOutcome::Retry { body, .. } | AttemptOutcome::Dead { body, .. } => body.as_deref(),
            AttemptOutcome::Completed => None,
        }
    }

    fn step(&self) -> Option<&'static str> {
        self.failure()?.cause.step.map(Step::as_str)
    }

    fn code(&self) -> Option<&'static str> {
        self.failure()?.cause.code.map(Code::as_str)
    }

    fn results(&self) -> Result<Option<String>, sqlx::Error> {
        self.failure().map(|failure| results(failure).map(|results| escaped(&results))).transpose()
    }
}

impl Batched for Outcome {
    type Answer = bool;

    fn batches(store: &Store) -> &Batches<Self> {
        &store.waiting.outcomes
    }

    fn bytes(&self) -> usize {
        let steps =
            self.failure().map_or(0, |failure| failure.steps.iter().map(|(_, text)| text.len()).sum());
        steps + self.body().map_or(0, <[u8]>::len)
    }

    fn time_limit(store: &Store) -> Option<Duration> {
        Some(store.timeout)
    }

    fn write(
        store: Store,
        outcomes: Vec<Arc<Self>>,
        limit: Duration,
    ) -> BoxFuture<Result<Vec<bool>, Failed>> {
        Box::pin(async move {
            let record = store.attempted(store.breaker.attempt(), limit, move |connection| {
                Box::pin(async move {
                    match &*outcomes {
                        [one] if one.outcome == AttemptOutcome::Completed => {
                            Ok(vec![complete(connection, one.held).await?])
                        }
                        outcomes => record_all(connection, outcomes).await,
                    }
                })
            });
            record.await
        })
    }
}

async fn complete(connection: &mut PgConnection, held: ClaimId) -> Result<bool, sqlx::Error> {
    let completed = sqlx::query(
        "UPDATE graceful_flows SET state = 1, attempts = greatest(attempts, 1), token = NULL, ended_at = graceful_now(), failed_at = NULL, step = NULL, \
         code = NULL, failure_group = NULL, error = NULL WHERE id = $1 AND token = $2 AND state = 0",
    );
    let completed = completed.bind(held.id).bind(held.token).execute(connection).await?;
    Ok(completed.rows_affected() > 0)
}

async fn record_all(
    connection: &mut PgConnection,
    outcomes: &[Arc<Outcome>],
) -> Result<Vec<bool>, sqlx::Error> {
    let results = outcomes.iter().map(|one| one.results()).collect::<Result<Vec<_>, _>>()?;
    sqlx::query_scalar("SELECT graceful_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(column(outcomes, |one| one.held.id))
        .bind(column(outcomes, |one| one.held.token))
        .bind(column(outcomes, |one| state_number(one.state())))
        .bind(column(outcomes, Outcome::after))
        .bind(column(outcomes, Outcome::body))
        .bind(column(outcomes, Outcome::step))
        .bind(column(outcomes, Outcome::code))
        .bind(column(outcomes, |one| one.failure().map(|failure| failure.cause.group.number())))
        .bind(column(outcomes, |one| one.failure().map(|failure| escaped(&failure.cause.error))))
        .bind(column(outcomes, |one| one.failure().map(|failure| length(failure.took))))
        .bind(results)
        .fetch_one(connection)
        .await
}

fn column<'a, T>(outcomes: &'a [Arc<Outcome>], value: impl Fn(&'a Outcome) -> T) -> Vec<T> {
    outcomes.iter().map(|one| value(one)).collect()
}
