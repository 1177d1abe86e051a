//! Bytes on the server are checked when they are read, and damaged bytes are overwritten.

use std::time::Duration;

use graceful::{
    Key,
    backends::{Cache as _, CacheWrite},
};

use super::{Redis, entry, name};

const TTL: Duration = Duration::from_secs(60);

#[test(requires(Redis))]
async fn stored_bytes_carry_tenant_key_and_kind() {
    let redis = Redis::connect().await;
    let (cache, key) = (redis.cache().await, redis.key("a:b*"));
    cache.put(&key, entry("ada", Some(7)), Some(TTL)).await.unwrap();
    let bytes = String::from_utf8(redis.bytes(&key).await.unwrap()).unwrap();
    for part in [r#""tenant":"acme""#, r#""pattern":"user""#, r#""id":"a:b*""#, r#""space":"entity""#] {
        assert!(bytes.contains(part), "{part} in {bytes}");
    }
    assert!(bytes.ends_with(r#""value":"ada"}"#), "{bytes}");

    let left: i64 = redis.raw(&[b"PTTL", name(&key).as_bytes()]).await;
    assert!((1..=60_000).contains(&left), "{left}");
    redis.clean().await;
}

#[test(requires(Redis))]
async fn stored_bytes_of_another_key_are_a_miss() {
    let redis = Redis::connect().await;
    let (cache, key) = (redis.cache().await, redis.key("1"));
    cache.put(&key, entry("ada", None), None).await.unwrap();
    let bytes = redis.bytes(&key).await.unwrap();
    for other in [
        redis.key("2"),
        Key::new(key.service(), Some("initech"), "user", "1"),
        Key::new(key.service(), Some("acme"), "account", "1"),
    ] {
        let () = redis.raw(&[b"SET", name(&other).as_bytes(), &bytes]).await;
        assert_eq!(cache.get(&other).await.unwrap(), None, "{other}");
    }
    assert!(cache.get(&key).await.unwrap().is_some());
    redis.clean().await;
}

#[test(requires(Redis))]
async fn damaged_bytes_are_a_miss_and_are_overwritten() {
    let redis = Redis::connect().await;
    let (cache, key) = (redis.cache().await, redis.key("1"));
    cache.put(&key, entry("ada", Some(7)), Some(TTL)).await.unwrap();
    let whole = redis.bytes(&key).await.unwrap();
    let turned = {
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let foreign: [&[u8]; 7] =
        [b"", b"g1", b"g1v", b"{\"value\":1}", &whole[..whole.len() / 2], &turned, &[0xff; 64]];
    for bytes in foreign {
        let () = redis.raw(&[b"SET", name(&key).as_bytes(), bytes]).await;
        assert_eq!(cache.get(&key).await.unwrap(), None, "{bytes:?}");
        assert_eq!(
            cache.put(&key, entry("ada", Some(8)), Some(TTL)).await.unwrap(),
            CacheWrite::Done,
            "{bytes:?}"
        );
        assert!(cache.get(&key).await.unwrap().is_some());
    }
    redis.clean().await;
}

#[test(requires(Redis))]
async fn value_of_another_type_is_a_miss_and_is_overwritten() {
    let redis = Redis::connect().await;
    let (cache, key) = (redis.cache().await, redis.key("1"));
    for version in [None, Some(1)] {
        let () = redis.raw(&[b"DEL", name(&key).as_bytes()]).await;
        let () = redis.raw(&[b"RPUSH", name(&key).as_bytes(), b"a", b"list"]).await;
        assert_eq!(cache.get(&key).await.unwrap(), None);
        assert_eq!(cache.put(&key, entry("ada", version), Some(TTL)).await.unwrap(), CacheWrite::Done);
        assert!(cache.get(&key).await.unwrap().is_some());
    }
    redis.clean().await;
}
