//! The suites that any store must pass.

use graceful::testing::conformance;

use super::Postgres;

macro_rules! suites {
    ($($suite:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $suite() {
            let Some(postgres) = Postgres::find().await else { return };
            conformance::$suite(async || postgres.fresh().await).await;
            postgres.clean().await;
        }
    )*};
}

suites! { flow_store metadata_store scheduler nexus audit_log alerter inbox }
