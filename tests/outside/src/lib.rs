//! A durable store of flows in one JSON file, written as somebody else would write it: it uses the public API of `graceful` only.
//!
//! Every change writes the whole file, so it is for few flows. It shows what a store of your own needs: the trait, a fair choice among
//! the flows that are due, and a constant for the configuration.

mod flows;
mod row;

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use graceful::{
    Backend, OrchestratorBuilder, StepError,
    backends::{ClaimId, FlowSummary, Reply, client::ConnectError},
};

use self::row::{Row, micros};

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
