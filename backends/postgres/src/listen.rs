//! Notifications of new flows.

use std::{sync::atomic::Ordering, time::Duration};

use graceful::backends::{client::Outage, escaped};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use super::{Failed, Store};

/// How often the connection is checked, and the relay's registration renewed, well before it expires.
const RENEWED_EVERY: Duration = Duration::from_secs(20);

/// The pause before a lost connection is re-established.
const AGAIN: Duration = Duration::from_millis(500);

impl Store {
    /// Calls `wake` when a flow was stored, and when a notification may have been lost.
    pub(super) async fn hear(self, wake: impl Fn()) {
        if self.is_pooled {
            // The pooler would assign the listening connection to other clients.
            return;
        }
        let outage = Outage::new();
        let heard = || {
            if let Some(failures) = outage.succeeded() {
                tracing::info!(target: "graceful::postgres", failures, "notifications of new flows work again");
            }
            self.idle.wake();
            wake();
        };
        loop {
            let lost = self.hear_by_one_connection(&heard).await;
            self.idle.is_notified.store(false, Ordering::Relaxed);
            if let Err(failed) = lost
                && let Some(failures) = outage.failed()
            {
                tracing::warn!(
                    target: "graceful::postgres", error = %escaped(&failed.why), failures,
                    "notifications of new flows are unavailable; the relay polls instead"
                );
            }
            sleep(AGAIN).await;
        }
    }

    /// Listens until the connection is lost.
    async fn hear_by_one_connection(&self, wake: &impl Fn()) -> Result<(), Failed> {
        let mut listener = self.within(self.listener()).await?;
        self.idle.is_notified.store(true, Ordering::Relaxed);
        // There were no notifications of flows that were committed before.
        wake();
        loop {
            match timeout(RENEWED_EVERY, listener.try_recv()).await {
                Ok(Ok(Some(_))) => wake(),
                Ok(lost) => return lost.map(drop).map_err(|error| self.failed(&error)),
                Err(_) => {
                    let renew = "UPDATE graceful_relays SET waits_until = clock_timestamp() + interval '60 s' \
                                 WHERE relay = $1 AND waits_until IS NOT NULL";
                    self.within(sqlx::query(renew).bind(self.claimer).execute(&mut listener)).await?;
                }
            }
        }
    }

    async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        // A pool of its own, so that the listener does not occupy a connection of the steps.
        let options = (*self.pool.connect_options()).clone();
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        // Registrations of relays that died.
        let dead = "DELETE FROM graceful_relays WHERE coalesce(waits_until, found_at + interval '1 hour') < clock_timestamp()";
        sqlx::query(dead).execute(&mut listener).await?;
        let channel = "SELECT 'graceful_flows_' || 'graceful_flows'::regclass::oid";
        let channel: String = sqlx::query_scalar(channel).fetch_one(&mut listener).await?;
        listener.listen(&channel).await?;
        Ok(listener)
    }
}
