//! How to use `graceful` in a service: one page per subject, in reading order.
//!
//! | page | what it explains |
//! |---|---|
//! | [`getting_started`] | how to turn a function into a service, in six small steps |
//! | [`steps`] | what each step does, and when it runs |
//! | [`overriding_steps`] | how to change a step for a handler, a block, or all handlers |
//! | [`errors_and_codes`] | what an error's code means, and how the steps react to it |
//! | [`alerts_and_reviews`] | how a failure opens an alert and a review job, and what closes them |
//! | [`choosing_a_delivery`] | when the response is returned, and what a crash can lose |
//! | [`caching`] | how to read through the cache: keys, dependencies, what is guaranteed, and the limits |
//! | [`idempotent`] | how to let clients repeat a call: keys, what is guaranteed with and without `tx`, and the header |
//! | [`events`] | how to call a handler with the events of this and other services, in order per entity, and what happens to an event that fails |
//! | [`contract`] | how to publish the events of a service, and to notice a change that breaks their readers |
//! | [`services`] | how to use axum, tonic, actix-web and a database |
//! | [`testing`] | how to test the steps of a handler, subscribers, and the contract |
//! | [`telemetry`] | spans, metrics and OpenTelemetry |
//! | [`going_distributed`] | how to run several processes with Redis, NATS and PostgreSQL |
//! | [`operating`] | how to look at durable flows and subscribers, and act on them, by the command line |
//! | [`security`] | which data leaves the process, and how it is protected |
//! | [`beside_other_crates`] | how `graceful` relates to `#[instrument]`, tower layers and others, and its cache to other caches |
//! | [`from_the_go_package`] | a comparison for users of `StandardOrchestrate` |

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("steps.md")]
pub mod steps {}

#[doc = include_str!("overriding.md")]
pub mod overriding_steps {}

#[doc = include_str!("errors.md")]
pub mod errors_and_codes {}

#[doc = include_str!("alerts.md")]
pub mod alerts_and_reviews {}

#[doc = include_str!("delivery.md")]
pub mod choosing_a_delivery {}

#[doc = include_str!("caching.md")]
pub mod caching {}

#[doc = include_str!("idempotent.md")]
pub mod idempotent {}

#[doc = include_str!("events.md")]
pub mod events {}

#[doc = include_str!("contract.md")]
pub mod contract {}

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("telemetry.md")]
pub mod telemetry {}

#[doc = include_str!("distributed.md")]
pub mod going_distributed {}

#[doc = include_str!("operating.md")]
pub mod operating {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("beside.md")]
pub mod beside_other_crates {}

#[doc = include_str!("from_go.md")]
pub mod from_the_go_package {}
