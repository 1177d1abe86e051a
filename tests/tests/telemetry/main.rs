//! What graceful tells of itself, to real exporters in memory.
#![allow(missing_docs, reason = "tests")]

mod events;
mod measures;
mod spans;

use graceful::{Code, orchestrate};
use graceful_tests::{
    User, UserError,
    telemetry::{Telemetry, parent},
};

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
async fn update(user: User, error: Option<UserError>) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    error.map_or(Ok(user), Err)
}

#[orchestrate(pattern = "user", id = 42, event = "user_seen")]
fn seen(error: Option<Code>) -> Result<u64, Code> {
    error.map_or(Ok(42), Err)
}
