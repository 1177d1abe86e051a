//! What every cache does, and so the one on Redis as the one in memory.

use std::time::Duration;

use graceful::{
    Key,
    backends::{Cache, CacheWrite, memory},
};
use graceful_tests::gate::until;

use super::{Redis, entry};

const TTL: Duration = Duration::from_secs(60);

async fn put(cache: &dyn Cache, key: &Key, value: &str, version: Option<i64>) -> CacheWrite {
    cache.put(key, entry(value, version), Some(TTL)).await.unwrap()
}

async fn invalidate(cache: &dyn Cache, key: &Key, version: Option<i64>) -> CacheWrite {
    cache.invalidate(key, version, TTL).await.unwrap()
}

async fn get(cache: &dyn Cache, key: &Key) -> Option<String> {
    let entry = cache.get(key).await.unwrap()?;
    Some(entry.value.decode().unwrap())
}

/// Each case gets a cache, and a key of its own.
macro_rules! cases {
    ($(async fn $case:ident($cache:ident: &dyn Cache, $key:ident: &Key) $body:block)*) => {
        $(async fn $case($cache: &dyn Cache, $key: &Key) $body)*

        mod memory_ {
            use super::*;

            $(#[tokio::test]
            async fn $case() {
                super::$case(&memory::Cache::new(), &Key::new("users", Some("acme"), "user", "42")).await;
            })*
        }

        mod redis_ {
            use super::*;

            $(#[tokio::test]
            async fn $case() {
                let Some(redis) = Redis::find().await else { return };
                super::$case(&redis.cache().await, &redis.key("42")).await;
                redis.clean().await;
            })*
        }
    };
}

