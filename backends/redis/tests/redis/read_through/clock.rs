//! Ages are by the clock of the server.

use std::time::{Duration, Instant};

use graceful_redis::Cache;
use graceful_tests::{Link, Proxy, gate::until};

use super::{Case, End, LONG, url};

/// The time of the server, in milliseconds.
async fn time(case: &Case) -> u64 {
    let (seconds, micros): (u64, u64) = case.redis.raw(&[b"TIME"]).await;
    seconds * 1000 + micros / 1000
}

/// When the entry was stored.
async fn stored_at(case: &Case) -> u64 {
    let bytes: Vec<u8> = case.redis.raw(&[b"GET", case.entry_name().as_bytes()]).await;
    String::from_utf8_lossy(&bytes).split(' ').nth(2).unwrap().parse().unwrap()
}

#[test(requires(Redis))]
async fn age_of_a_hit_is_since_it_was_stored_by_the_clock_of_the_server() {
    let case = Case::new().await;
    let before = time(&case).await;
    case.load("ada").await;
    let stored_at = stored_at(&case).await;
    assert!((before..=time(&case).await).contains(&stored_at));
    let old = Duration::from_millis(100);
    until(|| async { time(&case).await >= stored_at + 100 }).await;
    // It is never too low, but for the part of a millisecond that the server's time does not tell.
    let hit = case.found().await.unwrap();
    assert!(hit.age + Duration::from_millis(1) >= old, "{hit:?}");

    // One that was stored an hour ago.
    let bytes: Vec<u8> = case.redis.raw(&[b"GET", case.entry_name().as_bytes()]).await;
    let text = String::from_utf8(bytes).unwrap();
    let earlier = text.replacen(&format!("{stored_at:016}"), &format!("{:016}", stored_at - 3_600_000), 1);
    let () = case.redis.raw(&[b"SET", case.entry_name().as_bytes(), earlier.as_bytes()]).await;
    let age = case.found().await.unwrap().age;
    assert!(age >= Duration::from_secs(3599) && age < Duration::from_secs(7200), "{age:?}");
    case.clean().await;
}

#[test(requires(Redis))]
async fn youngest_mark_is_as_old_as_the_last_change() {
    let case = Case::new().await;
    let old = Duration::from_millis(100);
    until(|| async { case.seen().await.youngest >= old }).await;
    let changed = Instant::now();
    case.port().invalidate_pattern(&case.name.depends_on[0].of_pattern()).await.unwrap();
    let youngest = case.seen().await.youngest;
    // The server's clock is read in whole milliseconds.
    assert!(youngest <= changed.elapsed() + Duration::from_millis(1), "{youngest:?}");
    until(|| async { case.seen().await.youngest >= old }).await;

    let write = case.write();
    let held = case.hold(&write).await;
    let changed = Instant::now();
    case.end(&write, &held, End::Restore).await;
    let youngest = case.seen().await.youngest;
    assert!(youngest <= changed.elapsed() + Duration::from_millis(1), "{youngest:?}");
    case.clean().await;
}

/// Nobody tells a new client when the server became a primary.
#[test(requires(Redis))]
async fn incarnation_is_as_old_as_the_client() {
    let case = Case::new().await;
    until(|| async { case.seen().await.youngest >= Duration::from_millis(100) }).await;
    let connected = Instant::now();
    let other = case.elsewhere().await;
    assert!(other.seen().await.youngest <= connected.elapsed());
    assert!(case.seen().await.youngest >= Duration::from_millis(100));
    case.clean().await;
}

#[test(requires(Redis))]
async fn incarnation_is_as_old_after_its_connection_is_lost() {
    let case = Case::new().await;
    let proxy = Proxy::to(case.redis.address).await;
    let case = case.through(Cache::connect(&url(proxy.address())).await.unwrap().timeout(LONG));
    let old = Duration::from_millis(100);
    until(|| async { case.seen().await.youngest >= old }).await;
    proxy.set(Link::Reset).await;
    proxy.set(Link::Up).await;
    assert!(case.seen().await.youngest >= old);
    assert_eq!(proxy.connections(), 2);
    case.clean().await;
}
