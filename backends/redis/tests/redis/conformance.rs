//! The conformance suite that every cache must pass. The cache in memory runs it as a documentation example.

use graceful_testing::conformance;

use super::Redis;

#[test(requires(Redis))]
async fn cache() {
    let redis = Redis::connect().await;
    conformance::cache(async || redis.cache().await).await;
}
