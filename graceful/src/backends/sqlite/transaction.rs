//! A flow in the transaction of its handler.

use sqlx::{Sqlite, SqliteConnection};

use super::flows;
use crate::{
    StepError,
    backends::QueuedFlow,
    handler::{Inserting, Transaction},
};

impl Transaction for SqliteConnection {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move { flows::insert(self, &[flow]).await.map_err(StepError::caused_by) })
    }

    fn locks_all(&self) -> bool {
        true
    }
}

impl Transaction for sqlx::Transaction<'_, Sqlite> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        SqliteConnection::insert(self, flow)
    }

    fn locks_all(&self) -> bool {
        true
    }
}
