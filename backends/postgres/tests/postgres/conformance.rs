//! The conformance suites that every store must pass.

use graceful_postgres::Store;
use graceful_testing::conformance;

use super::Postgres;

macro_rules! suites {
    ($($suite:ident $(($elapse:ident))?)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $suite() {
            let Some(postgres) = Postgres::find().await else { return };
            conformance::$suite(
                async || postgres.fresh().await
                $(, async |store: &Store, time| postgres.$elapse(store, time).await)?
            )
            .await;
            postgres.clean().await;
        }
    )*};
}

suites! { flow_store(elapse) metadata_store scheduler(elapse) nexus audit_log alerter inbox }
