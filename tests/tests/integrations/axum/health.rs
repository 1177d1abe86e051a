//! The routes for the health of a process.

use std::time::Duration;

use graceful::{Orchestrator, axum::health_routes};
use graceful_tests::http::serve;

#[tokio::test]
async fn process_that_shuts_down_lives_and_is_not_ready() {
    let orchestrator = Orchestrator::in_memory();
    let server = serve(health_routes(&orchestrator)).await;
    let ask = async |path: &str| {
        let response = server.get(path).await;
        (response.status().as_u16(), response.into_body())
    };
    assert_eq!(ask("/live").await, (200, "live".to_owned()));
    assert_eq!(ask("/ready").await, (200, "ready".to_owned()));
    orchestrator.shutdown(Duration::from_secs(5)).await;
    assert_eq!(ask("/live").await, (200, "live".to_owned()));
    assert_eq!(ask("/ready").await, (503, "unavailable".to_owned()));
}
