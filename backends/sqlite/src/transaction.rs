//! A flow in the transaction of its handler.

use graceful::{
    StepError,
    backends::{Inserting, QueuedFlow, Transaction},
};
use smol_str::format_smolstr;
use sqlx::{Sqlite, SqliteConnection};

use super::{Store, flows, is_busy, lock};

impl Transaction<Store> for SqliteConnection {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move { flows::insert(self, &[flow]).await.map_err(StepError::caused_by) })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        Some(Box::pin(async move { lock(self).await.map_err(refused) }))
    }

    fn locks_all(&self) -> bool {
        true
    }
}

fn refused(error: sqlx::Error) -> StepError {
    match is_busy(&error) {
        true => StepError::new(format_smolstr!(
            "the transaction cannot write ({error}): either another wrote for longer than its busy timeout, or it has read before and \
             cannot wait for its turn; then call the handler before reading, or open the transaction with \
             `pool.begin_with(\"BEGIN IMMEDIATE\")`"
        )),
        false => StepError::caused_by(error),
    }
}

impl Transaction<Store> for sqlx::Transaction<'_, Sqlite> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        SqliteConnection::insert(self, flow)
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        SqliteConnection::lock(self)
    }

    fn locks_all(&self) -> bool {
        true
    }
}
