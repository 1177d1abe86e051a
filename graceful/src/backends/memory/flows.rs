//! The in-memory flow store: for tests of durable delivery, and as the smallest example of a [`FlowStore`](backends::FlowStore).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{Clock, after, operations::Operated, unpoisoned};
use crate::backends::{
    self, Action, ActionResult, AttemptFailure, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt,
    FailureGroups, FlowFilter, FlowQuery, FlowState, FlowSummary, Lag, Lane, LiveRelay, Operations, Page,
    QueuedFlow, RelayInfo, Reply, Room, StoredFlow,
    fair::{Due, choose},
};

/// An in-memory flow store for tests. It is not durable: its flows are lost with the process.
///
/// ```
/// use graceful::{Orchestrator, backends::memory};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::builder().in_memory().flows(memory::Flows::new()).build()?;
/// assert!(orchestrator.flows().is_some());
/// # Ok::<(), graceful::error::BuildError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Flows(Arc<Mutex<Rows>>);

#[derive(Default)]
pub(super) struct Rows {
    by_sequence: BTreeMap<u64, Row>,
    by_id: HashMap<Uuid, u64>,
    next: u64,
    relays: Vec<LiveRelay>,
    pub(super) clock: Clock,
    pub(super) operated: Operated,
}

struct Row {
    summary: FlowSummary,
    body: Vec<u8>,
    lane: Lane,
    token: Option<Uuid>,
    failed: Vec<FailedAttempt>,
}

impl Flows {
    /// Creates an empty store.
    ///
    /// ```
    /// let flows = graceful::backends::memory::Flows::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn rows(&self) -> MutexGuard<'_, Rows> {
        unpoisoned(self.0.lock())
    }
}

impl Rows {
    fn push(&mut self, row: Row) {
        let sequence = self.next;
        self.next += 1;
        self.by_id.insert(row.summary.id, sequence);
        self.by_sequence.insert(sequence, row);
    }

    fn of(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_sequence.get_mut(self.by_id.get(&id)?)
    }

    fn claimed(&mut self, ClaimId { id, token }: ClaimId) -> Option<&mut Row> {
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
    fn is_queued(&self) -> bool {
        self.summary.state == FlowState::Queued
    }

    fn is_running(&self, now: Timestamp) -> bool {
        self.token.is_some() && self.summary.due > now
    }

    fn summary(&self, now: Timestamp) -> FlowSummary {
        FlowSummary { running: self.is_running(now), ..self.summary.clone() }
    }

    fn end(&mut self, state: FlowState, now: Timestamp) {
        (self.summary.state, self.summary.ended_at, self.token) = (state, Some(now), None);
    }

    fn resubmit(&mut self, now: Timestamp) {
        let flow = &mut self.summary;
        (flow.state, flow.attempts, flow.due) = (FlowState::Queued, 0, now);
        flow.resubmitted += 1;
        (flow.failed_at, flow.failure, flow.ended_at) = (None, None, None);
        self.token = None;
    }

    fn fail(&mut self, failure: AttemptFailure, body: Option<Vec<u8>>, now: Timestamp) {
        let FlowSummary { resubmitted, attempts, .. } = self.summary;
        (self.summary.failure, self.summary.failed_at) = (Some(failure.cause.clone()), Some(now));
        self.failed.push(FailedAttempt { resubmitted, number: attempts, at: now, failure });
        if let Some(body) = body {
            self.body = body;
        }
    }
}

impl backends::FlowStore for Flows {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        let mut rows = self.rows();
        if !rows.by_id.contains_key(&flow.id) {
            let QueuedFlow { id, entity, handler, lane, body, .. } = flow;
            let summary = FlowSummary::new(id, entity, handler, FlowState::Queued, rows.clock.now());
            rows.push(Row { summary, body, lane, token: None, failed: Vec::new() });
        }
        Reply::ready(())
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        let mut rows = self.rows();
        let until = after(rows.clock.now(), lease);
        let mut due = rows.due();
        due.retain(|flow| !rows.operated.is_paused(flow.lane));
        let mut chosen = choose(&room, due);
        chosen.sort_unstable();
        let claims = chosen.into_iter().filter_map(|sequence| {
            let row = rows.by_sequence.get_mut(&u64::try_from(sequence).ok()?)?;
            let token = Uuid::from_u128(fastrand::u128(..));
            row.token = Some(token);
            row.summary.due = until;
            row.summary.attempts += 1;
            let FlowSummary { id, attempts: attempt, resubmitted, ref handler, .. } = row.summary;
            let (handler, lane, body) = (handler.clone(), row.lane, row.body.clone());
            Some(Claim { id, token, attempt, resubmitted, handler, lane, body })
        });
        Reply::ready(claims.collect())
    }

