//! Being told of flows that others have stored.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{Failed, Store};

/// After so long a time without a flow, whoever claims some wants to be told. Where they come faster, it asks often enough.
const QUIET: Duration = Duration::from_millis(50);

/// Who claims flows by this store.
pub(super) struct Claimer {
    pub(super) id: Uuid,
    found: Mutex<Option<Instant>>,
}

impl Claimer {
    pub(super) fn new() -> Self {
        Self { id: Uuid::from_u128(fastrand::u128(..)), found: Mutex::default() }
    }

    /// There was something to claim.
    pub(super) fn found(&self) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it wants to be told, if there is nothing to claim now.
    pub(super) fn waits(&self) -> bool {
        let found = *self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.is_none_or(|found| found.elapsed() >= QUIET)
    }
}

/// How often the connection is asked whether it still is one, and the entry of the relay renewed: well before it runs out.
const RENEWED_EVERY: Duration = Duration::from_secs(20);

/// How long to wait before a connection that was lost is made anew.
const AGAIN: Duration = Duration::from_millis(500);

impl Store {
    /// Calls `wake` whenever a flow was stored, and whenever that may not have been heard.
    pub(super) async fn hear(self, wake: impl Fn()) {
        loop {
            if let Err(failed) = self.hear_by_one_connection(&wake).await {
                tracing::warn!(
                    target: "graceful::postgres", error = failed.why,
                    "nobody tells of new flows now: the relay looks for them itself"
                );
            }
            sleep(AGAIN).await;
        }
    }

    /// Until it is lost.
    async fn hear_by_one_connection(&self, wake: &impl Fn()) -> Result<(), Failed> {
        let mut listener = self.within(self.listener()).await?;
        // Of what was committed before it listens now, nobody told.
        wake();
        loop {
            match timeout(RENEWED_EVERY, listener.try_recv()).await {
                Ok(Ok(Some(_))) => wake(),
                Ok(lost) => return lost.map(drop).map_err(|error| self.failed(&error)),
                Err(_) => {
                    let renew = "UPDATE graceful_waiting SET until = clock_timestamp() + interval '60 s' WHERE relay = $1";
                    self.within(sqlx::query(renew).bind(self.claimer.id).execute(&mut listener)).await?;
                }
            }
        }
    }

    async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        // A pool of its own: one connection less would be missed by those who store.
        let options = (*self.pool.connect_options()).clone();
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        // Those of relays that died.
        sqlx::query("DELETE FROM graceful_waiting WHERE until < clock_timestamp()")
            .execute(&mut listener)
            .await?;
        let channel = "SELECT 'graceful_flows_' || 'graceful_flows'::regclass::oid";
        let channel: String = sqlx::query_scalar(channel).fetch_one(&mut listener).await?;
        listener.listen(&channel).await?;
        Ok(listener)
    }
}
