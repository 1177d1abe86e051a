//! The conformance suite that every cache must pass. The cache in memory runs it as a documentation example.

use graceful_testing::conformance;

use super::Redis;

#[tokio::test]
async fn cache() {
    let Some(redis) = Redis::find().await else { return };
    conformance::cache(async || redis.cache().await).await;
}
