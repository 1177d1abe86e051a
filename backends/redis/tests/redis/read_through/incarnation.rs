//! What was stored in another process of the server, or in a copy of it, is void.

use std::fs;

use graceful::backends::{Ended, Lease};
use graceful_redis::Cache;
use graceful_tests::{Link, Proxy, gate::until, servers::Server};

use super::{Case, End, LONG, Redis, token, url};

/// Saves a snapshot, and returns its file.
async fn saved(case: &Case) -> String {
    let () = case.redis.raw(&[b"SAVE"]).await;
    let (_, directory): (String, String) = case.redis.raw(&[b"CONFIG", b"GET", b"dir"]).await;
    format!("{directory}/dump.rdb")
}

/// A server that starts from this snapshot.
async fn copy(snapshot: &str) -> Server {
    Server::start("redis-server", |port, directory| {
        fs::copy(snapshot, format!("{directory}/dump.rdb")).unwrap();
        ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", directory].map(str::to_owned).into()
    })
    .await
}

#[test(requires("redis-server"))]
async fn load_that_began_on_another_server_is_not_stored() {
    let server = Server::redis(&[]).await;
    let proxy = Proxy::to(server.address()).await;
    let case = Case::of(&server).await;
    let case = case.through(Cache::connect(&url(proxy.address())).await.unwrap());
    let seen = case.look_up(Some(LONG)).await;
    let copy = copy(&saved(&case).await).await;
    let on_copy = Case { name: case.name.clone(), ..Case::of(&copy).await };

    proxy.set(Link::Reset).await;
    proxy.lead_to(copy.address());
    proxy.set(Link::Up).await;
    // The first call may fail, because it notices that the connection is lost.
    match case.fill(&seen, "old").await {
        Ok(is_stored) => assert!(!is_stored),
        Err(error) => assert!(error.message().starts_with("Redis at "), "{error}"),
    }
    assert!(!case.fill(&seen, "old").await.unwrap());
    assert_eq!(on_copy.hit().await, None);
    assert!(!on_copy.exists(&case.entry_name()).await);
    // The copy has the marks and the lease, but they are void.
    assert!(on_copy.exists(&case.mark_name()).await && on_copy.exists(&case.lease_name()).await);
    let again = case.look_up(Some(LONG)).await;
    assert!(matches!(again.lease, Lease::Taken(_)), "{again:?}");
    assert!(!again.is_same(&seen) && again.marks != seen.marks);
    assert!(case.fill(&again, "new").await.unwrap());
    assert_eq!(on_copy.hit().await.as_deref(), Some("new"));
}

#[test(requires("redis-server"))]
async fn entry_of_a_copied_server_is_a_miss() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    case.load("old").await;
    let copy = copy(&saved(&case).await).await;
    let on_copy = Case { name: case.name.clone(), ..Case::of(&copy).await };
    assert!(on_copy.exists(&case.entry_name()).await && on_copy.exists(&case.mark_name()).await);
    assert_eq!(on_copy.hit().await, None);
    on_copy.load("new").await;
    assert_eq!(case.hit().await.as_deref(), Some("old"));
}

#[test(requires("redis-server"))]
async fn nothing_survives_a_restart_from_a_snapshot() {
    let mut server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    case.load("old").await;
    let mut other = case.through(case.cache.clone());
    other.name.entity = case.redis.key("43");
    let seen = other.look_up(Some(LONG)).await;
    saved(&case).await;
    server.kill();
    server.start_again().await;

    until(|| async { case.port().hit(&case.name).await.is_ok() }).await;
    let raw = Redis::at(server.address()).await;
    let names = [case.entry_name(), case.mark_name(), other.mark_name(), other.lease_name()];
    for name in names {
        assert!(raw.raw::<bool>(&[b"EXISTS", name.as_bytes()]).await, "the snapshot has {name}");
    }
    assert_eq!(case.hit().await, None);
    assert!(!other.fill(&seen, "old").await.unwrap());
    assert!(!other.port().extend(&other.name, token(&seen), LONG).await.unwrap());
    assert_eq!(other.hit().await, None);
    token(&other.look_up(Some(LONG)).await);
    case.load("new").await;
}

#[test(requires("redis-server"))]
async fn hold_of_before_a_restart_allows_no_put_and_holds_nothing() {
    let mut server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    case.load("old").await;
    let [first, second] = [case.write(), case.write()];
    let held = case.hold(&first).await;
    saved(&case).await;
    server.kill();
    server.start_again().await;
    until(|| async { case.port().hit(&case.name).await.is_ok() }).await;
    assert!(!case.seen().await.held);
    assert!(!case.port().renew(&first, LONG).await.unwrap());
    assert!(case.hold(&second).await.clean);
    assert_eq!(case.end(&first, &held, case.put("put")).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
}

/// Clients stay connected to it.
#[test(requires("redis-server"))]
async fn primary_that_becomes_a_replica_is_noticed_on_its_connection() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    case.load("old").await;
    let () = case.redis.raw(&[b"REPLICAOF", b"127.0.0.1", b"1"]).await;
    let connections = async || -> String {
        let info: String = case.redis.raw(&[b"INFO", b"stats"]).await;
        info.lines().find(|line| line.starts_with("total_connections_received")).unwrap().to_owned()
    };
    let before = connections().await;
    let hit = async || case.port().hit(&case.name).await;
    until(|| async { hit().await.is_err() }).await;
    assert_ne!(connections().await, before, "the connection was closed");
    let error = hit().await.unwrap_err();
    assert!(error.message().contains("it is a replica"), "{error}");
    assert!(case.port().unfit().unwrap().contains("it is a replica"));

    // As a primary again it has another history.
    let () = case.redis.raw(&[b"REPLICAOF", b"NO", b"ONE"]).await;
    until(|| async { hit().await.is_ok() }).await;
    assert_eq!(case.hit().await, None);
    assert_eq!(case.port().unfit(), None);
    case.load("new").await;
}

#[test(requires("redis-server"))]
async fn refused_write_to_a_replica_is_noticed_at_once() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    let held = case.hold(&case.write()).await;
    let () = case.redis.raw(&[b"REPLICAOF", b"127.0.0.1", b"1"]).await;
    let refused = case.port().end(&case.write(), Some(&held), End::Invalidate).await.unwrap_err();
    let error = case.port().hit(&case.name).await.unwrap_err();
    assert!(error.message().contains("it is a replica"), "{error} after {refused}");
}
