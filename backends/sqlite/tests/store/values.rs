//! Every written value is read back equal.

use graceful::Orchestrator;

#[tokio::test(flavor = "multi_thread")]
async fn values_written_through_durable_flows_are_read_back_equal() {
    let (_dir, store) = super::fresh().await;
    graceful_tests::values::come_back(Orchestrator::builder().store(store)).await;
}
