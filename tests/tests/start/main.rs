//! The check at the start, and the constructors of an orchestrator. This is a program of its own, because its handlers have unmet
//! requirements.
#![allow(missing_docs, reason = "tests")]

mod calls;
mod checks;
mod paused;
mod send;

use graceful::{Code, StepError, orchestrate};

pub mod users {
    use super::*;

    pub const DURABLE: u32 = line!() + 2;

    #[orchestrate(pattern = "user", id = 42, delivery = "durable")]
    pub async fn store_user(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(1), Err)
    }
}

pub mod orders {
    use super::*;

    pub const REQUIRED: u32 = line!() + 2;

    #[orchestrate(pattern = "order", id = 7, audit(required))]
    pub async fn cancel_order() -> Result<u64, StepError> {
        Ok(7)
    }

    pub const LAST_GOOD: u32 = line!() + 2;

    #[orchestrate(pattern = "order", cache = 7, fallback = last_good)]
    pub async fn read_order(error: Option<Code>) -> Result<u64, Code> {
        error.map_or(Ok(7), Err)
    }
}

/// What is wrong with each of these handlers, where there is no backend at all.
fn unmet() -> [String; 3] {
    let at = |line| format!("({}:{line})", file!());
    [
        format!(
            "`store_user` {} is durable, but no durable store is configured: call `.store(…)` on the builder, or set `GRACEFUL_STORE` and \
             use `Orchestrator::from_env`",
            at(users::DURABLE)
        ),
        format!(
            "`cancel_order` {} requires step `audit`, but no audit backend is configured",
            at(orders::REQUIRED)
        ),
        format!(
            "`read_order` {} requires step `fallback`, but no cache backend is configured",
            at(orders::LAST_GOOD)
        ),
    ]
}
