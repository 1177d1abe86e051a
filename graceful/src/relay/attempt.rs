//! One attempt at one flow, from its claim to its outcome.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{backoff::backoff, complain, handlers, slots::Freeing, works};
use crate::{
    backends::{AttemptFailure, AttemptOutcome, Claim, FailureCause, FlowStore},
    failpoints,
    flow::{Row, Stored, Undecodable},
    outage,
    pipeline::{Attempt, Orchestrator},
    step::StepError,
};

const RECORDING: &str =
    "recording the outcome of a flow failed; the flow is claimed again when its lease expires";

/// An attempt that has ended, and whose outcome is to be recorded.
pub(super) struct Ended {
    claim: Claim,
    outcome: AttemptOutcome,
    /// `None` if the flow could not be run.
    attempt: Option<Attempt>,
}

/// Runs the remaining steps of a claimed flow. `None` if another process must run it: then it is handed back.
pub(super) async fn run(orchestrator: &Orchestrator, flows: &dyn FlowStore, claim: Claim) -> Option<Ended> {
    let (outcome, attempt) = match begin(orchestrator, &claim) {
        Ok(mut attempt) => (attempt_outcome(orchestrator, &claim, &mut attempt).await, Some(attempt)),
        Err(Unfit::Elsewhere(error)) => {
            tell(&claim, &error);
            orchestrator.relay().left.add(&claim.handler);
            // Until the lease expires nobody else can run it, so a failure is not retried.
            if let Err(error) = flows.hand_back(vec![claim.claim_id()], left_for(orchestrator)).await {
                complain(&error, "handing back a flow that another process must run failed");
            }
            return None;
        }
        Err(Unfit::Never(error)) => {
            tell(&claim, &error);
            let failure = AttemptFailure::new(FailureCause::new(&claim.handler, error.message()));
            (AttemptOutcome::Dead { failure, body: None }, None)
        }
        Err(Unfit::Perhaps(error)) => {
            tell(&claim, &error);
            let cause = FailureCause::new(&claim.handler, error.message());
            (failed(orchestrator, &claim, AttemptFailure::new(cause), None), None)
        }
    };
    Some(Ended { claim, outcome, attempt })
}

impl Ended {
    pub fn is_completed(&self) -> bool {
        self.outcome == AttemptOutcome::Completed
    }

    /// Records the outcome.
    pub async fn record(self, flows: &dyn FlowStore, slot: &Freeing, ran: usize) {
        let Self { claim, outcome, attempt } = self;
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
        let recorded = match failpoints::point(point) {
            Ok(()) => {
                let recorded = flows.record_outcome(claim.claim_id(), outcome);
                if flows.claims_follow_outcomes() {
                    slot.free(ran);
                }
                recorded.await
            }
            Err(error) => Err(error),
        };
        if is_recorded(recorded, claim.id) && ended {
            #[cfg(feature = "metrics")]
            if is_dead {
                crate::pipeline::metrics::dead_letter(&claim.handler, attempt.as_ref().map(Attempt::handler));
            }
            attempt.iter().for_each(Attempt::notify_observers);
        }
    }

    /// Records that all of these attempts have completed their flows. Returns false if it could not. The slot is freed with the last ones.
    pub async fn complete(
        all: &mut Vec<Self>,
        flows: &dyn FlowStore,
        slot: Option<(&Freeing, usize)>,
    ) -> bool {
        let held: Vec<_> = all.iter().map(|ended| ended.claim.claim_id()).collect();
        let Some(first) = held.first().map(|held| held.id) else { return true };
        let recorded = match failpoints::point("settle") {
            Ok(()) => {
                let recorded = flows.complete(held);
                if flows.claims_follow_outcomes()
                    && let Some((slot, ran)) = slot
                {
                    slot.free(ran);
                }
                recorded.await
            }
            Err(error) => Err(error),
        };
        let is_recorded = is_recorded(recorded, first);
        for ended in all.drain(..).filter(|_| is_recorded) {
            ended.attempt.iter().for_each(Attempt::notify_observers);
        }
        is_recorded
    }
}

/// Whether an outcome is recorded; logs why it is not.
fn is_recorded(recorded: Result<bool, StepError>, flow: Uuid) -> bool {
    if recorded.is_ok() {
        works(RECORDING);
    }
    match failpoints::point("settled").and(recorded) {
        Ok(true) => return true,
        Ok(false) => {
            tracing::warn!(target: "graceful::relay", %flow, "the claim has expired: another relay may claim the flow");
        }
        Err(error) => complain(&error, RECORDING),
    }
    false
}

/// Why this process cannot run a flow.
enum Unfit {
    /// Another process can: it has the handler, or is newer.
    Elsewhere(StepError),
    /// Another attempt would fail for the same reason.
    Never(StepError),
    Perhaps(StepError),
}

fn begin(orchestrator: &Orchestrator, claim: &Claim) -> Result<Attempt, Unfit> {
    let row = Row { id: claim.id, handler: &claim.handler };
    let mut stored = Stored::decode(row, &claim.body).map_err(|undecodable| match undecodable {
        Undecodable::Newer(error) => Unfit::Elsewhere(error),
        Undecodable::NotUpcast(error) => Unfit::Never(error),
        Undecodable::Damaged(error) => Unfit::Perhaps(error),
    })?;
    let Some(overrides) = handlers::overrides_of(&claim.handler).map_err(Unfit::Perhaps)? else {
        let error = StepError::new(format_args!("this program has no handler `{}`", claim.handler));
        return Err(Unfit::Elsewhere(error));
    };
    let attempts = orchestrator.relay().settings().attempts;
    if claim.attempt > attempts {
        return Err(Unfit::Perhaps(StepError::new(format_args!("all {attempts} attempts were interrupted"))));
    }
    stored.flow.resubmitted = claim.resubmitted;
    Ok(Attempt::new(orchestrator.clone(), stored, overrides))
}

fn tell(claim: &Claim, error: &StepError) {
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
}

/// How long a flow that another process must run is not due. While it is due, relays without its handler may claim it again.
fn left_for(orchestrator: &Orchestrator) -> Duration {
    const LEFT_FOR: Duration = Duration::from_secs(5);
    orchestrator.relay().settings().cap.min(LEFT_FOR)
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
