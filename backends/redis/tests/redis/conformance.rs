//! The conformance suites that every cache and every store of idempotent calls must pass. Those in memory run them as documentation examples.

use std::time::Duration;

use graceful_redis::IdempotentCalls;
use graceful_testing::conformance;
use graceful_tests::servers::Server;

use super::{Redis, idempotent::FIT, url};

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

#[test(requires("redis-server"))]
async fn idempotency() {
    /// Lets every row expire so many milliseconds earlier.
    const ELAPSE: &str = "for _, name in ipairs(redis.call('KEYS', '*')) do
                              redis.call('PEXPIRE', name, redis.call('PTTL', name) - tonumber(ARGV[1]))
                          end";
    let server = Server::redis(&FIT).await;
    let redis = Redis::at(server.address()).await;
    let fresh = async || {
        let () = redis.raw(&[b"FLUSHALL"]).await;
        IdempotentCalls::connect(&url(server.address())).await.unwrap().timeout(Duration::from_secs(60))
    };
    let elapse = async |_: &IdempotentCalls, time: Duration| {
        let () =
            redis.raw(&[b"EVAL", ELAPSE.as_bytes(), b"0", time.as_millis().to_string().as_bytes()]).await;
    };
    conformance::idempotency(fresh, elapse).await;
}
