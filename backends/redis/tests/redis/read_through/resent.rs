//! Commands whose connection is lost, or that arrive late.

use std::time::Duration;

use graceful::backends::{End, Ended, Incarnation};
use graceful_redis::Cache;
use graceful_tests::{Link, Proxy, gate::until};

use super::{Case, LONG, Reply, url};

/// So slow that a connection can be cut between a command and its answer.
const SLOW: Link = Link::Slow(Duration::from_secs(1));

/// The case through a proxy, and directly.
async fn through_proxy() -> (Proxy, Case, Case) {
    let direct = Case::new().await;
    let proxy = Proxy::to(direct.redis.address).await;
    let cache = Cache::connect(&url(proxy.address())).await.unwrap().timeout(LONG);
    let case = direct.through(cache);
    (proxy, case, direct)
}

async fn cut(proxy: &Proxy) {
    proxy.set(Link::Reset).await;
    proxy.set(Link::Up).await;
}

/// Cuts the connection when the server has run the command.
async fn cut_after<T: Unpin + Send + 'static>(
    proxy: &Proxy,
    reply: impl FnOnce() -> Reply<T>,
    has_run: impl AsyncFn() -> bool,
) -> T {
    proxy.set(SLOW).await;
    let reply = tokio::spawn(reply());
    until(|| has_run()).await;
    cut(proxy).await;
    reply.await.unwrap().unwrap()
}

/// Cuts the connection before the server gets the command.
async fn cut_before<T: Unpin + Send + 'static>(proxy: &Proxy, case: &Case, reply: Reply<T>) -> T {
    proxy.set(SLOW).await;
    proxy.record();
    let reply = tokio::spawn(reply);
    // Each command names an entity of the case.
    proxy.until_sent(&case.redis.service).await;
    cut(proxy).await;
    reply.await.unwrap().unwrap()
}

#[test(requires(Redis))]
async fn put_whose_connection_is_lost_is_not_sent_again() {
    let (proxy, case, direct) = through_proxy().await;
    let write = case.write();
    let held = case.hold(&write).await;
    let end = case.port().end(&write, Some(&held), case.put("lost"));
    assert_eq!(cut_before(&proxy, &case, end).await, Ended::Invalidated);
    assert_eq!(direct.hit().await, None);
    assert!(!direct.seen().await.held);

    let held = case.hold(&write).await;
    let end = || case.port().end(&write, Some(&held), case.put("stored"));
    let is_stored = async || direct.hit().await.is_some();
    assert_eq!(cut_after(&proxy, end, is_stored).await, Ended::Invalidated);
    assert_eq!(direct.hit().await, None);
    direct.clean().await;
}

#[test(requires(Redis))]
async fn restore_whose_connection_is_lost_is_not_sent_again() {
    let (proxy, case, direct) = through_proxy().await;
    case.load("old").await;
    let write = case.write();
    let held = case.hold(&write).await;
    let end = case.port().end(&write, Some(&held), End::Restore);
    assert_eq!(cut_before(&proxy, &case, end).await, Ended::Invalidated);
    assert_eq!(direct.hit().await, None);
    assert!(!direct.seen().await.held);
    direct.clean().await;
}

#[test(requires(Redis))]
async fn fill_whose_connection_is_lost_is_not_sent_again() {
    let (proxy, case, direct) = through_proxy().await;
    let seen = case.look_up(Some(LONG)).await;
    assert!(!cut_before(&proxy, &case, case.fill(&seen, "lost")).await);
    assert_eq!(direct.hit().await, None);
    assert!(!direct.exists(&direct.entry_name()).await);
    direct.clean().await;
}

/// The first may arrive later than the second, and must not bring back its marks, which a put compares.
#[test(requires(Redis))]
async fn hold_that_is_sent_again_has_other_marks() {
    let (proxy, case, direct) = through_proxy().await;
    let write = case.write();
    let is_held = async || direct.exists(&direct.holds_name()).await;
    let held = cut_after(&proxy, || case.port().hold(&write, LONG), is_held).await;
    assert!(held.clean && held.old[0].is_some_and(|old| old != held.new[0]), "{held:?}");
    assert_eq!(case.end(&write, &held, case.put("ada")).await, Ended::Put);
    assert_eq!(direct.hit().await.as_deref(), Some("ada"));
    direct.clean().await;
}

#[test(requires(Redis))]
async fn hold_that_arrives_after_the_end_expires() {
    let (proxy, case, direct) = through_proxy().await;
    let case = case.through(case.cache.clone().timeout(Duration::from_millis(50)));
    let write = case.write();
    proxy.set(Link::BlackHole).await;
    let expiry = Duration::from_millis(500);
    case.port().hold(&write, expiry).await.unwrap_err();
    let ended = direct.port().end(&write, None, End::Invalidate).await.unwrap();
    assert_eq!(ended, Ended::Invalidated);
    direct.load("new").await;

    proxy.set(Link::Up).await;
    until(|| async { direct.hit().await.is_none() }).await;
    let expires_at =
        async || -> Vec<String> { direct.redis.raw(&[b"HVALS", direct.holds_name().as_bytes()]).await };
    let first = expires_at().await;
    assert!(!direct.port().renew(&direct.write(), LONG).await.unwrap(), "another write does not renew it");
    until(|| async {
        let now = expires_at().await;
        assert!(now == first || now.is_empty(), "its expiry rose from {first:?} to {now:?}");
        !direct.seen().await.held
    })
    .await;
    direct.load("new").await;
    direct.clean().await;
}

/// While the breaker is open, the server may have lost the hold.
#[test(requires(Redis))]
async fn end_of_a_held_write_is_sent_while_the_breaker_is_open() {
    let (proxy, case, direct) = through_proxy().await;
    let hasty = case.through(case.cache.clone().timeout(Duration::from_millis(50)));
    let write = case.write();
    let held = case.hold(&write).await;
    proxy.set(Link::BlackHole).await;
    for _ in 0..3 {
        hasty.port().hit(&case.name).await.unwrap_err();
    }
    proxy.set(Link::Up).await;
    assert_eq!(case.end(&write, &held, End::Invalidate).await, Ended::Invalidated);
    assert!(!direct.seen().await.held);
    direct.clean().await;
}

#[test(requires(Redis))]
async fn what_another_incarnation_has_seen_is_not_sent() {
    let case = Case::new().await;
    let mut seen = case.seen().await;
    seen.incarnation = Incarnation(seen.incarnation.0 ^ 1);
    assert!(!case.fill(&seen, "old").await.unwrap());
    let write = case.write();
    let mut held = case.hold(&write).await;
    held.incarnation = seen.incarnation;
    assert_eq!(case.end(&write, &held, case.put("old")).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
    case.clean().await;
}
