//! Whether the file can be read, by a connection of its own.

use graceful::StepError;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::Mutex;

use super::Store;

/// The connection, which opens when it is first needed, and again after a failure.
#[derive(Debug, Default)]
pub(super) struct Probe(Mutex<Option<SqliteConnection>>);

impl Store {
    pub(super) async fn answers(self) -> Result<(), StepError> {
        self.0.file.check().map_err(StepError::caused_by)?;
        let mut open = self.0.probe.0.lock().await;
        // While it is asked it is not kept: it may be left in the middle of a statement.
        let mut connection = match open.take() {
            Some(connection) => connection,
            None => self.0.readers.connect_options().connect().await.map_err(StepError::caused_by)?,
        };
        let asked = sqlx::query("SELECT 1 FROM graceful_flows LIMIT 1").fetch_optional(&mut connection).await;
        asked.map_err(StepError::caused_by)?;
        *open = Some(connection);
        Ok(())
    }
}
