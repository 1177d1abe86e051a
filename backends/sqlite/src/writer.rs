//! The single writer: it commits the writes of many tasks in one transaction, and acknowledges each after the commit.
//!
//! The writer is a task of its own, so that a transaction is finished even if callers are dropped. A batch contains the writes that arrived
//! while the previous batch was committed, and those that arrive while it is written.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use graceful::{
    StepError,
    backends::{AttemptOutcome, ClaimId, LogEntry, NewestPosition, QueuedFlow, Reply, escaped, failpoint},
};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction, sqlite::SqliteConnectOptions};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    batch::{Asked, Batch, Counted, Write},
    file::File,
    is_busy, outcomes,
    turns::Turns,
};

/// The capacity of the queue. If it is full, callers wait.
const QUEUE: usize = 1024;

/// The limit of writes per transaction, so that no caller waits for long.
const BATCH: usize = 256;

/// The future of work on the connection.
pub(super) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

#[derive(Clone, Debug)]
pub(super) struct Writer {
    writes: mpsc::Sender<Write>,
    /// How many outcomes are queued or being written.
    outcomes: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the writer in this runtime.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        file: File,
        turns: Arc<Turns>,
        newest_event: Arc<NewestPosition>,
        runtime: &Handle,
    ) -> Self {
        let (writes, receiver) = mpsc::channel(QUEUE);
        let database = Database { connection: Some(connection), options, file, turns, newest_event };
        runtime.spawn(work(database, receiver));
        Self { writes, outcomes: Arc::default() }
    }

    /// Writes a flow.
    pub(super) fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        let (asker, answer) = oneshot::channel();
        self.bring(Write::Flow(Box::new(flow), asker), answer)
    }

    /// Appends an event to the log.
    pub(super) fn append(&self, event: LogEntry) -> Reply<()> {
        let (asker, answer) = oneshot::channel();
        self.bring(Write::Event(Box::new(event), asker), answer)
    }

    /// Records the outcome of an attempt. Returns false if the claim is lost.
    pub(super) fn record(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        let (asker, answer) = oneshot::channel();
        let counted = Counted::new(&self.outcomes);
        self.bring(Write::Outcome(Box::new((held, outcome)), asker, counted), answer)
    }

    /// Completes the flows before the first one whose claim is lost, in one transaction. Returns whether none is.
    pub(super) fn complete(&self, held: Vec<ClaimId>) -> Reply<bool> {
        let completed: Arc<[_]> = held.into_iter().map(|held| (held, AttemptOutcome::Completed)).collect();
        let counted = Counted::new(&self.outcomes);
        self.write(move |connection| {
            let (completed, _until_answered) = (Arc::clone(&completed), &counted);
            Box::pin(async move {
                let held = outcomes::still_held(connection, &completed).await?;
                outcomes::record(connection, &completed[..held]).await?;
                Ok(held == completed.len())
            })
        })
    }

    /// Whether an outcome is queued or being written.
    pub(super) fn has_outcomes(&self) -> bool {
        self.outcomes.load(Ordering::Acquire) > 0
    }

    /// Runs work in a transaction; the reply is ready after the commit.
    pub(super) fn write<T, F>(&self, run: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        self.bring(Write::Work(Box::new(Asked::new(run, asker))), answer)
    }

    /// Queues a write at once if there is room, so that it happens even if the reply is dropped.
    fn bring<T: Send + 'static>(
        &self,
        write: Write,
        answer: oneshot::Receiver<Result<T, StepError>>,
    ) -> Reply<T> {
        let refused = match self.writes.try_send(write) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(write)) => Some(write),
            Err(mpsc::error::TrySendError::Closed(_)) => return Reply::failed(gone()),
        };
        let writes = self.writes.clone();
        Reply::pending(async move {
            if let Some(write) = refused {
                writes.send(write).await.map_err(|_| gone())?;
            }
            answer.await.map_err(|_| gone())?
        })
    }
}

pub(super) fn gone() -> StepError {
    StepError::new("the store is closed: the runtime that it was opened in has ended")
}

async fn work(mut database: Database, mut writes: mpsc::Receiver<Write>) {
    let mut batch = Vec::with_capacity(BATCH);
    while writes.recv_many(&mut batch, BATCH).await > 0 {
        database.commit_all(std::mem::take(&mut batch), &mut writes).await;
    }
    // Checkpoints, and leaves one file.
    if let Some(connection) = database.connection
        && let Err(error) = connection.close().await
    {
        let error = error.to_string();
        tracing::warn!(target: "graceful::sqlite", error = %escaped(&error), "closing the store failed");
    }
}

