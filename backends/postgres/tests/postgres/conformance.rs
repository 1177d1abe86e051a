//! The conformance suites that every store must pass.

use graceful_postgres::Store;
use graceful_testing::conformance;

use super::Postgres;

macro_rules! suites {
    ($($suite:ident $(($elapse:ident))?)*) => {$(
        #[test(requires(Postgres), flavor = "multi_thread")]
        async fn $suite() {
            let postgres = Postgres::new();
            conformance::$suite(
                async || postgres.fresh().await
                $(, async |store: &Store, time| postgres.$elapse(store, time).await)?
            )
            .await;
            postgres.clean().await;
        }
    )*};
}

suites! { flow_store(elapse) followers(elapse) operations(elapse) live_relays(elapse) metadata_store scheduler(elapse) nexus audit_log alerter inbox idempotency(elapse) event_log event_log_retention(elapse) subscriptions(elapse) }
