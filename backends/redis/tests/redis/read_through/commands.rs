//! How many commands each call needs, and what the server's memory has to do with it.

use std::collections::HashMap;

use graceful::backends::{End, Ended};
use graceful_tests::servers::Server;

use super::{Case, LONG, token};

/// How often each command was called since the last time, but for those that tell which process the server is.
async fn called(case: &Case) -> HashMap<String, u64> {
    let info: String = case.redis.raw(&[b"INFO", b"commandstats"]).await;
    let () = case.redis.raw(&[b"CONFIG", b"RESETSTAT"]).await;
    let calls = info.lines().filter_map(|line| {
        let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = rest.split_once(',')?.0.parse().ok()?;
        let is_aside = ["info", "time", "config|resetstat"].contains(&command);
        (!is_aside).then(|| (command.to_owned(), calls))
    });
    calls.collect()
}

#[test(requires("redis-server"))]
async fn hit_is_one_mget_and_no_script() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    case.load("ada").await;
    called(&case).await;
    for _ in 0..10 {
        assert_eq!(case.hit().await.as_deref(), Some("ada"));
    }
    assert_eq!(called(&case).await, HashMap::from([("mget".to_owned(), 10)]));
}

#[test(requires("redis-server"))]
async fn everything_else_is_one_script() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    // The first time, the server gets to know the scripts.
    for is_known in [false, true] {
        let scripts = async || {
            let calls = called(&case).await;
            assert!(!is_known || calls["evalsha"] == 1, "{calls:?}");
        };
        scripts_of_each_call(&case, scripts).await;
    }
}

async fn scripts_of_each_call(case: &Case, scripts: impl AsyncFn()) {
    let write = case.write();
    let () = case.redis.raw(&[b"CONFIG", b"RESETSTAT"]).await;
    let seen = case.look_up(Some(LONG)).await;
    scripts().await;
    case.port().extend(&case.name, token(&seen), LONG).await.unwrap();
    scripts().await;
    assert!(case.fill(&seen, "ada").await.unwrap());
    scripts().await;
    case.port().release(&case.name, token(&seen)).await.unwrap();
    scripts().await;
    let held = case.hold(&write).await;
    scripts().await;
    assert!(case.port().renew(&write, LONG).await.unwrap());
    scripts().await;
    assert_eq!(case.end(&write, &held, case.put("ada")).await, Ended::Put);
    scripts().await;
    case.port().invalidate_pattern(&case.name.entity.of_pattern()).await.unwrap();
    scripts().await;
}

/// Sets the limit of the server's memory.
async fn limit(case: &Case, bytes: &[u8]) {
    let () = case.redis.raw(&[b"CONFIG", b"SET", b"maxmemory", bytes]).await;
}

#[test(requires("redis-server"))]
async fn write_ends_on_a_server_without_memory() {
    let server = Server::redis(&[]).await;
    let case = Case::of(&server).await;
    for end in [End::Invalidate, End::Unknown, End::Restore, case.put("new")] {
        limit(&case, b"0").await;
        case.load("old").await;
        limit(&case, b"1").await;
        let write = case.write();
        let error = case.port().hold(&write, LONG).await.unwrap_err();
        assert!(error.message().contains("OOM"), "{error}");
        assert_eq!(case.hit().await.as_deref(), Some("old"), "nothing was done by half");
        assert_eq!(case.port().end(&write, None, end).await.unwrap(), Ended::Invalidated);
        assert_eq!(case.hit().await, None);
    }
    limit(&case, b"0").await;
    case.load("old").await;
    let held = case.hold(&case.write()).await;
    limit(&case, b"1").await;
    case.port().invalidate_pattern(&case.name.entity.of_pattern()).await.unwrap();
    assert_eq!(case.end(&case.write(), &held, End::Invalidate).await, Ended::Invalidated);
}