cases! {
    async fn what_is_put_is_got(cache: &dyn Cache, key: &Key) {
        assert_eq!(cache.get(key).await.unwrap(), None);
        for version in [None, Some(-1), Some(i64::MAX)] {
            assert_eq!(put(cache, key, "ada", version).await, CacheWrite::Done);
            assert_eq!(cache.get(key).await.unwrap(), Some(entry("ada", version)));
        }
    }

    async fn an_older_version_does_not_overwrite(cache: &dyn Cache, key: &Key) {
        assert_eq!(put(cache, key, "two", Some(2)).await, CacheWrite::Done);
        assert_eq!(put(cache, key, "one", Some(1)).await, CacheWrite::Newer);
        assert_eq!(invalidate(cache, key, Some(1)).await, CacheWrite::Newer);
        assert_eq!(get(cache, key).await.as_deref(), Some("two"));
        assert_eq!(put(cache, key, "two again", Some(2)).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await.as_deref(), Some("two again"));
        assert_eq!(put(cache, key, "three", Some(3)).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await.as_deref(), Some("three"));
    }

    async fn an_invalidation_refuses_older_versions(cache: &dyn Cache, key: &Key) {
        assert_eq!(invalidate(cache, key, Some(2)).await, CacheWrite::Done);
        assert_eq!(put(cache, key, "one", Some(1)).await, CacheWrite::Newer);
        assert_eq!(invalidate(cache, key, Some(1)).await, CacheWrite::Newer);
        assert_eq!(get(cache, key).await, None);
        assert_eq!(put(cache, key, "two", Some(2)).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await.as_deref(), Some("two"));
    }

    async fn an_invalidation_of_the_same_version_takes_the_value_away(cache: &dyn Cache, key: &Key) {
        put(cache, key, "two", Some(2)).await;
        assert_eq!(invalidate(cache, key, Some(2)).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await, None);
    }

    async fn without_a_version_a_write_always_applies(cache: &dyn Cache, key: &Key) {
        put(cache, key, "nine", Some(9)).await;
        assert_eq!(put(cache, key, "plain", None).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await.as_deref(), Some("plain"));
        assert_eq!(put(cache, key, "one", Some(1)).await, CacheWrite::Done);
        assert_eq!(invalidate(cache, key, None).await, CacheWrite::Done);
        assert_eq!(get(cache, key).await, None);
        assert_eq!(put(cache, key, "nought", Some(0)).await, CacheWrite::Done);
    }

    async fn versions_are_compared_exactly(cache: &dyn Cache, key: &Key) {
        // Beyond 2^53, a floating-point number has no room for the difference.
        let far = 1 << 60;
        let ascending = [i64::MIN, i64::MIN + 1, -far - 1, -far, -2, -1, 0, 1, far, far + 1, i64::MAX - 1, i64::MAX];
        for (older, newer) in ascending.iter().zip(&ascending[1..]) {
            invalidate(cache, key, None).await;
            assert_eq!(put(cache, key, "newer", Some(*newer)).await, CacheWrite::Done);
            assert_eq!(put(cache, key, "older", Some(*older)).await, CacheWrite::Newer, "{older} < {newer}");
            assert_eq!(invalidate(cache, key, Some(*older)).await, CacheWrite::Newer, "{older} < {newer}");
            assert_eq!(put(cache, key, "newer", Some(*newer)).await, CacheWrite::Done);
        }
    }

    async fn a_life_of_no_time_is_over_at_once(cache: &dyn Cache, key: &Key) {
        for version in [None, Some(1)] {
            put(cache, key, "before", version).await;
            assert_eq!(cache.put(key, entry("a", version), Some(Duration::ZERO)).await.unwrap(), CacheWrite::Done);
            assert_eq!(get(cache, key).await, None);
        }
        put(cache, key, "two", Some(2)).await;
        assert_eq!(cache.put(key, entry("one", Some(1)), Some(Duration::ZERO)).await.unwrap(), CacheWrite::Newer);
        assert_eq!(get(cache, key).await.as_deref(), Some("two"));
    }

    async fn a_short_life_ends(cache: &dyn Cache, key: &Key) {
        for version in [None, Some(1)] {
            cache.put(key, entry("a", version), Some(Duration::from_micros(1500))).await.unwrap();
            until(|| async { get(cache, key).await.is_none() }).await;
        }
        cache.invalidate(key, Some(7), Duration::from_millis(2)).await.unwrap();
        until(|| async { put(cache, key, "six", Some(6)).await == CacheWrite::Done }).await;
    }

    async fn a_life_may_be_endless(cache: &dyn Cache, key: &Key) {
        let endless = [None, Some(Duration::MAX), Some(Duration::from_secs(u64::MAX / 1000)), Some(Duration::from_secs(1 << 33))];
        for (version, ttl) in (1..).zip(endless) {
            for version in [None, Some(version)] {
                assert_eq!(cache.put(key, entry("a", version), ttl).await.unwrap(), CacheWrite::Done);
                assert_eq!(get(cache, key).await.as_deref(), Some("a"));
            }
        }
        assert_eq!(cache.invalidate(key, Some(9), Duration::MAX).await.unwrap(), CacheWrite::Done);
        assert_eq!(put(cache, key, "eight", Some(8)).await, CacheWrite::Newer);
    }

    async fn keys_are_apart(cache: &dyn Cache, key: &Key) {
        let [service, pattern, id] = [key.service(), key.pattern(), key.id()];
        let others = [
            Key::new(service, Some("initech"), pattern, id),
            Key::new(service, None, pattern, id),
            Key::new(service, Some(key.tenant()), "account", id),
            Key::new(service, Some(key.tenant()), pattern, "43"),
            key.in_space(graceful::KeySpace::LastGood),
        ];
        put(cache, key, "ada", Some(1)).await;
        for other in &others {
            assert_eq!(get(cache, other).await, None, "{other}");
            assert_eq!(put(cache, other, "else", Some(0)).await, CacheWrite::Done);
        }
        assert_eq!(get(cache, key).await.as_deref(), Some("ada"));
    }
}
