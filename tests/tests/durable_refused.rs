//! A durable handler needs a durable store: every orchestrator of a program that has one refuses to be built without.
#![allow(missing_docs, reason = "tests")]

use std::panic::catch_unwind;

use graceful::{Code, Orchestrator, orchestrate};

const LINE: u32 = line!() + 2;

#[orchestrate(pattern = "user", id = 42, delivery = "durable")]
async fn store_user(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(1), Err)
}

fn expected() -> String {
    let file = file!();
    format!("`store_user` at {file}:{LINE}: its delivery is durable, and there is no durable store")
}

#[test]
fn build_refuses_and_says_where() {
    for builder in [Orchestrator::builder(), Orchestrator::builder().in_memory()] {
        assert_eq!(builder.build().unwrap_err().to_string(), expected());
    }
}

#[test]
fn in_memory_panics_and_says_where() {
    let payload = catch_unwind(Orchestrator::in_memory).unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), expected());
}

/// Without an orchestrator it is the plain handler all the same.
#[tokio::test]
async fn the_handler_itself_works() {
    assert_eq!(store_user(None).await, Ok(1));
    assert_eq!(store_user(Some(Code::Internal)).await, Err(Code::Internal));
}