/// Why a commit failed, or must not be acknowledged.
enum Failed {
    /// The database is locked or its file was deleted: a retry piece by piece would fail too.
    Unavailable(sqlx::Error),
    Within(sqlx::Error),
}

impl Failed {
    fn into_step_error(self) -> StepError {
        let (Self::Unavailable(error) | Self::Within(error)) = self;
        StepError::caused_by(error)
    }
}

struct Database {
    /// `None` after an error: SQLite may have rolled the transaction back by itself (a full disk, an I/O error), and `sqlx` counts it
    /// as open for ever.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    file: File,
    turns: Arc<Turns>,
    newest_event: Arc<NewestPosition>,
}

impl Database {
    /// Commits a batch, or as much of it as possible.
    async fn commit_all(&mut self, writes: Vec<Write>, more: &mut mpsc::Receiver<Write>) {
        let mut batch = Batch::new(writes);
        let committed = self.commit(&mut batch, Some(more)).await;
        let no_piece_failed = matches!(committed, Ok(()) | Err(Failed::Unavailable(_)));
        if no_piece_failed || batch.len() <= 1 {
            return batch.answer(&committed.map_err(Failed::into_step_error));
        }
        for mut piece in batch.pieces() {
            let committed = self.commit(&mut piece, None).await;
            piece.answer(&committed.map_err(Failed::into_step_error));
        }
    }

    async fn commit(
        &mut self,
        batch: &mut Batch,
        more: Option<&mut mpsc::Receiver<Write>>,
    ) -> Result<(), Failed> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await.map_err(Failed::Unavailable)?,
        };
        match commit(&mut connection, &self.turns, batch, more).await {
            Err(Failed::Unavailable(error)) if is_busy(&error) => {
                self.connection = Some(connection);
                Err(Failed::Unavailable(error))
            }
            Err(failed) => {
                self.file.closed();
                // Closing releases the lock that the connection may hold; an error here adds no information.
                let _ = connection.close().await;
                Err(failed)
            }
            Ok(newest) => {
                self.connection = Some(connection);
                // A commit to a deleted file is not stored.
                self.file.check().map_err(Failed::Unavailable)?;
                self.newest_event.appended(newest);
                Ok(())
            }
        }
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.file.check()?;
        let connection = SqliteConnection::connect_with(&self.options).await?;
        self.file.opened()?;
        Ok(connection)
    }
}

/// One transaction. Returns the position of its newest event. `IMMEDIATE`, since one that reads first and writes then is refused, whatever the time-out, if another
/// process wrote in between.
async fn commit(
    connection: &mut SqliteConnection,
    turns: &Turns,
    batch: &mut Batch,
    more: Option<&mut mpsc::Receiver<Write>>,
) -> Result<u64, Failed> {
    let begun = turns.take(connection.begin_with("BEGIN IMMEDIATE"));
    let transaction = begun.await.map_err(Failed::Unavailable)?;
    commit_in(transaction, batch, more).await.map_err(Failed::Within)
}

async fn commit_in(
    mut transaction: Transaction<'_, Sqlite>,
    batch: &mut Batch,
    mut more: Option<&mut mpsc::Receiver<Write>>,
) -> Result<u64, sqlx::Error> {
    let mut newest = 0;
    loop {
        // While the transaction began or was written, more may have arrived.
        if let Some(more) = &mut more {
            batch.take(more, BATCH);
        }
        match batch.write_next(&mut transaction).await? {
            Some(position) => newest = newest.max(position),
            None => break,
        }
    }
    interrupted("commit")?;
    transaction.commit().await?;
    interrupted("committed")?;
    Ok(newest)
}

pub(super) fn interrupted(point: &'static str) -> Result<(), sqlx::Error> {
    failpoint(point).map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::super::Store;

    /// A page limit of the connection stands for a full disk: SQLite rolls the transaction back by itself.
    #[tokio::test]
    async fn writer_after_a_full_disk_writes_again() {
        let path = std::env::temp_dir().join(format!("graceful-writer-{}.db", std::process::id()));
        let store = Store::open(&path).await.unwrap();
        let write = |statement: &'static str| {
            store.writer().write(move |connection| {
                Box::pin(async move { sqlx::raw_sql(statement).execute(connection).await.map(drop) })
            })
        };
        write("CREATE TABLE filled (content); PRAGMA max_page_count = 1").await.unwrap();
        let full = write("INSERT INTO filled VALUES (zeroblob(1000000))").await.unwrap_err();
        assert!(full.message().contains("database or disk is full"), "{full}");
        for _ in 0..2 {
            write("INSERT INTO filled VALUES (1)").await.unwrap();
        }
        std::fs::remove_file(path).unwrap();
    }
}
