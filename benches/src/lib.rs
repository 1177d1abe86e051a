//! What `graceful` costs per call, beside the same work written by hand: `cargo bench -p graceful-benches`.
#![allow(missing_docs, clippy::unused_async, reason = "not published; handlers are async")]

pub mod annotated;
pub mod by_hand;
pub mod nine;
pub mod scenario;
pub mod tight;
pub mod user;

/// How many audit records each service retains: few, so that the log is full before measuring starts.
pub const RETAINED: usize = 1000;
