//! `graceful-redis` is a crate with the cache of `graceful` on Redis, [`Cache`], and the store of its idempotent calls, [`IdempotentCalls`].
//!
//! ```no_run
//! use graceful::Orchestrator;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = graceful_redis::Cache::connect("redis://:secret@cache.internal:6379/0").await?;
//! let orchestrator = Orchestrator::builder().service("users").cache(cache).build()?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod command;
mod connection;
mod durability;
mod idempotent;
mod process;
mod read_through;
mod stored;
#[cfg(feature = "tls")]
mod tls;

use graceful::{Backend, OrchestratorBuilder};

pub use self::{cache::Cache, idempotent::IdempotentCalls};

/// `GRACEFUL_CACHE=redis://…`: the cache on Redis; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
///
/// With the feature `tls` also `rediss://…`.
pub const BACKEND: Backend = Backend::new("graceful-redis", "GRACEFUL_CACHE", SCHEMES, |url| {
    Box::pin(async move {
        let cache = Cache::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.cache(cache)) as _)
    })
});

/// `GRACEFUL_IDEMPOTENCY=redis://…`: the store of idempotent calls on Redis; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
///
/// With the feature `tls` also `rediss://…`.
pub const IDEMPOTENCY: Backend = Backend::new("graceful-redis", "GRACEFUL_IDEMPOTENCY", SCHEMES, |url| {
    Box::pin(async move {
        let calls = IdempotentCalls::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.idempotency(calls)) as _)
    })
});

#[cfg(feature = "tls")]
const SCHEMES: &[&str] = &["redis", "redis+unix", "rediss"];
#[cfg(not(feature = "tls"))]
const SCHEMES: &[&str] = &["redis", "redis+unix"];
