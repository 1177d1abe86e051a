//! The conformance suite that every cache must pass. The cache in memory runs it as a documentation example.

use std::time::Duration;

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
    // It is not about time, and the machine may be slow.
    let timeout = Duration::from_secs(60);
    conformance::read_through(async || redis.cache().await.timeout(timeout)).await;
}
