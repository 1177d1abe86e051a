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

use super::is_busy;

/// The queue of a database's file.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turn: Mutex<()>,
    timed_out: Notify,
}

/// The queues by file path, as SQLite reports it. Unused queues are removed when a new one is created.
static TURNS: std::sync::Mutex<BTreeMap<String, Weak<Turns>>> = std::sync::Mutex::new(BTreeMap::new());

/// Result code `SQLITE_LOCKED`.
const LOCKED: &str = "6";

impl Turns {
    /// The queue of a connection's database. `None` if its transaction has begun to read or to write: then SQLite does not wait, and the first
    /// of the queue may be waiting for this very transaction.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Option<Arc<Self>>, sqlx::Error> {
        // The first does nothing; within a transaction that has begun, it is refused.
        const ASK: &str = "PRAGMA main.wal_checkpoint(NOOP); PRAGMA database_list";
        let rows = match sqlx::raw_sql(ASK).fetch_all(connection).await {
            Err(error) if code(&error).is_some_and(|code| code == LOCKED) => return Ok(None),
            rows => rows?,
        };
        let file = rows.iter().find_map(|row| row.try_get::<String, _>("file").ok());
        Ok(file.map(Self::of_file))
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
