//! The cache on Redis.
//!
//! ```no_run
//! use graceful::{Orchestrator, backends::redis};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = redis::Cache::connect("redis://:secret@cache.internal:6379/0").await?;
//! let orchestrator = Orchestrator::builder().service("users").cache(cache).build()?;
//! # Ok(())
//! # }
//! ```

mod cache;
mod connection;
mod stored;
#[cfg(feature = "redis-tls")]
mod tls;

pub use self::cache::Cache;