    fn extend(&self, claims: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        let mut rows = self.rows();
        let until = after(rows.clock.now(), lease);
        for claim in claims {
            if let Some(row) = rows.claimed(claim) {
                row.summary.due = until;
            }
        }
        Reply::ready(())
    }

    fn record_outcome(&self, claim: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        let Some(row) = rows.claimed(claim) else { return Reply::ready(false) };
        row.token = None;
        match outcome {
            AttemptOutcome::Completed => {
                (row.summary.failure, row.summary.failed_at) = (None, None);
                row.end(FlowState::Completed, now);
            }
            AttemptOutcome::Retry { after: time, failure, body } => {
                row.summary.due = after(now, time);
                row.fail(failure, body, now);
            }
            AttemptOutcome::Dead { failure, body } => {
                row.fail(failure, body, now);
                row.end(FlowState::Dead, now);
            }
        }
        Reply::ready(true)
    }

    fn hand_back(&self, claim: ClaimId, time: Duration) -> Reply<bool> {
        let mut rows = self.rows();
        let due = after(rows.clock.now(), time);
        let Some(row) = rows.claimed(claim) else { return Reply::ready(false) };
        (row.token, row.summary.due) = (None, due);
        row.summary.attempts = row.summary.attempts.saturating_sub(1);
        Reply::ready(true)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        Reply::ready(rows.of(id).map(|row| StoredFlow::new(row.summary(now), row.body.clone())))
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        let rows = self.rows();
        let (now, flows) = rows.summaries();
        Reply::ready(query.select(flows, now))
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        let rows = self.rows();
        let (now, flows) = rows.summaries();
        Reply::ready(Count::capped(flows.filter(|flow| filter.selects(flow, now)).count() as u64, cap))
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        let rows = self.rows();
        let (now, flows) = rows.summaries();
        Reply::ready(FailureGroups::of(flows, &filter, cap, now))
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        Reply::ready(self.rows().of(id).map_or_else(Vec::new, |row| row.failed.clone()))
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        let rows = self.rows();
        let (now, flows) = rows.summaries();
        let mut lag = Lag::of(flows, cap);
        let oldest = rows.due().into_iter().map(|due| due.order.0).min();
        lag.oldest_due = oldest.map(|due| {
            let waited = now.as_microsecond().saturating_sub(due);
            Duration::from_micros(u64::try_from(waited).unwrap_or_default())
        });
        Reply::ready(lag)
    }

    fn resubmit(&self, id: Uuid) -> Reply<ActionResult> {
        Reply::ready(self.rows().act(id, Action::Resubmit, FlowState::Dead))
    }

    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult> {
        Reply::ready(self.rows().act(id, Action::Discard, from))
    }

    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult> {
        Reply::ready(self.rows().act(id, Action::Postpone(time), FlowState::Queued))
    }

    fn operations(&self) -> Option<&dyn Operations> {
        Some(self)
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        let Rows { by_sequence, by_id, .. } = &mut *rows;
        let count = by_sequence.len();
        by_sequence.retain(|_, row| {
            let forgotten = state != FlowState::Queued
                && row.summary.state == state
                && row.summary.ended_at.is_some_and(|ended| after(ended, age) <= now);
            if forgotten {
                by_id.remove(&row.summary.id);
            }
            !forgotten
        });
        Reply::ready((count - by_sequence.len()) as u64)
    }

    fn announce(&self, relay: RelayInfo) -> Reply<()> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        let is_stored = |known: &LiveRelay| after(known.seen_at, LiveRelay::STORED_FOR) > now;
        rows.relays.retain(|known| known.info.id == relay.id || is_stored(known));
        match rows.relays.iter_mut().find(|known| known.info.id == relay.id) {
            Some(known) => known.seen_at = now,
            None => rows.relays.push(LiveRelay::new(relay, now, now)),
        }
        Reply::ready(())
    }

    fn withdraw(&self, relay: Uuid) -> Reply<()> {
        self.rows().relays.retain(|known| known.info.id != relay);
        Reply::ready(())
    }

    fn relays(&self) -> Reply<Vec<LiveRelay>> {
        let rows = self.rows();
        let now = rows.clock.now();
        let live = rows.relays.iter().filter(|relay| after(relay.seen_at, LiveRelay::ALIVE_FOR) > now);
        Reply::ready(live.cloned().collect())
    }
}

impl fmt::Debug for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flows").field("len", &self.rows().by_sequence.len()).finish()
    }
}
