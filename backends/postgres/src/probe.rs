//! Whether the server answers, by a connection of its own.

use std::sync::Arc;

use graceful::StepError;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::{Failed, Store};

/// The connection, which opens when it is first needed, and again after a failure.
#[derive(Clone, Default)]
pub(super) struct Probe(Arc<Mutex<Option<PgConnection>>>);

impl Store {
    pub(super) async fn answers(self) -> Result<(), StepError> {
        let mut open = self.probe.0.lock().await;
        // While it is asked it is not kept: it may be left in the middle of a statement.
        let connection = open.take();
        let asked = self.within(async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => PgConnection::connect_with(&self.pool.connect_options()).await?,
            };
            connection.ping().await?;
            Ok(connection)
        });
        *open = Some(asked.await.map_err(|failed: Failed| StepError::from(failed))?);
        Ok(())
    }
}
