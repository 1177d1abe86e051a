//! The in-memory flow store: for tests of durable delivery, and as the smallest example of a [`FlowStore`](backends::FlowStore).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use uuid::Uuid;

use super::{
    after,
    flow_rows::{Row, Rows},
    unpoisoned,
};
use crate::backends::{
    self, Action, ActionResult, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt, FailureGroups,
    FlowFilter, FlowQuery, FlowState, FlowSummary, Lag, LiveRelay, Operations, Page, QueuedFlow, RelayInfo,
    Reply, Room, StoredFlow, fair::choose,
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
            let sequence = u64::try_from(sequence).ok()?;
            let followers = rows.followers(sequence, room.per_entity);
            let row = rows.by_sequence.get_mut(&sequence)?;
            row.summary.attempts += u32::from(followers.is_empty());
            let mut claim = row.claim(until);
            for follower in followers {
                claim.followers.extend(rows.by_sequence.get_mut(&follower).map(|row| row.claim(until)));
            }
            Some(claim)
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
        match outcome {
            AttemptOutcome::Completed => row.complete(now),
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

    fn complete(&self, claims: Vec<ClaimId>) -> Reply<bool> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        for claim in claims {
            let Some(row) = rows.claimed(claim) else { return Reply::ready(false) };
            row.complete(now);
        }
        Reply::ready(true)
    }

    fn hand_back(&self, claims: Vec<ClaimId>, time: Duration) -> Reply<()> {
        let mut rows = self.rows();
        let due = after(rows.clock.now(), time);
        for claim in claims {
            if let Some(row) = rows.claimed(claim) {
                let keeps_its_place = time.is_zero() && row.summary.attempts == 0;
                row.summary.due = if keeps_its_place { row.summary.stored_at } else { due };
                row.token = None;
                row.summary.attempts = row.summary.attempts.saturating_sub(1);
            }
        }
        Reply::ready(())
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
