//! The recorder `graceful_testing::Recorder`, used as in a user's tests.
#![allow(missing_docs, reason = "tests")]

mod differences;
mod durable;
mod effects;
mod faults;
mod production;
mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind};

use graceful::{Code, orchestrate};
use graceful_tests::{User, UserError, ada};

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
async fn update(user: User, error: Option<UserError>) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}

#[orchestrate(pattern = "user", cache = id, event = "user_deleted")]
async fn delete(id: u64, error: Option<Code>) -> Result<(), Code> {
    error.map_or(Ok(()), Err)
}

const ADA: &str = r#"{"id":42,"name":"Ada"}"#;

/// The message of the panic of an assertion.
fn panic_of(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
    *panic.downcast::<String>().expect("a message")
}
