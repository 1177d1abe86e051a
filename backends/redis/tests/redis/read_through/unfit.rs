//! A server that handlers cannot read through says so, and what to do.

use graceful::{StepError, backends::Cache as _};
use graceful_redis::Cache;
use graceful_tests::servers::Server;

use super::{Case, End, LONG, Redis, entry};

/// A case as a user with all rights but one.
async fn without(server: &Server, right: &str) -> Case {
    let case = Case::of(server).await;
    let rights = format!("SETUSER limited on >right ~* &* +@all -{right}");
    let words: Vec<&[u8]> = ["ACL"].into_iter().chain(rights.split(' ')).map(str::as_bytes).collect();
    let () = case.redis.raw(&words).await;
    let cache = Cache::connect(&format!("redis://limited:right@{}", server.address())).await.unwrap();
    case.through(cache)
}

/// The error of each method.
async fn errors(case: &Case, seen: &super::Seen, held: &super::Held) -> Vec<StepError> {
    let (port, name, write, token) = (case.port(), &case.name, case.write(), super::Mark::random());
    let mut errors = vec![
        port.hit(name).await.unwrap_err(),
        port.look_up(name, LONG, None, None).await.unwrap_err(),
        port.fill(name, seen, entry("ada", None), LONG).await.unwrap_err(),
        port.extend(name, token, LONG).await.unwrap_err(),
        port.release(name, token).await.unwrap_err(),
        port.hold(&write, LONG).await.unwrap_err(),
        port.renew(&write, LONG).await.unwrap_err(),
        port.invalidate_pattern(&name.entity.of_pattern()).await.unwrap_err(),
    ];
    for end in [End::Invalidate, End::Unknown, End::Restore, case.put("ada")] {
        errors.push(port.end(&write, Some(held), end).await.unwrap_err());
    }
    errors
}

#[test(requires("redis-server"))]
async fn user_who_may_not_ask_for_the_incarnation_gets_a_clear_error() {
    for right in ["info", "time"] {
        let server = Server::redis(&[]).await;
        let fit = Case::of(&server).await;
        assert_eq!(fit.port().unfit(), None);
        let (seen, held) = (fit.seen().await, fit.hold(&fit.write()).await);
        let case = without(&server, right).await;
        let why = case.port().unfit().unwrap();
        let place = format!("handlers cannot read through Redis at {}: it refuses ", server.address());
        assert!(why.starts_with(&place) && why.contains("grant its user both (`+info +time`)"), "{why}");
        for error in errors(&case, &seen, &held).await {
            assert_eq!(error.message(), &*why);
        }
        // It opens no breaker, and the rest of the cache works.
        let key = case.redis.key("1");
        case.cache.put(&key, entry("ada", None), None).await.unwrap();
        assert!(case.cache.get(&key).await.unwrap().is_some());

        // Once the right is there, it is noticed.
        let () = case.redis.raw(&[b"ACL", b"SETUSER", b"limited", b"+@all"]).await;
        graceful_tests::gate::until(|| async { case.port().hit(&case.name).await.is_ok() }).await;
        assert_eq!(case.port().unfit(), None);
    }
}

/// So do proxies that have no INFO.
#[test(requires("redis-server"))]
async fn server_without_info_gets_a_clear_error() {
    let server = Server::redis(&["--rename-command", "INFO", "\"\""]).await;
    let case = Case::of(&server).await;
    let why = case.port().unfit().unwrap();
    assert!(why.contains("it refuses `INFO`") && why.contains("if a proxy refuses them"), "{why}");
    assert_eq!(case.port().hit(&case.name).await.unwrap_err().message(), &*why);
}

#[test(requires("redis-server"))]
async fn replica_gets_a_clear_error_even_if_it_takes_writes() {
    let server = Server::redis(&["--replicaof", "127.0.0.1 1", "--replica-read-only", "no"]).await;
    let case = Case::on(Redis::at(server.address()).await).await;
    let why = case.port().unfit().unwrap();
    assert!(why.contains("it is a replica") && why.contains("use the address of its primary"), "{why}");
    assert_eq!(case.port().hit(&case.name).await.unwrap_err().message(), &*why);
}
