//! A server that may forget what it has acknowledged is refused, and says what to do.

use graceful_tests::{Proxy, gate::until};

use super::*;

async fn refused(server: &Server) -> String {
    let error =
        IdempotentCalls::connect(&format!("redis://u:s3cret@{}", server.address())).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("Redis at {} may forget ", server.address())), "{text}");
    assert!(text.contains("allow it by `allow_loss=true`") && !text.contains("s3cret"), "{text}");
    text
}

/// A user with all rights but these, which the server of a test has by its arguments.
fn user(without: &str) -> [String; 2] {
    ["--user".to_owned(), format!("u on >s3cret ~* &* +@all {without}")]
}

async fn server(arguments: &[&str], without: &str) -> Server {
    let user = user(without);
    let user: Vec<_> = [user[0].as_str()].into_iter().chain(user[1].split(' ')).collect();
    Server::redis(&[arguments, &*user].concat()).await
}

async fn works(server: &Server, options: &str) {
    let url = format!("redis://u:s3cret@{}{options}", server.address());
    let calls = IdempotentCalls::connect(&url).await.unwrap();
    assert!(!format!("{calls:?}").contains("s3cret"), "{calls:?}");
    assert_eq!(calls.unfit(), None);
    let call = call("a");
    assert_eq!(calls.claim(call.clone(), LONG).await.unwrap(), Claimed::New);
    assert!(calls.answer(answer(&call, "ada")).await.unwrap());
    calls.release(call.clone()).await.unwrap();
    let known = KnownCall::new(None, answered("ada"));
    assert_eq!(calls.claim(again(&call), LONG).await.unwrap(), Claimed::Known(known));
}

#[test(requires("redis-server"))]
async fn server_whose_settings_lose_writes_is_refused_with_each_reason() {
    let fit = FIT.as_slice();
    for (arguments, reasons) in [
        (
            [].as_slice(),
            ["`appendonly no`: set `appendonly yes`", "`appendfsync everysec`: set `appendfsync always`"]
                .as_slice(),
        ),
        (
            &["--appendonly", "yes"],
            &["acknowledged: `appendfsync everysec`: set `appendfsync always`. Change"],
        ),
        (&["--appendfsync", "always"], &["acknowledged: `appendonly no`: set `appendonly yes`. Change"]),
        (&["--no-appendfsync-on-rewrite", "yes"], &["`no-appendfsync-on-rewrite yes`: set"]),
        (
            &[fit, &["--maxmemory", "1gb", "--maxmemory-policy", "volatile-ttl"]].concat(),
            &[
                "acknowledged: `maxmemory-policy volatile-ttl` evicts keys before they expire: set `maxmemory-policy noeviction`. Change",
            ],
        ),
    ] {
        let server = server(arguments, "").await;
        let text = refused(&server).await;
        assert!(reasons.iter().all(|reason| text.contains(reason)), "{text}");
        works(&server, "?allow_loss=true").await;
    }
    works(&server(&[fit, &["--maxmemory", "1gb"]].concat(), "").await, "").await;
    works(&server(&[fit, &["--maxmemory-policy", "allkeys-lru"]].concat(), "").await, "?allow_loss=false")
        .await;
}

#[test(requires("redis-server"))]
async fn server_that_does_not_tell_is_refused() {
    for (without, command, right) in
        [("-config", "`CONFIG GET`", "+config|get"), ("-info", "`INFO`", "+info")]
    {
        let server = server(&FIT, without).await;
        let text = refused(&server).await;
        assert!(text.contains(&format!("it refuses {command} ")) && text.contains(right), "{text}");
        works(&server, "?allow_loss=true").await;
    }
    let server = server(&[&FIT[..], &["--rename-command", "CONFIG", "\"\""]].concat(), "").await;
    assert!(refused(&server).await.contains("it refuses `CONFIG GET` "));
    works(&server, "?allow_loss=true").await;
}

#[test(requires("redis-server"))]
async fn server_with_a_replica_is_refused() {
    let server = server(&FIT, "").await;
    let port = server.address().port().to_string();
    let _replica = Server::redis(&["--replicaof", &format!("127.0.0.1 {port}")]).await;
    // The replica connects when it has started.
    let connect =
        || async { IdempotentCalls::connect(&format!("redis://u:s3cret@{}", server.address())).await };
    until(|| async { connect().await.is_err() }).await;
    let text = refused(&server).await;
    assert!(
        text.contains("replicas are attached") && text.contains("use a server without replicas"),
        "{text}"
    );
    works(&server, "?allow_loss=true").await;
}

#[test(requires("redis-server"))]
async fn replica_that_takes_writes_is_refused() {
    let more = ["--replicaof", "127.0.0.1 1", "--replica-read-only", "no"];
    let server = server(&[&FIT[..], &more].concat(), "").await;
    assert!(refused(&server).await.contains("it is a replica"));
}

/// It is asked again by the first call after a second.
#[test(requires("redis-server"))]
async fn server_whose_settings_change_refuses_claims_and_answers_until_it_is_fit_again() {
    let case = Case::new().await;
    let renewal = case.calls.renewal().await.unwrap();
    assert_eq!(case.claim(&case.call).await, Claimed::New);
    case.set("appendfsync", "everysec").await;
    let is_refused = || async { case.calls.claim(again(&case.call), LONG).await.is_err() };
    until(is_refused).await;
    let why = case.calls.unfit().unwrap();
    assert!(why.contains("`appendfsync everysec`: set `appendfsync always`"), "{why}");
    let error = case.calls.answer(answer(&case.call, "ada")).await.unwrap_err();
    assert_eq!(error.message(), &*why);
    assert!(renewal.renew(case.call.clone(), LONG).await.unwrap(), "the body still needs its lease");

    case.set("appendfsync", "always").await;
    until(|| async { !is_refused().await }).await;
    assert!(case.answer(&case.call, "ada").await);
    assert_eq!(case.calls.unfit(), None);
}

#[test(requires("redis-server"))]
async fn server_behind_a_new_connection_is_asked_before_its_first_command() {
    let (fit, unfit) = (Server::redis(&FIT).await, Server::redis(&[]).await);
    let proxy = Proxy::to(fit.address()).await;
    let calls = IdempotentCalls::connect(&url(proxy.address())).await.unwrap().timeout(LONG);
    let call = call("a");
    assert_eq!(calls.claim(call.clone(), LONG).await.unwrap(), Claimed::New);
    proxy.lead_to(unfit.address());
    proxy.set(graceful_tests::Link::Reset).await;
    proxy.set(graceful_tests::Link::Up).await;
    let error = calls.answer(answer(&call, "ada")).await.unwrap_err();
    assert!(error.message().contains("may forget"), "{error}");
    let keys: u64 = Redis::at(unfit.address()).await.raw(&[b"DBSIZE"]).await;
    assert_eq!(keys, 0);
    // It is no failure of the server: the breaker stays closed.
    for _ in 0..5 {
        let error = calls.claim(again(&call), LONG).await.unwrap_err();
        assert!(error.message().contains("may forget"), "{error}");
    }
}
