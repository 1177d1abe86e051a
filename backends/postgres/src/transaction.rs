//! A flow in the transaction of its handler.

use std::sync::atomic::{AtomicBool, Ordering};

use graceful::{
    StepError,
    backends::{AnotherDatabase, Inserting, QueuedFlow, Transaction},
};
use sqlx::{PgConnection, Postgres};

use super::{Store, flows};

/// A transaction of the user's does not say whether its connection is a pooler's; a store does, and theirs is the same database.
static POOLED: AtomicBool = AtomicBool::new(false);

/// From now on nothing is prepared under a name in transactions of the user's: it would be left to the next who gets the connection.
pub(super) fn meets_poolers() {
    POOLED.store(true, Ordering::Relaxed);
}

pub(super) fn may_prepare() -> bool {
    !POOLED.load(Ordering::Relaxed)
}

/// By the code of a table that is not there; the statement names no other than ours.
fn failed(error: sqlx::Error) -> StepError {
    let undefined = error.as_database_error().filter(|error| error.code().as_deref() == Some("42P01"));
    match undefined.map(|error| error.message().to_owned()) {
        Some(said) => StepError::caused_by(AnotherDatabase::new("PostgreSQL", said)),
        None => StepError::caused_by(error),
    }
}

impl Transaction<Store> for PgConnection {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move { flows::insert(self, &flow).await.map_err(failed) })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }
}

impl Transaction<Store> for sqlx::Transaction<'_, Postgres> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        PgConnection::insert(self, flow)
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }
}
