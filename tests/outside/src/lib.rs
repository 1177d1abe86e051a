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
    Backend, OrchestratorBuilder, StepError,
    backends::{
        AttemptOutcome, Claim, ClaimId, FlowState, FlowStore, Lane, QueuedFlow, Reply, Room, StoredFlow,
        Timestamp, Uuid,
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
    dead: bool,
    attempts: u32,
    resubmitted: u32,
    /// Microseconds since 1970.
    due: i64,
    ended_at: Option<i64>,
    error: Option<String>,
    token: Option<Uuid>,
}

impl Row {
    fn state(&self) -> FlowState {
        match (self.ended_at, self.dead) {
            (None, _) => FlowState::Queued,
            (Some(_), true) => FlowState::Dead,
            (Some(_), false) => FlowState::Completed,
        }
    }

    fn stored(&self) -> StoredFlow {
        let (state, due, body) = (self.state(), timestamp(self.due), self.body.clone());
        let mut flow = StoredFlow::new(self.id, &self.entity, &self.handler, state, due, body);
        (flow.attempts, flow.resubmitted) = (self.attempts, self.resubmitted);
        (flow.error, flow.ended_at) = (self.error.clone(), self.ended_at.map(timestamp));
        flow
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
                dead: false,
                attempts: 0,
                resubmitted: 0,
                due,
                ended_at: None,
                error: None,
                token: None,
            });
        })
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        self.change(|file| {
            let (now, mut entities) = (file.now(), HashSet::new());
            let queued = file.rows.iter().enumerate().filter(|(_, row)| row.ended_at.is_none());
            let heads = queued.filter(|(_, row)| entities.insert(&row.entity));
            let due = heads.filter(|(_, row)| row.due <= now).map(|(place, row)| {
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
            let body = match outcome {
                AttemptOutcome::Completed => {
                    (row.ended_at, row.error) = (Some(now), None);
                    None
                }
                AttemptOutcome::Retry { after, error, body } => {
                    (row.due, row.error) = (now.saturating_add(micros(after)), Some(error));
                    body
                }
                AttemptOutcome::Dead { error, body } => {
                    (row.ended_at, row.dead, row.error) = (Some(now), true, Some(error));
                    body
                }
            };
            if let Some(body) = body {
                row.body = body;
            }
            true
        })
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.read(|file| file.rows.iter().find(|row| row.id == id).map(Row::stored))
    }

    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>> {
        self.read(|file| {
            let mut found: Vec<_> = file.rows.iter().filter(|row| row.state() == state).collect();
            found.sort_by_key(|row| row.ended_at);
            found.into_iter().take(limit).map(Row::stored).collect()
        })
    }

    fn resubmit(&self, id: Uuid) -> Reply<bool> {
        self.change(|file| {
            let ended = |row: &Row| row.id == id && row.ended_at.is_some();
            let Some(place) = file.rows.iter().position(ended) else { return false };
            let row = file.rows.remove(place);
            let (due, resubmitted) = (file.now(), row.resubmitted + 1);
            file.rows.push(Row {
                dead: false,
                attempts: 0,
                resubmitted,
                due,
                ended_at: None,
                error: None,
                token: None,
                ..row
            });
            true
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
