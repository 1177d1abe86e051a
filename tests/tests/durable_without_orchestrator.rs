//! Durable handlers without an orchestrator. This is a program of its own, because an installed orchestrator would be seen by
//! every test.
#![allow(missing_docs, reason = "tests")]

use graceful::{Code, Orchestrator, StepError, orchestrate};
use graceful_tests::Log;
use tracing::Level;

const PAY: u32 = line!() + 2;

#[orchestrate(pattern = "order", id = 42, delivery = "durable")]
async fn pay(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

const REFUND: u32 = line!() + 2;

#[orchestrate(pattern = "order", id = 42, delivery = "durable", on = on)]
fn refund(on: Option<&Orchestrator>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "order", id = 42)]
async fn read() -> Result<u64, Code> {
    Ok(1)
}

#[tokio::test]
async fn durable_handler_without_an_orchestrator_is_logged_once_with_its_place() {
    let (log, _listening) = Log::listen();
    for error in [None, Some(Code::Internal)] {
        assert_eq!(pay(error).await.err(), error);
        refund(None).unwrap();
        read().await.unwrap();
    }
    // There is one, but not for these.
    let orchestrator = Orchestrator::in_memory();
    pay(None).await.unwrap();
    refund(None).unwrap();
    let lines = log.of("graceful::requirements");
    let told: Vec<_> =
        lines.iter().map(|line| (line.level, line.field("handler"), line.field("at"))).collect();
    let at = |line| format!("{}:{line}", file!());
    assert_eq!(told, [(Level::ERROR, "pay", &*at(PAY)), (Level::ERROR, "refund", &*at(REFUND))]);
    assert!(lines[0].field("message").starts_with("a durable handler was called without an orchestrator"));
    drop(orchestrator);
}
