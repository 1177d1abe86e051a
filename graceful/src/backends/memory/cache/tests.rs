use std::{
    sync::atomic::{AtomicI64, Ordering},
    thread,
};

use jiff::Timestamp;

use super::*;
use crate::flow::Payload;

const TTL: Duration = Duration::from_secs(60);

fn key(id: &str) -> Key {
    Key::new("users", None, "user", id)
}

fn entry(value: &str, version: Option<i64>) -> CacheEntry {
    CacheEntry::new(Payload::of(value).unwrap(), Timestamp::UNIX_EPOCH, version)
}

/// Drives a cache at one moment that a test can move.
struct At(Cache, Instant);

impl At {
    fn start() -> Self {
        Self(Cache::new(), Instant::now())
    }

    fn put(&self, value: &str, version: Option<i64>) -> CacheWrite {
        self.0.put_at(&key("1"), entry(value, version), Some(TTL), self.1)
    }

    fn invalidate(&self, version: Option<i64>) -> CacheWrite {
        self.0.invalidate_at(&key("1"), version, TTL, || self.1)
    }

    fn get(&self) -> Option<String> {
        let entry = self.0.get_at(&key("1"), self.1)?;
        Some(entry.value.decode().unwrap())
    }
}

#[test]
fn put_value_is_read_until_its_time_to_live_ends() {
    let mut cache = At::start();
    cache.put("a", None);
    cache.1 += TTL / 2;
    assert_eq!(cache.get().as_deref(), Some("a"));
    cache.1 += TTL / 2;
    assert_eq!(cache.get(), None);
    assert_eq!(cache.0.0.entries.len(), 0, "an expired entry is removed when it is read");
}

#[test]
fn value_without_a_time_to_live_stays() {
    let (cache, now) = (Cache::new(), Instant::now());
    cache.put_at(&key("1"), entry("a", None), None, now);
    cache.put_at(&key("2"), entry("a", None), Some(Duration::MAX), now);
    let later = now + Duration::from_secs(1 << 32);
    assert!(cache.get_at(&key("1"), later).is_some() && cache.get_at(&key("2"), later).is_some());
}

#[test]
fn invalidation_refuses_older_versions_for_its_time_to_live() {
    let mut cache = At::start();
    assert_eq!(cache.invalidate(Some(2)), CacheWrite::Done);
    assert_eq!(cache.put("one", Some(1)), CacheWrite::Newer);
    assert_eq!(cache.get(), None);
    cache.1 += TTL;
    assert_eq!(cache.put("one", Some(1)), CacheWrite::Done);
    assert_eq!(cache.get().as_deref(), Some("one"));
}

#[test]
fn invalidation_of_the_same_version_removes_the_value() {
    let cache = At::start();
    cache.put("two", Some(2));
    assert_eq!(cache.invalidate(Some(2)), CacheWrite::Done);
    assert_eq!(cache.get(), None);
    assert_eq!(cache.put("two", Some(2)), CacheWrite::Newer);
}

#[test]
fn unversioned_invalidation_keeps_the_version_for_its_time() {
    let mut cache = At::start();
    cache.put("nine", Some(9));
    assert_eq!(cache.invalidate(None), CacheWrite::Done);
    assert_eq!((cache.get(), cache.put("nine", Some(9))), (None, CacheWrite::Newer));
    cache.1 += TTL;
    assert_eq!(cache.put("one", Some(1)), CacheWrite::Done);
}

#[test]
fn unversioned_invalidation_without_a_version_seen_leaves_nothing() {
    let mut cache = At::start();
    cache.invalidate(None);
    assert_eq!(cache.0.0.entries.len(), 0);
    cache.put("plain", None);
    cache.invalidate(None);
    assert_eq!(cache.0.0.entries.len(), 0);
    cache.put("nine", Some(9));
    cache.1 += TTL;
    cache.invalidate(None);
    assert_eq!(cache.0.0.entries.len(), 0, "the version was over");
}

