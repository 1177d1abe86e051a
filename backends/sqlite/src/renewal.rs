//! Renews the leases of idempotent calls, by a connection of its own.

use std::{fmt, sync::Arc, time::Duration};

use graceful::{
    StepError,
    backends::{IdempotentCall, LeaseRenewal, Reply},
};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

use super::{Store, Tables, file::File};

/// How long a renewal waits for the write lock. After that it fails, and is tried again soon.
const BUSY: Duration = Duration::from_millis(500);

/// It does not wait in the queue for the lock: the first of the queue may belong to a runtime that is blocked.
pub(super) struct Renewal {
    options: SqliteConnectOptions,
    file: File,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Renewal {
    pub(super) async fn connect(store: Store) -> Result<Arc<dyn LeaseRenewal>, StepError> {
        let options = (*store.0.inbox.connect_options()).clone().busy_timeout(BUSY);
        // A lease needs not survive a loss of power, since its call does not either.
        let options = options.synchronous(SqliteSynchronous::Normal);
        let connection = options.connect().await.map_err(StepError::caused_by)?;
        let connection = Arc::new(Mutex::new(Some(connection)));
        Ok(Arc::new(Self { options, file: store.0.file.clone(), connection }))
    }
}

impl LeaseRenewal for Renewal {
    fn renew(&self, call: IdempotentCall, lease: Duration) -> Reply<bool> {
        let (options, file, connection) =
            (self.options.clone(), self.file.clone(), Arc::clone(&self.connection));
        Reply::pending(async move {
            let mut open = connection.lock().await;
            // While it is used it is not kept: it may be left in the middle of a statement.
            let mut connection = match open.take() {
                Some(connection) => connection,
                None => options.connect().await.map_err(StepError::caused_by)?,
            };
            let renewed = Tables::renew_call(&mut connection, &call, lease).await;
            let renewed = renewed.map_err(StepError::caused_by)?;
            *open = Some(connection);
            // What is written to a deleted file is lost.
            file.check().map_err(StepError::caused_by)?;
            Ok(renewed)
        })
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("options", &self.options.get_filename()).finish_non_exhaustive()
    }
}
