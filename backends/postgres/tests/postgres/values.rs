//! Every written value is read back equal.

use graceful::Orchestrator;

#[test(requires(Postgres), flavor = "multi_thread")]
async fn values_written_through_durable_flows_are_read_back_equal() {
    let postgres = super::Postgres::new();
    let store = postgres.fresh().await;
    graceful_tests::values::come_back(Orchestrator::builder().store(store)).await;
    postgres.clean().await;
}
