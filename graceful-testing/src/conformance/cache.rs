//! What a [`Cache`] must do.

use std::time::Duration;

use graceful::{
    Key, Payload,
    backends::{
        Cache, CacheEntry,
        CacheWrite::{self, Done, Newer},
        KeySpace,
    },
};
use jiff::Timestamp;
use tokio::time::sleep;

const TTL: Duration = Duration::from_secs(60);

/// Checks the promises of [`Cache`]. The caches may share one server: each case has keys of its own.
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::cache(async || memory::Cache::new()).await;
/// # });
/// ```
pub async fn cache<C: Cache>(fresh: impl AsyncFn() -> C) {
    put_value_is_read(Case::of(fresh().await)).await;
    older_version_is_refused(Case::of(fresh().await)).await;
    equal_version_renews_value(Case::of(fresh().await)).await;
    versioned_invalidation_refuses_puts_up_to_its_version(Case::of(fresh().await)).await;
    unversioned_invalidation_refuses_puts_up_to_highest_version(Case::of(fresh().await)).await;
    unversioned_put_keeps_highest_version(Case::of(fresh().await)).await;
    unversioned_write_applies(Case::of(fresh().await)).await;
    versions_are_compared_exactly(Case::of(fresh().await)).await;
    invalidation_does_not_shorten_promise(Case::of(fresh().await)).await;
    value_without_time_to_live_is_over_at_once(Case::of(fresh().await)).await;
    short_time_to_live_ends(Case::of(fresh().await)).await;
    endless_time_to_live_is_kept(Case::of(fresh().await)).await;
    keys_are_separate(Case::of(fresh().await)).await;
}

/// A cache and a key that no other test uses.
struct Case<C> {
    cache: C,
    key: Key,
}

fn entry(value: &str, version: Option<i64>) -> CacheEntry {
    let value = Payload::of(value).expect("a text can be serialised");
    CacheEntry::new(value, Timestamp::UNIX_EPOCH, version)
}

impl<C: Cache> Case<C> {
    fn of(cache: C) -> Self {
        let id = format!("{:032x}", fastrand::u128(..));
        Self { cache, key: Key::new("conformance", Some("acme"), "user", id) }
    }

    async fn put_for(&self, value: &str, version: Option<i64>, ttl: Option<Duration>) -> CacheWrite {
        self.cache.put(&self.key, entry(value, version), ttl).await.unwrap()
    }

    async fn put(&self, value: &str, version: Option<i64>) -> CacheWrite {
        self.put_for(value, version, Some(TTL)).await
    }

    async fn invalidate(&self, version: Option<i64>) -> CacheWrite {
        self.cache.invalidate(&self.key, version, TTL).await.unwrap()
    }

    async fn get(&self) -> Option<String> {
        let entry = self.cache.get(&self.key).await.unwrap()?;
        Some(entry.value.decode().unwrap())
    }
}

async fn put_value_is_read<C: Cache>(case: Case<C>) {
    assert_eq!(case.cache.get(&case.key).await.unwrap(), None);
    for version in [None, Some(-1), Some(i64::MAX), None] {
        assert_eq!(case.put("ada", version).await, Done);
        assert_eq!(case.cache.get(&case.key).await.unwrap(), Some(entry("ada", version)));
    }
}

async fn older_version_is_refused<C: Cache>(case: Case<C>) {
    assert_eq!(case.put("two", Some(2)).await, Done);
    assert_eq!(case.put("one", Some(1)).await, Newer);
    assert_eq!(case.invalidate(Some(1)).await, Newer);
    assert_eq!(case.get().await.as_deref(), Some("two"));
    assert_eq!(case.put("three", Some(3)).await, Done);
    assert_eq!(case.get().await.as_deref(), Some("three"));
}

async fn equal_version_renews_value<C: Cache>(case: Case<C>) {
    case.put("two", Some(2)).await;
    assert_eq!(case.put("two again", Some(2)).await, Done);
    assert_eq!(case.get().await.as_deref(), Some("two again"));
}

async fn versioned_invalidation_refuses_puts_up_to_its_version<C: Cache>(case: Case<C>) {
    for before in [None, Some(2)] {
        if before.is_some() {
            case.put("two", before).await;
        }
        assert_eq!(case.invalidate(Some(2)).await, Done);
        assert_eq!(case.get().await, None);
        assert_eq!(case.invalidate(Some(1)).await, Newer);
        assert_eq!(case.put("one", Some(1)).await, Newer);
        assert_eq!(case.put("two", Some(2)).await, Newer);
        assert_eq!(case.get().await, None);
    }
    assert_eq!(case.put("three", Some(3)).await, Done);
    assert_eq!(case.get().await.as_deref(), Some("three"));
}

async fn unversioned_invalidation_refuses_puts_up_to_highest_version<C: Cache>(case: Case<C>) {
    case.put("two", Some(2)).await;
    // What was invalidated may be invalidated again.
    for _ in 0..2 {
        assert_eq!(case.invalidate(None).await, Done);
        assert_eq!(case.get().await, None);
        assert_eq!(case.put("one", Some(1)).await, Newer);
        assert_eq!(case.put("two", Some(2)).await, Newer);
        assert_eq!(case.invalidate(Some(1)).await, Newer);
        assert_eq!(case.get().await, None);
    }
    assert_eq!(case.put("three", Some(3)).await, Done);
    assert_eq!(case.get().await.as_deref(), Some("three"));
}

