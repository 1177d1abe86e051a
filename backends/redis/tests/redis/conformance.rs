//! The suite that any cache must pass; the one in memory runs it as an example of the documentation.

use graceful_testing::conformance;

use super::Redis;

#[tokio::test]
async fn cache() {
    let Some(redis) = Redis::find().await else { return };
    conformance::cache(async || redis.cache().await).await;
}
