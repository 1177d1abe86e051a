//! How to use graceful in a service, a page for each subject.

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("telemetry.md")]
pub mod telemetry {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("beside.md")]
pub mod beside_other_crates {}

#[doc = include_str!("delivery.md")]
pub mod choosing_a_delivery {}

#[doc = include_str!("distributed.md")]
pub mod going_distributed {}

#[doc = include_str!("errors.md")]
pub mod errors_and_codes {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("from_go.md")]
pub mod from_the_go_package {}
