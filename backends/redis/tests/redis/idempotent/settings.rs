//! `GRACEFUL_IDEMPOTENCY`.

use graceful::Orchestrator;
use graceful_redis::{BACKEND, IDEMPOTENCY};

use super::*;

#[test(requires("redis-server"))]
async fn setting_connects_the_store() {
    let server = Server::redis(&FIT).await;
    let settings = [("GRACEFUL_IDEMPOTENCY", url(server.address()))];
    let builder = Orchestrator::builder().settings(&[BACKEND, IDEMPOTENCY], settings).await.unwrap();
    let orchestrator = builder.build().unwrap();
    let store = orchestrator.idempotency().unwrap();
    assert_eq!(store.claim(call("a"), LONG).await.unwrap(), Claimed::New);
    assert!(orchestrator.cache().is_none());
}

#[test(requires("redis-server"))]
async fn setting_of_an_unfit_server_is_an_error_unless_its_losses_are_allowed() {
    let server = Server::redis(&[]).await;
    let settings = |options| [("GRACEFUL_IDEMPOTENCY", format!("{}{options}", url(server.address())))];
    let connect = |options| Orchestrator::builder().settings(&[IDEMPOTENCY], settings(options));
    let error = connect("").await.unwrap_err().to_string();
    assert!(error.starts_with("GRACEFUL_IDEMPOTENCY: Redis at ") && error.contains("may forget"), "{error}");
    let error = connect("?allow_loss=s3cret").await.unwrap_err().to_string();
    assert!(error.contains("expected `allow_loss=true|false`") && !error.contains("s3cret"), "{error}");
    assert!(connect("?allow_loss=true").await.unwrap().build().unwrap().idempotency().is_some());
}

#[test]
async fn backend_that_was_not_passed_is_named() {
    let settings = [("GRACEFUL_IDEMPOTENCY", "redis://:s3cret@a")];
    let error = Orchestrator::builder().settings(&[BACKEND], settings).await.unwrap_err().to_string();
    assert!(error.contains("add `graceful_redis::IDEMPOTENCY` to the list"), "{error}");
}
