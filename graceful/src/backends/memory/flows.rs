//! Flows on their way, in memory: for tests of durable delivery, and as the smallest [`FlowStore`](backends::FlowStore).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::unpoisoned;
use crate::backends::{self, Claim, FlowState, Held, QueuedFlow, Reply, Settlement, StoredFlow};

/// Flows on their way, in memory. They are gone with the process, so this is no durable store: it is for tests.
///
/// ```
/// use graceful::{Orchestrator, backends::memory};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let orchestrator = Orchestrator::builder().in_memory().flows(memory::Flows::new()).build()?;
/// assert!(orchestrator.flows().is_some());
/// # Ok::<(), graceful::BuildError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Flows(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    by_sequence: BTreeMap<u64, Row>,
    by_id: HashMap<Uuid, u64>,
    next: u64,
}

struct Row {
    stored: StoredFlow,
    token: Option<Uuid>,
}

impl Flows {
    /// An empty store.
    ///
    /// ```
    /// let flows = graceful::backends::memory::Flows::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rows {
    fn push(&mut self, stored: StoredFlow) {
        let sequence = self.next;
        self.next += 1;
        self.by_id.insert(stored.id, sequence);
        self.by_sequence.insert(sequence, Row { stored, token: None });
    }

    fn of(&mut self, id: Uuid) -> Option<&mut Row> {
        self.by_sequence.get_mut(self.by_id.get(&id)?)
    }

    fn held(&mut self, Held { id, token }: Held) -> Option<&mut Row> {
        self.of(id).filter(|row| row.token == Some(token))
    }
}

impl Row {
    fn is_queued(&self) -> bool {
        self.stored.state == FlowState::Queued
    }

    fn end(&mut self, state: FlowState, now: Timestamp) {
        self.stored.state = state;
        self.stored.ended_at = Some(now);
    }
}

impl backends::FlowStore for Flows {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        let mut rows = unpoisoned(self.0.lock());
        if !rows.by_id.contains_key(&flow.id) {
            let QueuedFlow { id, entity, handler, body, at: due } = flow;
            let state = FlowState::Queued;
            rows.push(StoredFlow {
                id,
                entity,
                handler,
                state,
                attempts: 0,
                due,
                error: None,
                ended_at: None,
                body,
            });
        }
        Reply::ready(())
    }

    fn claim(&self, now: Timestamp, limit: usize, lease: Duration) -> Reply<Vec<Claim>> {
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let mut rows = unpoisoned(self.0.lock());
        let mut entities = HashSet::new();
        let mut heads: Vec<_> = rows
            .by_sequence
            .iter_mut()
            .filter(|(_, row)| row.is_queued() && entities.insert(row.stored.entity.clone()))
            .filter(|(_, row)| row.stored.due <= now)
            .collect();
        heads.sort_by_key(|(_, row)| row.stored.due);
        heads.truncate(limit);
        heads.sort_by_key(|(sequence, _)| **sequence);
        let claims = heads.into_iter().map(|(_, row)| {
            let token = Uuid::from_u128(fastrand::u128(..));
            row.token = Some(token);
            row.stored.due = until;
            row.stored.attempts += 1;
            let StoredFlow { id, attempts, handler, body, .. } = row.stored.clone();
            Claim { id, token, attempt: attempts, handler, body }
        });
        Reply::ready(claims.collect())
    }

    fn extend(&self, held: Vec<Held>, until: Timestamp) -> Reply<()> {
        let mut rows = unpoisoned(self.0.lock());
        for held in held {
            if let Some(row) = rows.held(held) {
                row.stored.due = until;
            }
        }
        Reply::ready(())
    }

    fn settle(&self, held: Held, settlement: Settlement, now: Timestamp) -> Reply<bool> {
        let mut rows = unpoisoned(self.0.lock());
        let Some(row) = rows.held(held) else { return Reply::ready(false) };
        row.token = None;
        let (error, body) = match settlement {
            Settlement::Completed => {
                row.end(FlowState::Completed, now);
                (None, None)
            }
            Settlement::Retry { due, error, body } => {
                row.stored.due = due;
                (Some(error), body)
            }
            Settlement::Dead { error, body } => {
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

    fn resubmit(&self, id: Uuid, now: Timestamp) -> Reply<bool> {
        let mut rows = unpoisoned(self.0.lock());
        let Some(row) = rows.of(id).filter(|row| !row.is_queued()) else { return Reply::ready(false) };
        let stored = row.stored.clone();
        let before = rows.by_id[&id];
        rows.by_sequence.remove(&before);
        let state = FlowState::Queued;
        rows.push(StoredFlow { state, attempts: 0, due: now, error: None, ended_at: None, ..stored });
        Reply::ready(true)
    }

    fn purge(&self, state: FlowState, before: Timestamp) -> Reply<u64> {
        let mut rows = unpoisoned(self.0.lock());
        let Rows { by_sequence, by_id, .. } = &mut *rows;
        let count = by_sequence.len();
        by_sequence.retain(|_, row| {
            let forgotten = state != FlowState::Queued
                && row.stored.state == state
                && row.stored.ended_at.is_some_and(|ended| ended < before);
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
