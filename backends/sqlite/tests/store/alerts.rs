//! The number of resolved alerts is bounded.

use graceful::{Code, Failure, OrchestrationConfig, Orchestrator, Success, backends::Alerter as _};
use sqlx::{Connection as _, SqliteConnection};

use super::fresh;

#[tokio::test]
async fn resolved_alerts_beyond_a_thousand_are_deleted() {
    let (_dir, store) = fresh().await;
    let orchestrator = Orchestrator::builder().alerts(store.clone()).build().unwrap();
    let fire_and_resolve = async |id| {
        let config = OrchestrationConfig::new("user").id(id).on(&orchestrator);
        Failure::wrap(Code::Internal, "disk full", "cause").orchestrate(&config).await;
        Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    };
    fire_and_resolve(1).await;
    sqlx::raw_sql(
        "WITH RECURSIVE older (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM older WHERE n < 1200)
         INSERT INTO graceful_alerts (entity, fired_at, resolved_at, alert)
         SELECT 'older', n, n, alert FROM graceful_alerts, older",
    )
    .execute(&mut SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap())
    .await
    .unwrap();
    fire_and_resolve(2).await;
    let resolved = store.resolved(5000).await.unwrap();
    assert_eq!((resolved.len(), resolved[0].entity.id()), (1000, "2"));
}