#[test]
fn cache_holds_no_more_than_its_capacity() {
    for capacity in [0, 1, 100] {
        let cache = Cache::with_capacity(capacity);
        for n in 0..1000 {
            cache.put_at(&key(&n.to_string()), entry("a", Some(1)), None, Instant::now());
        }
        assert!(
            (1..=capacity.max(1) * 2).contains(&cache.0.entries.len()),
            "{} of {capacity}",
            cache.0.entries.len()
        );
    }
}

#[test]
fn cache_behind_the_trait_uses_its_own_clock() {
    use super::super::testing::answer;
    use crate::backends::Cache as _;

    let cache = Cache::new();
    answer(cache.put(&key("1"), entry("a", None), Some(Duration::ZERO))).unwrap();
    answer(cache.put(&key("2"), entry("b", None), Some(TTL))).unwrap();
    assert_eq!(answer(cache.get(&key("1"))).unwrap(), None);
    assert_eq!(answer(cache.clone().get(&key("2"))).unwrap(), Some(entry("b", None)));
    answer(cache.invalidate(&key("2"), None, TTL)).unwrap();
    assert_eq!(answer(cache.get(&key("2"))).unwrap(), None);
}

/// Threads draw versions from one counter, eight versions to a key, and write them, some as invalidations. A thread
/// that is overtaken between drawing and writing must not undo the newer write, neither in an empty place nor over a
/// value.
#[test]
fn concurrent_writes_leave_the_newest_version() {
    const KEYS: i64 = 5000;
    const EACH: i64 = 8;
    let (cache, now, drawn) = (Cache::with_capacity(100_000), Instant::now(), AtomicI64::new(0));
    let key_of = |version: i64| key(&(version / EACH).to_string());
    let invalidates = |version: i64| version % 3 == 0;
    let write_all = || {
        loop {
            let version = drawn.fetch_add(1, Ordering::Relaxed);
            if version >= KEYS * EACH {
                return;
            }
            let key = key_of(version);
            if invalidates(version) {
                cache.invalidate_at(&key, Some(version), TTL, || now);
            } else {
                cache.put_at(&key, entry("a", Some(version)), Some(TTL), now);
            }
            let found = cache.get_at(&key, now);
            assert!(found.is_none_or(|found| found.version >= Some(version)), "{version} was overwritten");
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(write_all))));
    for key in 0..KEYS {
        let newest = key * EACH + EACH - 1;
        let found = cache.get_at(&key_of(newest), now).and_then(|entry| entry.version);
        assert_eq!(found, (!invalidates(newest)).then_some(newest));
    }
}

/// Writes without a version remove the entry that a versioned write has reserved, and neither may wait for the other.
#[test]
fn versioned_and_unversioned_writes_can_be_mixed() {
    let (cache, now) = (Cache::new(), Instant::now());
    thread::scope(|scope| {
        for thread in 0..4 {
            let cache = &cache;
            scope.spawn(move || {
                for n in 0..2000 {
                    match thread {
                        0 => cache.put_at(&key("1"), entry("plain", None), Some(TTL), now),
                        1 => cache.invalidate_at(&key("1"), None, TTL, || now),
                        _ => cache.put_at(&key("1"), entry("versioned", Some(n)), Some(TTL), now),
                    };
                }
            });
        }
    });
    assert_eq!(cache.put_at(&key("1"), entry("last", Some(i64::MAX)), Some(TTL), now), CacheWrite::Done);
    assert_eq!(cache.get_at(&key("1"), now), Some(entry("last", Some(i64::MAX))));
}

#[test]
fn cache_holds_no_more_than_its_bytes() {
    let cache = Cache::with_limits(10_000, 1 << 20);
    for n in 0..1000 {
        let value = "x".repeat(10_000);
        cache.put_at(&key(&n.to_string()), entry(&value, Some(1)), None, Instant::now());
    }
    assert!(
        cache.0.entries.weight() <= 1 << 20 && cache.0.entries.len() >= 50,
        "{} in {}",
        cache.0.entries.weight(),
        cache.0.entries.len()
    );
}
