//! One attempt at one flow, from its claim to its outcome.

use std::{sync::Arc, time::Instant};

use super::{backoff::backoff, complain, handlers, works};
use crate::{
    backends::{AttemptFailure, AttemptOutcome, Claim, FailureCause, FlowStore},
    failpoints,
    flow::Stored,
    outage,
    pipeline::{Attempt, Orchestrator},
    step::StepError,
};

const RECORDING: &str =
    "recording the outcome of a flow failed; the flow is claimed again when its lease expires";

/// Runs the remaining steps of a claimed flow, and records the outcome.
pub(super) async fn run(orchestrator: Orchestrator, flows: Arc<dyn FlowStore>, claim: Claim) {
    let (outcome, attempt) = match begin(&orchestrator, &claim) {
        Ok(mut attempt) => (attempt_outcome(&orchestrator, &claim, &mut attempt).await, Some(attempt)),
        Err(error) => {
            // The process that stored the flow has the handler, and may be newer than this program.
            if let Some(failures) = outage::failed("running") {
                tracing::warn!(
                    target: "graceful::relay",
                    flow = %claim.id,
                    handler = claim.handler,
                    attempt = claim.attempt,
                    error = error.message(),
                    failures,
                    "flow cannot be run by this process"
                );
            }
            let cause = FailureCause::new(&claim.handler, error.message());
            (failed(&orchestrator, &claim, AttemptFailure::new(cause), None), None)
        }
    };
    // Dead letters stay in the store and can be listed, so not every one needs a log line.
    if let AttemptOutcome::Dead { failure, .. } = &outcome
        && let Some(failures) = outage::failed("a dead letter")
    {
        tracing::error!(
            target: "graceful::relay",
            flow = %claim.id,
            handler = attempt.as_ref().map_or(&*claim.handler, Attempt::handler),
            attempt = claim.attempt,
            error = failure.cause.error,
            failures,
            "flow moved to dead letters"
        );
    }
    let ended = !matches!(outcome, AttemptOutcome::Retry { .. });
    let is_dead = matches!(outcome, AttemptOutcome::Dead { .. });
    let point = if is_dead { "dead" } else { "settle" };
    let settled = match failpoints::point(point) {
        Ok(()) => flows.record_outcome(claim.claim_id(), outcome).await,
        Err(error) => Err(error),
    };
    if settled.is_ok() {
        works(RECORDING);
    }
    match failpoints::point("settled").and(settled) {
        Ok(true) if ended => {
            #[cfg(feature = "metrics")]
            if is_dead {
                crate::pipeline::metrics::dead_letter(&claim.handler, attempt.as_ref().map(Attempt::handler));
            }
            attempt.iter().for_each(Attempt::notify_observers);
        }
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!(target: "graceful::relay", flow = %claim.id, "the claim has expired: another relay may claim the flow");
        }
        Err(error) => complain(&error, RECORDING),
    }
}

fn begin(orchestrator: &Orchestrator, claim: &Claim) -> Result<Attempt, StepError> {
    let attempts = orchestrator.relay().settings().attempts;
    if claim.attempt > attempts {
        return Err(StepError::new(format_args!("all {attempts} attempts were interrupted")));
    }
    let mut stored = Stored::decode(&claim.body)?;
    stored.flow.resubmitted = claim.resubmitted;
    let overrides = handlers::overrides_of(&claim.handler)?;
    Ok(Attempt::new(orchestrator.clone(), stored, overrides))
}

async fn attempt_outcome(
    orchestrator: &Orchestrator,
    claim: &Claim,
    attempt: &mut Attempt,
) -> AttemptOutcome {
    let start = Instant::now();
    let ran = match failpoints::point("step") {
        Ok(()) => attempt.run().await,
        Err(error) => Err(FailureCause::new(&claim.handler, error.message())),
    };
    let Err(cause) = ran else { return AttemptOutcome::Completed };
    let mut failure = AttemptFailure::new(cause).steps(attempt.results());
    failure.took = start.elapsed();
    let body = attempt
        .encode()
        .inspect_err(|error| complain(error, "the progress of a flow could not be encoded"))
        .ok();
    if attempt.is_refused() {
        return AttemptOutcome::Dead { failure, body };
    }
    failed(orchestrator, claim, failure, body)
}

/// The outcome of a failed attempt: due again later, or a dead letter.
fn failed(
    orchestrator: &Orchestrator,
    claim: &Claim,
    failure: AttemptFailure,
    body: Option<Vec<u8>>,
) -> AttemptOutcome {
    let settings = orchestrator.relay().settings();
    if claim.attempt >= settings.attempts {
        return AttemptOutcome::Dead { failure, body };
    }
    AttemptOutcome::Retry { after: backoff(settings, claim.attempt), failure, body }
}
