//! Commands whose reply is lost, or that arrive late.

use std::collections::HashMap;

use graceful::backends::Reply;
use graceful_tests::{Link, Proxy, gate::until};

use super::*;

/// So slow that a connection can be cut between a command and its answer.
const SLOW: Link = Link::Slow(Duration::from_secs(1));

/// A case, and its server through a proxy.
async fn through_proxy() -> (Proxy, Case, IdempotentCalls) {
    let case = Case::new().await;
    let proxy = Proxy::to(case.server.address()).await;
    let calls = IdempotentCalls::connect(&url(proxy.address())).await.unwrap().timeout(LONG);
    (proxy, case, calls)
}

async fn cut(proxy: &Proxy) {
    proxy.set(Link::Reset).await;
    proxy.set(Link::Up).await;
}

/// How often a script was run.
async fn scripts(case: &Case) -> u64 {
    let info: String = case.redis.raw(&[b"INFO", b"commandstats"]).await;
    let calls = info.lines().filter_map(|line| line.strip_prefix("cmdstat_eval")?.split_once(":calls="));
    calls.map(|(_, rest)| rest.split(',').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Cuts the connection when the server has run a script, and before its reply is there.
async fn cut_after<T: Unpin + Send + 'static>(proxy: &Proxy, case: &Case, reply: Reply<T>) -> T {
    let run = scripts(case).await;
    proxy.set(SLOW).await;
    let reply = tokio::spawn(reply);
    until(|| async { scripts(case).await > run }).await;
    cut(proxy).await;
    let answer = reply.await.unwrap().unwrap();
    assert!(scripts(case).await > run + 1, "it was sent again");
    answer
}

/// The server knows all scripts.
async fn teach(calls: &IdempotentCalls) {
    let call = call("taught");
    calls.claim(call.clone(), LONG).await.unwrap();
    calls.renewal().await.unwrap().renew(call.clone(), LONG).await.unwrap();
    calls.answer(answer(&call, "")).await.unwrap();
    calls.release(call).await.unwrap();
}

#[test(requires("redis-server"))]
async fn claim_whose_reply_is_lost_is_new_when_it_is_sent_again() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    let call = named(["a", "b"]);
    assert_eq!(cut_after(&proxy, &case, calls.claim(call.clone(), LONG)).await, Claimed::New);
    assert!(matches!(case.claim(&again(&call)).await, Claimed::Known(_)));
    assert!(calls.answer(answer(&call, "ada")).await.unwrap());
}

#[test(requires("redis-server"))]
async fn answer_whose_reply_is_lost_is_stored_once_and_confirmed() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    case.claim(&case.call).await;
    assert!(cut_after(&proxy, &case, calls.answer(answer(&case.call, "ada"))).await);
    assert_eq!(case.state().await, answered("ada"));
    // What another connection has stored is not replaced.
    let left = case.left().await;
    let longer = IdempotentAnswer::new(case.call.clone(), value("bob"), LONG * 2);
    assert!(calls.answer(longer).await.unwrap());
    assert_eq!(case.state().await, answered("ada"));
    assert!(case.left().await <= left);
}

#[test(requires("redis-server"))]
async fn answer_that_was_overtaken_is_not_confirmed_when_it_is_sent_again() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    case.claim(&again(&case.call)).await;
    assert!(!cut_after(&proxy, &case, calls.answer(answer(&case.call, "ada"))).await);
    assert!(case.is_running().await);
}

#[test(requires("redis-server"))]
async fn release_whose_reply_is_lost_is_sent_again() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    case.claim(&case.call).await;
    cut_after(&proxy, &case, calls.release(case.call.clone())).await;
    assert!(!case.exists().await);
}

#[test(requires("redis-server"))]
async fn renewal_whose_reply_is_lost_is_sent_again() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    let renewal = calls.renewal().await.unwrap();
    case.calls.claim(case.call.clone(), LONG).await.unwrap();
    assert!(renewal.renew(case.call.clone(), LONG).await.unwrap());
    assert!(cut_after(&proxy, &case, renewal.renew(case.call.clone(), LONG * 2)).await);
    assert!(case.left().await > 60_000);
    assert!(renewal.renew(case.call.clone(), LONG).await.unwrap());
    assert!(case.left().await > 60_000, "a lease is never shortened");
}

/// The connection of a call that has timed out is closed, and what it has sent may still arrive.
#[test(requires("redis-server"))]
async fn command_that_arrives_late_changes_nothing_of_another_call() {
    let (proxy, case, calls) = through_proxy().await;
    teach(&calls).await;
    let hasty = calls.clone().timeout(Duration::from_millis(50));
    let (late, other) = (case.call.clone(), again(&case.call));
    let commands: HashMap<&str, Box<dyn Fn() -> Reply<()>>> = HashMap::from([
        ("claim", Box::new(|| hasty.claim(late.clone(), LONG).map(drop)) as Box<dyn Fn() -> Reply<()>>),
        ("answer", Box::new(|| hasty.answer(answer(&late, "late")).map(drop))),
        ("release", Box::new(|| hasty.release(late.clone()))),
    ]);
    for (name, command) in commands {
        for is_answered in [false, true] {
            until(|| async { calls.release(call("warm")).await.is_ok() }).await;
            proxy.set(Link::BlackHole).await;
            command().await.unwrap_err();
            assert_eq!(case.claim(&other).await, Claimed::New);
            assert!(!is_answered || case.answer(&other, "ada").await);
            let run = scripts(&case).await;
            proxy.set(Link::Up).await;
            until(|| async { scripts(&case).await > run }).await;
            match is_answered {
                false => assert!(case.is_running().await && case.answer(&other, "ada").await, "{name}"),
                true => assert_eq!(case.state().await, answered("ada"), "{name}"),
            }
            let () = case.redis.raw(&[b"DEL", super::name(&late).as_bytes()]).await;
        }
    }
}

/// While the breaker is open, a call that was claimed before may end.
#[test(requires("redis-server"))]
async fn answer_is_sent_while_the_breaker_is_open() {
    let (proxy, case, calls) = through_proxy().await;
    let hasty = calls.clone().timeout(Duration::from_millis(50));
    case.claim(&case.call).await;
    proxy.set(Link::BlackHole).await;
    for _ in 0..3 {
        hasty.claim(call("other"), LONG).await.unwrap_err();
    }
    let error = hasty.claim(call("other"), LONG).await.unwrap_err();
    assert!(error.message().contains("circuit open"), "{error}");
    proxy.set(Link::Up).await;
    assert!(calls.answer(answer(&case.call, "ada")).await.unwrap());
}
