//! The conformance suite that every cache must pass. The cache in memory runs it as a documentation example.

use graceful_testing::conformance;

use super::Redis;

#[test(requires(Redis))]
async fn cache() {
    let redis = Redis::connect().await;
    conformance::cache(async || redis.cache().await).await;
}

#[test(requires(Redis))]
async fn read_through() {
    let redis = Redis::connect().await;
    conformance::read_through(async || redis.cache().await).await;
}
