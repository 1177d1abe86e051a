//! Queries of operators: on connections of their own, and interrupted in time. SQLite has no time limit of its own.

use std::{
    io,
    time::{Duration, Instant},
};

use graceful::backends::Reply;
use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{Running, Store, read_only::has_code};

/// How many queries of operators run concurrently.
const CONNECTIONS: u32 = 2;

/// The time limit of a query, from when it has a connection.
const LIMIT: Duration = Duration::from_millis(2500);

/// How many instructions of SQLite run between two looks at the time: less than a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// The result code `SQLITE_INTERRUPT`.
const INTERRUPTED: i32 = 9;

/// The pool of these queries. No connection is opened before the first query.
pub(super) fn pool(readers: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(readers)
}

/// An interrupted query says why.
fn in_words(error: sqlx::Error) -> sqlx::Error {
    match has_code(&error, INTERRUPTED) {
        true => sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the query took longer than {LIMIT:?}"),
        )),
        false => error,
    }
}

impl Store {
    /// Runs a query of an operator. It takes no connection from the service.
    pub(super) fn for_operator<T, F>(&self, query: F) -> Reply<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        self.read_from(self.0.operators.clone(), |connection| {
            Box::pin(async move {
                let start = Instant::now();
                // It replaces that of the query before.
                let is_in_time = move || start.elapsed() < LIMIT;
                connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS, is_in_time);
                query(connection).await.map_err(in_words)
            })
        })
    }
}