async fn unversioned_put_keeps_highest_version<C: Cache>(case: Case<C>) {
    case.put("two", Some(2)).await;
    assert_eq!(case.put("plain", None).await, Done);
    for late in [1, 2] {
        assert_eq!(case.put("late", Some(late)).await, Newer);
    }
    assert_eq!(case.invalidate(Some(1)).await, Newer);
    assert_eq!(case.cache.get(&case.key).await.unwrap(), Some(entry("plain", None)));
    assert_eq!(case.put("plain again", None).await, Done);
    assert_eq!(case.cache.get(&case.key).await.unwrap(), Some(entry("plain again", None)));
    case.invalidate(None).await;
    assert_eq!(case.put("late", Some(2)).await, Newer);
    assert_eq!(case.put("plain", None).await, Done);
    assert_eq!(case.put("three", Some(3)).await, Done);
    assert_eq!(case.get().await.as_deref(), Some("three"));
}

async fn unversioned_write_applies<C: Cache>(case: Case<C>) {
    assert_eq!(case.invalidate(None).await, Done);
    for value in ["plain", "plain again"] {
        assert_eq!(case.put(value, None).await, Done);
        assert_eq!(case.get().await.as_deref(), Some(value));
    }
    assert_eq!(case.invalidate(None).await, Done);
    assert_eq!(case.get().await, None);
    // No version was ever seen.
    assert_eq!(case.put("lowest", Some(i64::MIN)).await, Done);
}

async fn versions_are_compared_exactly<C: Cache>(case: Case<C>) {
    // Beyond 2^53, a floating-point number has no room for the difference.
    let far = 1 << 60;
    let ascending =
        [i64::MIN, i64::MIN + 1, -far - 1, -far, -2, -1, 0, 1, far, far + 1, i64::MAX - 1, i64::MAX];
    for (older, newer) in ascending.iter().zip(&ascending[1..]) {
        assert_eq!(case.put("newer", Some(*newer)).await, Done);
        assert_eq!(case.put("older", Some(*older)).await, Newer, "{older} < {newer}");
        assert_eq!(case.invalidate(Some(*older)).await, Newer, "{older} < {newer}");
        assert_eq!(case.put("newer", Some(*newer)).await, Done);
    }
}

async fn invalidation_does_not_shorten_promise<C: Cache>(case: Case<C>) {
    case.put("two", Some(2)).await;
    for version in [None, Some(2), None] {
        case.cache.invalidate(&case.key, version, Duration::ZERO).await.unwrap();
        assert_eq!(case.put("two", Some(2)).await, Newer);
    }
}

async fn value_without_time_to_live_is_over_at_once<C: Cache>(case: Case<C>) {
    for version in [None, Some(1)] {
        case.put("before", version).await;
        assert_eq!(case.put_for("a", version, Some(Duration::ZERO)).await, Done);
        assert_eq!(case.get().await, None);
    }
    case.put("two", Some(2)).await;
    assert_eq!(case.put_for("one", Some(1), Some(Duration::ZERO)).await, Newer);
    assert_eq!(case.get().await.as_deref(), Some("two"));
}

async fn short_time_to_live_ends<C: Cache>(case: Case<C>) {
    let short = Duration::from_micros(1500);
    for version in [None, Some(1)] {
        case.put_for("a", version, Some(short)).await;
        while case.get().await.is_some() {
            sleep(short).await;
        }
    }
    case.cache.invalidate(&case.key, Some(7), short).await.unwrap();
    while case.put("six", Some(6)).await == Newer {
        sleep(short).await;
    }
    assert_eq!(case.get().await.as_deref(), Some("six"));
}

async fn endless_time_to_live_is_kept<C: Cache>(case: Case<C>) {
    let endless = [
        None,
        Some(Duration::MAX),
        Some(Duration::from_secs(u64::MAX / 1000)),
        Some(Duration::from_secs(1 << 33)),
    ];
    for (version, ttl) in (1..).zip(endless) {
        for version in [None, Some(version)] {
            assert_eq!(case.put_for("a", version, ttl).await, Done);
            assert_eq!(case.get().await.as_deref(), Some("a"));
        }
    }
    assert_eq!(case.cache.invalidate(&case.key, Some(9), Duration::MAX).await.unwrap(), Done);
    assert_eq!(case.put("eight", Some(8)).await, Newer);
    // Nothing stays for ever on a server that others use.
    case.put_for("ten", Some(10), Some(Duration::ZERO)).await;
}

async fn keys_are_separate<C: Cache>(case: Case<C>) {
    let [service, pattern, id] = [case.key.service(), case.key.pattern(), case.key.id()];
    let others = [
        Key::new(service, Some("initech"), pattern, id),
        Key::new(service, None, pattern, id),
        Key::new(service, Some(case.key.tenant()), "account", id),
        Key::new(service, Some(case.key.tenant()), pattern, format!("{id}3")),
        case.key.in_space(KeySpace::LastGood),
    ];
    case.put("ada", Some(1)).await;
    for other in &others {
        assert_eq!(case.cache.get(other).await.unwrap(), None, "{other}");
        assert_eq!(case.cache.put(other, entry("else", Some(0)), Some(TTL)).await.unwrap(), Done);
    }
    assert_eq!(case.get().await.as_deref(), Some("ada"));
}
