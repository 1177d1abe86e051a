//! A read never returns a value older than the last acknowledged write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use graceful::{Key, backends::Cache as _};
use graceful_redis::Cache;
use graceful_tests::{Proxy, gate::until};

use super::{
    Redis, entry,
    schedules::{self, Dice, make_all_calls, run_in_batches},
    url,
};

const TTL: Duration = Duration::from_secs(600);
const BATCHES: u64 = 4;
const AT_ONCE: u64 = 15;

/// One key, which several processes write and read over links that fail.
struct Schedule {
    key: Key,
    caches: Vec<Cache>,
    drawn: AtomicI64,
    /// The newest version of which somebody was told that it, or something newer, is there.
    acknowledged: AtomicI64,
    /// The newest of those of which somebody was told that it was invalidated since, without a version.
    invalidated: AtomicI64,
    told: AtomicU64,
    failed: AtomicU64,
}

impl schedules::Schedule for Schedule {
    const TASKS: u64 = 8;
    const CALLS: u64 = 25;
    const FAULTS_ONE_IN: usize = 2;
    const YIELDS: usize = 200;

    async fn call(self: &Arc<Self>, dice: &mut Dice) {
        let cache = &self.caches[dice.throw(self.caches.len())];
        let kind = dice.throw(6);
        match kind {
            0 => return self.read(cache).await,
            1 => return self.invalidate(cache).await,
            _ => {}
        }
        let version = self.drawn.fetch_add(1, Ordering::SeqCst);
        // Whoever draws first need not write first.
        for _ in 0..dice.throw(20) {
            tokio::task::yield_now().await;
        }
        let written = match kind {
            2 | 3 => cache.invalidate(&self.key, Some(version), TTL).await,
            _ => cache.put(&self.key, entry(&version.to_string(), Some(version)), Some(TTL)).await,
        };
        match written {
            Ok(_) => {
                self.acknowledged.fetch_max(version, Ordering::SeqCst);
                self.told.fetch_add(1, Ordering::SeqCst);
                self.read(cache).await;
            }
            Err(_) => _ = self.failed.fetch_add(1, Ordering::SeqCst),
        }
    }
}

impl Schedule {
    async fn invalidate(&self, cache: &Cache) {
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        if cache.invalidate(&self.key, None, TTL).await.is_ok() {
            self.invalidated.fetch_max(acknowledged, Ordering::SeqCst);
            self.read(cache).await;
        }
    }

    async fn read(&self, cache: &Cache) {
        let floor = self.acknowledged.load(Ordering::SeqCst);
        let invalidated = self.invalidated.load(Ordering::SeqCst);
        // What does not answer does not answer wrongly, and neither does a miss.
        let Ok(Some(found)) = cache.get(&self.key).await else { return };
        let version = found.version.unwrap();
        assert_eq!(found.value.decode::<String>().unwrap(), version.to_string());
        assert!(version >= floor, "read {version} after {floor} was acknowledged");
        assert!(version > invalidated, "read {version} after {invalidated} was invalidated");
    }
}

#[test(requires(Redis), flavor = "multi_thread", worker_threads = 2)]
async fn random_schedules_of_writes_and_faults_read_no_stale_value() {
    let redis = Redis::connect().await;
    let [told, failed] = run_in_batches(BATCHES, AT_ONCE, |number| run(redis.clone(), number)).await;
    assert!(
        told > 1000 && failed > 100,
        "{told} writes acknowledged, {failed} failed: too few to say anything"
    );
    redis.clean().await;
}

/// How many writes were acknowledged, and how many failed.
async fn run(redis: Redis, number: u64) -> [u64; 2] {
    let proxies = [Proxy::to(redis.address).await, Proxy::to(redis.address).await];
    let mut caches = vec![redis.cache().await];
    for proxy in &proxies {
        let cache = Cache::connect(&url(proxy.address())).await.unwrap();
        caches.push(cache.timeout(Duration::from_millis(15)));
    }
    let schedule = Arc::new(Schedule {
        key: redis.key(&number.to_string()),
        caches,
        drawn: AtomicI64::new(0),
        acknowledged: AtomicI64::new(i64::MIN),
        invalidated: AtomicI64::new(i64::MIN),
        told: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    });

    make_all_calls(&schedule, number, &proxies).await;
    for cache in &schedule.caches {
        // The network is whole again; how fast it is on a busy machine is no matter.
        let cache = &cache.clone().timeout(Duration::from_secs(5));
        until(|| async { cache.get(&schedule.key).await.is_ok() }).await;
        schedule.read(cache).await;
    }
    [schedule.told.load(Ordering::SeqCst), schedule.failed.load(Ordering::SeqCst)]
}
