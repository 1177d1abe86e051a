//! How to use graceful in a service, a page for each subject.

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("telemetry.md")]
pub mod telemetry {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("beside.md")]
pub mod beside_other_crates {}
