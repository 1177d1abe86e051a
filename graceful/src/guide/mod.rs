//! How to use graceful in a service, a page for each subject, in the order in which to read them.
//!
//! | page | what it answers |
//! |---|---|
//! | [`getting_started`] | from a function to a service, in six small steps |
//! | [`steps`] | when each step runs, and what it does |
//! | [`overriding_steps`] | how one step does something else, for a handler, a block, or all |
//! | [`errors_and_codes`] | what an error means, and what follows from that |
//! | [`choosing_a_delivery`] | when the answer may leave, and what may be lost |
//! | [`services`] | who calls, in axum, tonic and actix-web |
//! | [`testing`] | how to test what follows |
//! | [`telemetry`] | what it tells of itself: spans, measures, OpenTelemetry |
//! | [`going_distributed`] | what becomes of all that on several machines |
//! | [`security`] | what leaves the process, and what cannot |
//! | [`beside_other_crates`] | what to use for what, beside `#[instrument]`, `cached` and tower layers |
//! | [`from_the_go_package`] | for those who know `StandardOrchestrate`, field by field |

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("steps.md")]
pub mod steps {}

#[doc = include_str!("overriding.md")]
pub mod overriding_steps {}

#[doc = include_str!("errors.md")]
pub mod errors_and_codes {}

#[doc = include_str!("delivery.md")]
pub mod choosing_a_delivery {}

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("telemetry.md")]
pub mod telemetry {}

#[doc = include_str!("distributed.md")]
pub mod going_distributed {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("beside.md")]
pub mod beside_other_crates {}

#[doc = include_str!("from_go.md")]
pub mod from_the_go_package {}
