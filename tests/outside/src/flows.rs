//! The trait of a store of flows.

use std::time::Duration;

use graceful::backends::{
    Action, ActionResult, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt, FailureGroups, FlowFilter,
    FlowQuery, FlowState, FlowStore, FlowSummary, Lag, Lane, Page, QueuedFlow, Reply, Room, StoredFlow, Uuid,
    fair::{Due, choose},
};

use crate::{
    File, Store,
    row::{Failed, Row, micros, timestamp},
};

impl Store {
    /// Changes a flow in one of these states without a running attempt.
    fn act(
        &self,
        id: Uuid,
        states: &[FlowState],
        act: impl FnOnce(&mut File, usize, i64),
    ) -> Reply<ActionResult> {
        self.change(|file| {
            let (now, place) = (file.now(), file.rows.iter().position(|row| row.id == id));
            let found = place.map(|place| (file.rows[place].state(), file.rows[place].is_running(now)));
            match (place, found) {
                (Some(place), Some((state, false))) if states.contains(&state) => {
                    act(file, place, now);
                    ActionResult::Done
                }
                _ => ActionResult::refused(found),
            }
        })
    }
}

impl FlowStore for Store {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        self.change(|file| {
            if file.rows.iter().any(|row| row.id == flow.id) {
                return;
            }
            let QueuedFlow { id, entity, handler, lane, body, .. } = flow;
            let due = file.now();
            file.rows.push(Row {
                id,
                entity,
                handler,
                lane: lane.number(),
                body,
                state: FlowState::Queued.to_string(),
                attempts: 0,
                resubmitted: 0,
                stored_at: due,
                due,
                ended_at: None,
                token: None,
                failed: Vec::new(),
                has_failed: false,
            });
        })
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        self.change(|file| {
            let now = file.now();
            let due = file.heads().filter(|(_, row)| row.due <= now).map(|(place, row)| {
                Due::new(Lane::from_number(row.lane), (row.due, i64::try_from(place).unwrap_or(i64::MAX)))
            });
            let mut chosen = choose(&room, due.collect());
            chosen.sort_unstable();
            let rows = &mut file.rows;
            let claim = |place: i64| {
                let row = rows.get_mut(usize::try_from(place).ok()?)?;
                let token = Uuid::new_v4();
                (row.token, row.due, row.attempts) =
                    (Some(token), now.saturating_add(micros(lease)), row.attempts + 1);
                let (id, lane) = (ClaimId { id: row.id, token }, Lane::from_number(row.lane));
                let mut claim = Claim::new(id, row.attempts, &row.handler, lane, row.body.clone());
                claim.resubmitted = row.resubmitted;
                Some(claim)
            };
            chosen.into_iter().filter_map(claim).collect()
        })
    }

    fn extend(&self, claims: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        self.change(|file| {
            let until = file.now().saturating_add(micros(lease));
            for claim in claims {
                if let Some(row) = file.claimed(claim) {
                    row.due = until;
                }
            }
        })
    }

    fn record_outcome(&self, claim: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        self.change(|file| {
            let now = file.now();
            let Some(row) = file.claimed(claim) else { return false };
            row.token = None;
            match outcome {
                AttemptOutcome::Completed => {
                    row.has_failed = false;
                    row.end(FlowState::Completed, now);
                }
                AttemptOutcome::Retry { after, failure, body } => {
                    row.due = now.saturating_add(micros(after));
                    row.fail(failure, body, now);
                }
                AttemptOutcome::Dead { failure, body } => {
                    row.fail(failure, body, now);
                    row.end(FlowState::Dead, now);
                }
            }
            true
        })
    }

    fn hand_back(&self, claims: Vec<ClaimId>, after: Duration) -> Reply<()> {
        self.change(|file| {
            let due = file.now().saturating_add(micros(after));
            for claim in claims {
                if let Some(row) = file.claimed(claim) {
                    (row.token, row.due, row.attempts) = (None, due, row.attempts.saturating_sub(1));
                }
            }
        })
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.read(|file| {
            let row = file.rows.iter().find(|row| row.id == id)?;
            Some(StoredFlow::new(row.summary(file.now()), row.body.clone()))
        })
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        self.read(|file| query.select(file.summaries(), timestamp(file.now())))
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        self.read(|file| {
            let now = timestamp(file.now());
            Count::capped(file.summaries().filter(|flow| filter.selects(flow, now)).count() as u64, cap)
        })
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        self.read(|file| FailureGroups::of(file.summaries(), &filter, cap, timestamp(file.now())))
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        self.read(|file| {
            let row = file.rows.iter().find(|row| row.id == id);
            row.map_or_else(Vec::new, |row| row.failed.iter().map(Failed::attempt).collect())
        })
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        self.read(|file| {
            let mut lag = Lag::of(file.summaries(), cap);
            let oldest =
                file.heads().map(|(_, row)| file.now() - row.due).filter(|waited| *waited >= 0).max();
            lag.oldest_due = oldest.map(|waited| Duration::from_micros(waited.unsigned_abs()));
            lag
        })
    }

    fn resubmit(&self, id: Uuid) -> Reply<ActionResult> {
        self.act(id, &[FlowState::Dead], |file, place, due| {
            let row = file.rows.remove(place);
            let (state, resubmitted) = (FlowState::Queued.to_string(), row.resubmitted + 1);
            let again =
                Row { state, attempts: 0, resubmitted, due, ended_at: None, has_failed: false, ..row };
            file.rows.push(again);
        })
    }

    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult> {
        let only = [from];
        let states = if Action::Discard.states().contains(&from) { &only[..] } else { &[] };
        self.act(id, states, |file, place, now| {
            file.rows[place].end(FlowState::Discarded, now);
        })
    }

    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult> {
        self.act(id, &[FlowState::Queued], |file, place, now| {
            (file.rows[place].due, file.rows[place].token) = (now.saturating_add(micros(time)), None);
        })
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        self.change(|file| {
            let (before, until) = (file.rows.len(), file.now().saturating_sub(micros(age)));
            file.rows.retain(|row| row.state() != state || row.ended_at.is_none_or(|ended| ended > until));
            u64::try_from(before - file.rows.len()).unwrap_or_default()
        })
    }
}
