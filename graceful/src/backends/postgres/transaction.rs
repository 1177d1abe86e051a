//! A flow in the transaction of its handler.

use sqlx::{PgConnection, Postgres};

use super::flows;
use crate::{
    StepError,
    backends::QueuedFlow,
    handler::{Inserting, Transaction},
};

impl Transaction for PgConnection {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        Box::pin(async move { flows::insert(self, &flow).await.map_err(StepError::caused_by) })
    }

    fn locks_all(&self) -> bool {
        false
    }
}

impl Transaction for sqlx::Transaction<'_, Postgres> {
    fn insert(&mut self, flow: QueuedFlow) -> Inserting<'_> {
        PgConnection::insert(self, flow)
    }

    fn locks_all(&self) -> bool {
        false
    }
}
