//! The rows of the in-memory flow store.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Clock, after, operations::Operated};
use crate::backends::{
    Action, ActionResult, AttemptFailure, Claim, ClaimId, FailedAttempt, FlowState, FlowSummary, Lane,
    LiveRelay, fair::Due,
};

/// The limit of the bodies of all followers of a flow.
const MOST_BYTES: usize = 4 << 20;

#[derive(Default)]
pub(super) struct Rows {
    pub(super) by_sequence: BTreeMap<u64, Row>,
    pub(super) by_id: HashMap<Uuid, u64>,
    pub(super) next: u64,
    pub(super) relays: Vec<LiveRelay>,
    pub(super) clock: Clock,
    pub(super) operated: Operated,
}

pub(super) struct Row {
    pub(super) summary: FlowSummary,
    pub(super) body: Vec<u8>,
    pub(super) lane: Lane,
    pub(super) token: Option<Uuid>,
    pub(super) failed: Vec<FailedAttempt>,
}

impl Rows {
    pub(super) fn push(&mut self, row: Row) {
        let sequence = self.next;
        self.next += 1;
        self.by_id.insert(row.summary.id, sequence);
        self.by_sequence.insert(sequence, row);
    }

    pub(super) fn of(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_sequence.get_mut(self.by_id.get(&id)?)
    }

    pub(super) fn claimed(&mut self, ClaimId { id, token }: ClaimId) -> Option<&mut Row> {
        self.of(id).filter(|row| row.token == Some(token))
    }

    /// The first queued flow of each entity, where that one is due.
    pub(super) fn due(&self) -> Vec<Due> {
        let (now, mut entities) = (self.clock.now(), HashSet::new());
        let queued = self.by_sequence.iter().filter(|(_, row)| row.is_queued());
        let firsts = queued.filter(|(_, row)| entities.insert(&row.summary.entity));
        let due = firsts.filter(|(_, row)| row.summary.due <= now);
        due.map(|(sequence, row)| {
            let due = row.summary.due.as_microsecond();
            Due { lane: row.lane, order: (due, i64::try_from(*sequence).unwrap_or(i64::MAX)) }
        })
        .collect()
    }

    /// The flows to claim with this one. What others hold of its entity is lost to its claim.
    pub(super) fn followers(&mut self, sequence: u64, per_entity: usize) -> Vec<u64> {
        let now = self.clock.now();
        let Some(first) = self.by_sequence.get(&sequence) else { return Vec::new() };
        let (entity, lane, is_first_attempt) = (first.summary.entity.clone(), first.lane, first.is_fresh());
        let mut behind: Vec<_> = self.by_sequence.range_mut(sequence + 1..).collect();
        behind.retain(|(_, row)| row.is_queued() && row.summary.entity == entity);
        for (_, row) in behind.iter_mut().filter(|(_, row)| row.token.is_some_and(|token| !token.is_nil())) {
            (row.token, row.summary.due) = (Some(Uuid::nil()), row.summary.stored_at);
        }
        let next = behind.into_iter().filter(|_| is_first_attempt).take(per_entity.saturating_sub(1));
        let mut bytes = 0;
        let next = next.take_while(|(_, row)| {
            bytes += row.body.len();
            bytes <= MOST_BYTES && row.is_fresh() && row.lane == lane && row.summary.due <= now
        });
        next.map(|(sequence, _)| *sequence).collect()
    }

    /// The flow with this id.
    pub(super) fn summary(&self, id: Uuid) -> Option<FlowSummary> {
        let row = self.by_sequence.get(self.by_id.get(&id)?)?;
        Some(row.summary(self.clock.now()))
    }

    pub(super) fn summaries(&self) -> (Timestamp, impl Iterator<Item = FlowSummary>) {
        let now = self.clock.now();
        (now, self.by_sequence.values().map(move |row| row.summary(now)))
    }

    /// Changes a flow that is in this state, if the action applies to it and no attempt is running.
    pub(super) fn act(&mut self, id: Uuid, action: Action, from: FlowState) -> ActionResult {
        let now = self.clock.now();
        let found = self.of(id).map(|row| (row.summary.state, row.is_running(now)));
        if found != Some((from, false)) || !action.states().contains(&from) {
            return ActionResult::refused(found);
        }
        let sequence = self.by_id[&id];
        let Some(mut row) = self.by_sequence.remove(&sequence) else { return ActionResult::NotFound };
        match action {
            Action::Resubmit => {
                row.resubmit(now);
                self.push(row);
                return ActionResult::Done;
            }
            Action::Discard => row.end(FlowState::Discarded, now),
            Action::Postpone(time) => (row.summary.due, row.token) = (after(now, time), None),
        }
        self.by_sequence.insert(sequence, row);
        ActionResult::Done
    }
}

impl Row {
    pub(super) fn is_queued(&self) -> bool {
        self.summary.state == FlowState::Queued
    }

    /// Whether it was never attempted, nor claimed to be.
    pub(super) fn is_fresh(&self) -> bool {
        self.summary.attempts == 0 && self.token.is_none()
    }

    pub(super) fn claim(&mut self, until: Timestamp) -> Claim {
        let token = Uuid::from_u128(fastrand::u128(..));
        (self.token, self.summary.due) = (Some(token), until);
        let FlowSummary { id, attempts, resubmitted, ref handler, .. } = self.summary;
        let id = ClaimId { id, token };
        let mut claim = Claim::new(id, attempts.max(1), handler.clone(), self.lane, self.body.clone());
        claim.resubmitted = resubmitted;
        claim
    }

    pub(super) fn complete(&mut self, now: Timestamp) {
        (self.summary.failure, self.summary.failed_at) = (None, None);
        self.attempted();
        self.end(FlowState::Completed, now);
    }

    /// An attempt has ended: if it was a follower's, it counts now.
    pub(super) fn attempted(&mut self) {
        (self.token, self.summary.attempts) = (None, self.summary.attempts.max(1));
    }

    pub(super) fn is_running(&self, now: Timestamp) -> bool {
        self.token.is_some() && self.summary.due > now
    }

    pub(super) fn summary(&self, now: Timestamp) -> FlowSummary {
        FlowSummary { running: self.is_running(now), ..self.summary.clone() }
    }

    pub(super) fn end(&mut self, state: FlowState, now: Timestamp) {
        (self.summary.state, self.summary.ended_at, self.token) = (state, Some(now), None);
    }

    pub(super) fn resubmit(&mut self, now: Timestamp) {
        let flow = &mut self.summary;
        (flow.state, flow.attempts, flow.due) = (FlowState::Queued, 0, now);
        flow.resubmitted += 1;
        (flow.failed_at, flow.failure, flow.ended_at) = (None, None, None);
        self.token = None;
    }

    pub(super) fn fail(&mut self, failure: AttemptFailure, body: Option<Vec<u8>>, now: Timestamp) {
        self.attempted();
        let FlowSummary { resubmitted, attempts, .. } = self.summary;
        (self.summary.failure, self.summary.failed_at) = (Some(failure.cause.clone()), Some(now));
        self.failed.push(FailedAttempt { resubmitted, number: attempts, at: now, failure });
        if let Some(body) = body {
            self.body = body;
        }
    }
}
