//! A flow and its failed attempts, as they are in the file.

use std::time::Duration;

use graceful::{
    Code, Step,
    backends::{
        AttemptFailure, FailedAttempt, FailureCause, FlowState, FlowSummary, GroupId, Timestamp, Uuid,
    },
};
use serde::{Deserialize, Serialize};

/// A flow, in the order in which it was stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub id: Uuid,
    pub entity: String,
    pub handler: String,
    pub lane: i64,
    pub body: Vec<u8>,
    /// The name of the state.
    pub state: String,
    pub attempts: u32,
    pub resubmitted: u32,
    /// Microseconds since 1970.
    pub stored_at: i64,
    pub due: i64,
    pub ended_at: Option<i64>,
    pub token: Option<Uuid>,
    /// The failed attempts. The last one is the flow's failure, if `has_failed`.
    pub failed: Vec<Failed>,
    pub has_failed: bool,
}

/// A failed attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failed {
    resubmitted: u32,
    number: u32,
    at: i64,
    took: Duration,
    step: Option<Step>,
    code: Option<Code>,
    group: i64,
    error: String,
    steps: Vec<(Step, String)>,
}

impl Failed {
    fn cause(&self) -> FailureCause {
        FailureCause::stored(self.step, self.code, &self.error, GroupId::from_number(self.group))
    }

    pub(crate) fn attempt(&self) -> FailedAttempt {
        let mut failure = AttemptFailure::new(self.cause());
        (failure.took, failure.steps) = (self.took, self.steps.clone());
        FailedAttempt::new(self.resubmitted, self.number, timestamp(self.at), failure)
    }
}

impl Row {
    pub(crate) fn state(&self) -> FlowState {
        self.state.parse().unwrap_or(FlowState::Queued)
    }

    pub(crate) fn is_running(&self, now: i64) -> bool {
        self.token.is_some() && self.due > now
    }

    pub(crate) fn summary(&self, now: i64) -> FlowSummary {
        let stored_at = timestamp(self.stored_at);
        let mut flow = FlowSummary::new(self.id, &self.entity, &self.handler, self.state(), stored_at);
        (flow.attempts, flow.resubmitted, flow.running) =
            (self.attempts, self.resubmitted, self.is_running(now));
        (flow.due, flow.ended_at) = (timestamp(self.due), self.ended_at.map(timestamp));
        if let Some(failed) = self.failed.last().filter(|_| self.has_failed) {
            (flow.failed_at, flow.failure) = (Some(timestamp(failed.at)), Some(failed.cause()));
        }
        flow
    }

    pub(crate) fn end(&mut self, state: FlowState, now: i64) {
        (self.state, self.ended_at, self.token) = (state.to_string(), Some(now), None);
    }

    pub(crate) fn fail(&mut self, failure: AttemptFailure, body: Option<Vec<u8>>, now: i64) {
        let FailureCause { step, code, error, group, .. } = failure.cause;
        self.failed.push(Failed {
            resubmitted: self.resubmitted,
            number: self.attempts,
            at: now,
            took: failure.took,
            step,
            code,
            group: group.number(),
            error,
            steps: failure.steps,
        });
        self.has_failed = true;
        if let Some(body) = body {
            self.body = body;
        }
    }
}

pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}
