//! A durable store of flows in one JSON file, written as somebody else would write it: it uses the public API of `graceful` only.
//!
//! Every change writes the whole file, so it is for few flows. It shows what a store of your own needs: the trait, a fair choice among
//! the flows that are due, and a constant for the configuration.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use graceful::{
    Backend, Code, OrchestratorBuilder, Step, StepError,
    backends::{
        Action, ActionResult, AttemptFailure, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt,
        FailureCause, FailureGroups, FlowFilter, FlowQuery, FlowState, FlowStore, FlowSummary, GroupId, Lag,
        Lane, Page, QueuedFlow, Reply, Room, StoredFlow, Timestamp, Uuid,
        client::ConnectError,
        fair::{Due, choose},
    },
};
use serde::{Deserialize, Serialize};

/// `GRACEFUL_STORE=json:///path/to/file`.
pub const BACKEND: Backend = Backend::new("json", "GRACEFUL_STORE", &["json"], |url| {
    Box::pin(async move {
        let path = url.strip_prefix("json://").unwrap_or_default();
        let store = Store::open(path).map_err(|error| ConnectError::new(error.to_string()))?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.flows(store)) as _)
    })
});

/// The store; cloning it shares the file.
#[derive(Clone, Debug)]
pub struct Store(Arc<Mutex<File>>);

#[derive(Debug)]
struct File {
    path: PathBuf,
    rows: Vec<Row>,
    /// For tests: how far the store's clock is ahead.
    ahead: Duration,
}

/// A flow, in the order in which it was stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    id: Uuid,
    entity: String,
    handler: String,
    lane: i64,
    body: Vec<u8>,
    /// The name of the state.
    state: String,
    attempts: u32,
    resubmitted: u32,
    /// Microseconds since 1970.
    stored_at: i64,
    due: i64,
    ended_at: Option<i64>,
    token: Option<Uuid>,
    /// The failed attempts. The last one is the flow's failure, if `has_failed`.
    failed: Vec<Failed>,
    has_failed: bool,
}

/// A failed attempt.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Failed {
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

    fn attempt(&self) -> FailedAttempt {
        let mut failure = AttemptFailure::new(self.cause());
        (failure.took, failure.steps) = (self.took, self.steps.clone());
        FailedAttempt::new(self.resubmitted, self.number, timestamp(self.at), failure)
    }
}

impl Row {
    fn state(&self) -> FlowState {
        self.state.parse().unwrap_or(FlowState::Queued)
    }

    fn is_running(&self, now: i64) -> bool {
        self.token.is_some() && self.due > now
    }

    fn summary(&self, now: i64) -> FlowSummary {
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

    fn end(&mut self, state: FlowState, now: i64) {
        (self.state, self.ended_at, self.token) = (state.to_string(), Some(now), None);
    }

    fn fail(&mut self, failure: AttemptFailure, body: Option<Vec<u8>>, now: i64) {
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

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

impl File {
    fn now(&self) -> i64 {
        micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead)
    }

    /// The change is on disk when this returns: a new file takes the place of the old one.
    fn write(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let file = fs::File::create(&new)?;
        serde_json::to_writer(&file, &self.rows)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }

    /// The first queued flow of each entity, with its place.
    fn heads(&self) -> impl Iterator<Item = (usize, &Row)> {
        let mut entities = HashSet::new();
        let queued = self.rows.iter().enumerate().filter(|(_, row)| row.ended_at.is_none());
        queued.filter(move |(_, row)| entities.insert(&row.entity))
    }

    fn summaries(&self) -> impl Iterator<Item = FlowSummary> {
        let now = self.now();
        self.rows.iter().map(move |row| row.summary(now))
    }

    fn claimed(&mut self, claim: ClaimId) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.id == claim.id && row.token == Some(claim.token))
    }
}

impl Store {
    /// Opens the store, or creates it.
    ///
    /// # Errors
    /// The file cannot be read, or is not that of a store.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let rows = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Mutex::new(File { path, rows, ahead: Duration::ZERO }))))
    }

    /// For tests: the store's clock goes forward.
    pub fn elapse(&self, time: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ahead += time;
    }

    /// Reads the rows.
    fn read<T>(&self, read: impl FnOnce(&File) -> T) -> Reply<T> {
        Reply::ready(read(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Changes the rows, and writes them.
    fn change<T>(&self, change: impl FnOnce(&mut File) -> T) -> Reply<T> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = file.rows.clone();
        let answer = change(&mut file);
        match file.write() {
            Ok(()) => Reply::ready(answer),
            Err(error) => {
                file.rows = before;
                Reply::failed(StepError::caused_by(error))
            }
        }
    }
}

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

    fn hand_back(&self, claim: ClaimId, after: Duration) -> Reply<bool> {
        self.change(|file| {
            let due = file.now().saturating_add(micros(after));
            let Some(row) = file.claimed(claim) else { return false };
            (row.token, row.due, row.attempts) = (None, due, row.attempts.saturating_sub(1));
            true
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
