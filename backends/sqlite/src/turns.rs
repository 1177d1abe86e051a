//! The queue for SQLite's write lock.
//!
//! SQLite has one writer at a time. A connection that waits for the lock sleeps for up to 100 ms and tries again, so the lock goes to the
//! connection that tries at the right moment, and of many connections some fail when their busy timeout expires. Therefore only one
//! connection of this process waits in SQLite, and the others wait in a queue.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, PoisonError, Weak},
    task::Poll,
};

use sqlx::{Row as _, SqliteConnection, error::DatabaseError};
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::{File, is_busy};

/// The queue of a database's file.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turn: Mutex<()>,
    timed_out: Notify,
    /// The files that a store of this process has opened.
    file: std::sync::Mutex<Option<File>>,
}

/// The queues by file path, as SQLite reports it. Unused queues are removed when a new one is created.
static TURNS: std::sync::Mutex<BTreeMap<String, Weak<Turns>>> = std::sync::Mutex::new(BTreeMap::new());

/// Result code `SQLITE_LOCKED`.
const LOCKED: &str = "6";

impl Turns {
    /// The queue of a connection's database, unless that is in memory only.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Option<Arc<Self>>, sqlx::Error> {
        let rows = sqlx::raw_sql("PRAGMA database_list").fetch_all(connection).await?;
        let file = rows.iter().find_map(|row| row.try_get::<String, _>("file").ok());
        Ok(file.map(Self::of_file))
    }

    /// Whether the connection's transaction has begun to read or to write: then SQLite does not wait for the lock, and the first of the queue
    /// may be waiting for this very transaction.
    pub(super) async fn has_begun(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        // It does nothing, and is refused within a transaction that has begun.
        match sqlx::raw_sql("PRAGMA main.wal_checkpoint(NOOP)").execute(connection).await {
            Err(error) if code(&error).is_some_and(|code| code == LOCKED) => Ok(true),
            done => done.map(|_| false),
        }
    }

    /// A store has opened these files.
    pub(super) fn watch(&self, file: File) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    }

    /// # Errors
    /// The files were deleted or replaced while the store had them open: what is written would be lost.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).clone();
        file.map_or(Ok(()), |file| file.check())
    }

    fn of_file(file: String) -> Arc<Self> {
        let mut all = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = all.get(&file).and_then(Weak::upgrade) {
            return turns;
        }
        all.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::default();
        all.insert(file, Arc::downgrade(&turns));
        turns
    }

    /// Takes the lock for writing when it is this caller's turn.
    pub(super) async fn take<T>(
        &self,
        lock: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let turn = self.wait().await;
        let taken = lock.await;
        if taken.as_ref().is_err_and(is_busy) {
            // A connection holds the lock for long: the others must not each wait for a busy timeout, one after the other.
            self.timed_out.notify_waiters();
        }
        drop(turn);
        taken
    }

    /// Waits for this caller's turn. `None` if the first of the queue did not get the lock within its busy timeout.
    async fn wait(&self) -> Option<MutexGuard<'_, ()>> {
        let (mut turn, mut timed_out) = (pin!(self.turn.lock()), pin!(self.timed_out.notified()));
        let turn = poll_fn(|cx| match turn.as_mut().poll(cx) {
            Poll::Ready(turn) => Poll::Ready(Some(turn)),
            Poll::Pending => timed_out.as_mut().poll(cx).map(|()| None),
        });
        turn.await
    }
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}
