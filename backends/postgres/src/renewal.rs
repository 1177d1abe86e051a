//! Renews the leases of idempotent calls, by a connection of its own in the runtime that renews them.

use std::{fmt, sync::Arc, time::Duration};

use graceful::{
    StepError,
    backends::{IdempotentCall, LeaseRenewal, Reply},
};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::{Store, Tables, begin};

/// The store is not used for more than its settings: its pool belongs to another runtime, which may be blocked.
pub(super) struct Renewal {
    store: Store,
    connection: Arc<Mutex<Option<PgConnection>>>,
}

impl Renewal {
    pub(super) async fn connect(store: Store) -> Result<Arc<dyn LeaseRenewal>, StepError> {
        let connection = store.within(open(&store)).await?;
        Ok(Arc::new(Self { store, connection: Arc::new(Mutex::new(Some(connection))) }))
    }
}

async fn open(store: &Store) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect_with(&store.pool.connect_options()).await
}

async fn renew(
    store: &Store,
    mut connection: PgConnection,
    call: IdempotentCall,
    lease: Duration,
) -> Result<(bool, PgConnection), sqlx::Error> {
    let renewed = match store.in_transactions {
        true => {
            let transaction = begin(&mut connection).await?;
            let renewed = store.unit(transaction, move |connection| {
                Box::pin(async move { Tables::renew_call(connection, &call, lease).await })
            });
            renewed.await?
        }
        false => Tables::renew_call(&mut connection, &call, lease).await?,
    };
    Ok((renewed, connection))
}

impl LeaseRenewal for Renewal {
    fn renew(&self, call: IdempotentCall, lease: Duration) -> Reply<bool> {
        let (store, connection) = (self.store.clone(), Arc::clone(&self.connection));
        Reply::pending(async move {
            let mut open_one = connection.lock().await;
            // While it is used it is not kept: it may be left in the middle of a statement.
            let kept = open_one.take();
            let renewed = store.within(async {
                let connection = match kept {
                    Some(connection) => connection,
                    None => open(&store).await?,
                };
                renew(&store, connection, call, lease).await
            });
            let (renewed, connection) = renewed.await?;
            *open_one = Some(connection);
            Ok(renewed)
        })
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("store", &self.store).finish_non_exhaustive()
    }
}
