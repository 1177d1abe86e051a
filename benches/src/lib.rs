//! What `graceful` costs per call, beside the same work written by hand: `cargo bench -p graceful-benches`.
#![allow(clippy::unused_async, reason = "handlers are")]
#![allow(
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "not published"
)]

pub mod annotated;
pub mod by_hand;
pub mod counting;
pub mod entity;
pub mod load;
pub mod nine;
pub mod reads;
pub mod scenario;
pub mod tight;
pub mod user;
pub mod wire;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// The number of audit records that each service retains. It is small, so that the log is full before the measurement starts.
pub const RETAINED: usize = 1000;

/// The maximum age of a last good value that replaces an error.
pub const STALE_AFTER: std::time::Duration = std::time::Duration::from_millis(1);
