//! The in-memory flow store: for tests of durable delivery, and as the smallest example of a [`FlowStore`](backends::FlowStore).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use uuid::Uuid;

use super::{Clock, after, unpoisoned};
use crate::backends::{
    self, AttemptOutcome, Claim, ClaimId, FlowState, Lane, QueuedFlow, Reply, Room, StoredFlow,
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
struct Rows {
    by_sequence: BTreeMap<u64, Row>,
    by_id: HashMap<Uuid, u64>,
    next: u64,
    clock: Clock,
}

struct Row {
    stored: StoredFlow,
    lane: Lane,
    token: Option<Uuid>,
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
}

impl Rows {
    fn push(&mut self, lane: Lane, stored: StoredFlow) {
        let sequence = self.next;
        self.next += 1;
        self.by_id.insert(stored.id, sequence);
        self.by_sequence.insert(sequence, Row { stored, lane, token: None });
    }

    fn of(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_sequence.get_mut(self.by_id.get(&id)?)
    }

    fn claimed(&mut self, ClaimId { id, token }: ClaimId) -> Option<&mut Row> {
        self.of(id).filter(|row| row.token == Some(token))
    }

    /// The first queued flow of each entity, where that one is due.
    fn due(&self) -> Vec<Due> {
        let (now, mut entities) = (self.clock.now(), HashSet::new());
        let queued = self.by_sequence.iter().filter(|(_, row)| row.is_queued());
        let firsts = queued.filter(|(_, row)| entities.insert(&row.stored.entity));
        let due = firsts.filter(|(_, row)| row.stored.due <= now);
        due.map(|(sequence, row)| {
            let due = row.stored.due.as_microsecond();
            Due { lane: row.lane, order: (due, i64::try_from(*sequence).unwrap_or(i64::MAX)) }
        })
        .collect()
    }
}

impl Row {
    fn is_queued(&self) -> bool {
        self.stored.state == FlowState::Queued
    }

    fn end(&mut self, state: FlowState, now: jiff::Timestamp) {
        self.stored.state = state;
        self.stored.ended_at = Some(now);
    }
}

impl backends::FlowStore for Flows {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        let mut rows = unpoisoned(self.0.lock());
        if !rows.by_id.contains_key(&flow.id) {
            let QueuedFlow { id, entity, handler, lane, body } = flow;
            let due = rows.clock.now();
            rows.push(lane, StoredFlow::new(id, entity, handler, FlowState::Queued, due, body));
        }
        Reply::ready(())
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        let mut rows = unpoisoned(self.0.lock());
        let until = after(rows.clock.now(), lease);
        let mut chosen = choose(&room, rows.due());
        chosen.sort_unstable();
        let claims = chosen.into_iter().filter_map(|sequence| {
            let row = rows.by_sequence.get_mut(&u64::try_from(sequence).ok()?)?;
            let token = Uuid::from_u128(fastrand::u128(..));
            row.token = Some(token);
            row.stored.due = until;
            row.stored.attempts += 1;
            let StoredFlow { id, attempts, resubmitted, handler, body, .. } = row.stored.clone();
            Some(Claim { id, token, attempt: attempts, resubmitted, handler, lane: row.lane, body })
        });
        Reply::ready(claims.collect())
    }

    fn extend(&self, claims: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        let mut rows = unpoisoned(self.0.lock());
        let until = after(rows.clock.now(), lease);
        for claim in claims {
            if let Some(row) = rows.claimed(claim) {
                row.stored.due = until;
            }
        }
        Reply::ready(())
    }

    fn record_outcome(&self, claim: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        let mut rows = unpoisoned(self.0.lock());
        let now = rows.clock.now();
        let Some(row) = rows.claimed(claim) else { return Reply::ready(false) };
        row.token = None;
        let (error, body) = match outcome {
            AttemptOutcome::Completed => {
                row.end(FlowState::Completed, now);
                (None, None)
            }
            AttemptOutcome::Retry { after: time, error, body } => {
                row.stored.due = after(now, time);
                (Some(error), body)
            }
            AttemptOutcome::Dead { error, body } => {
                row.end(FlowState::Dead, now);
                (Some(error), body)
            }
        };
        row.stored.error = error;
        if let Some(body) = body {
            row.stored.body = body;
        }
        Reply::ready(true)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        Reply::ready(unpoisoned(self.0.lock()).of(id).map(|row| row.stored.clone()))
    }

    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>> {
        let rows = unpoisoned(self.0.lock());
        let in_state = rows.by_sequence.values().filter(|row| row.stored.state == state);
        let mut found: Vec<_> = in_state.map(|row| row.stored.clone()).collect();
        found.sort_by_key(|stored| stored.ended_at);
        found.truncate(limit);
        Reply::ready(found)
    }

    fn resubmit(&self, id: Uuid) -> Reply<bool> {
        let mut rows = unpoisoned(self.0.lock());
        let due = rows.clock.now();
        let Some(row) = rows.of(id).filter(|row| !row.is_queued()) else { return Reply::ready(false) };
        let (lane, stored, state) = (row.lane, row.stored.clone(), FlowState::Queued);
        let before = rows.by_id[&id];
        rows.by_sequence.remove(&before);
        let resubmitted = stored.resubmitted + 1;
        let again =
            StoredFlow { state, attempts: 0, resubmitted, due, error: None, ended_at: None, ..stored };
        rows.push(lane, again);
        Reply::ready(true)
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        let mut rows = unpoisoned(self.0.lock());
        let now = rows.clock.now();
        let Rows { by_sequence, by_id, .. } = &mut *rows;
        let count = by_sequence.len();
        by_sequence.retain(|_, row| {
            let forgotten = state != FlowState::Queued
                && row.stored.state == state
                && row.stored.ended_at.is_some_and(|ended| after(ended, age) <= now);
            if forgotten {
                by_id.remove(&row.stored.id);
            }
            !forgotten
        });
        Reply::ready((count - by_sequence.len()) as u64)
    }
}

impl fmt::Debug for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flows").field("len", &unpoisoned(self.0.lock()).by_sequence.len()).finish()
    }
}
