//! The conformance suites: tests for the rules of each backend trait, also for your own backends.
//!
//! Each suite takes a function that creates an empty backend, and panics if the backend violates a rule of its trait.
//!
//! ```
//! use graceful::backends::memory;
//! use graceful_testing::conformance;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
//! conformance::cache(async || memory::Cache::new()).await;
//! conformance::flow_store(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::followers(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::operations(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::live_relays(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::metadata_store(async || memory::MetadataStore::new()).await;
//! conformance::scheduler(async || memory::Scheduler::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::nexus(async || memory::Nexus::new()).await;
//! conformance::audit_log(async || memory::AuditLog::new()).await;
//! conformance::alerter(async || memory::Alerts::new()).await;
//! conformance::inbox(async || memory::Inbox::new()).await;
//! conformance::event_log(async || memory::EventLog::new()).await;
//! let fresh = async || memory::IdempotentCalls::new();
//! conformance::idempotency(fresh, async |_, time| tokio::time::advance(time).await).await;
//! conformance::subscriptions(async || memory::Subscriptions::new(), async |_, time| tokio::time::advance(time).await).await;
//! # });
//! ```

mod actions;
mod alerter;
mod answered_flows;
mod audit;
mod audit_queries;
mod cache;
mod event_log;
mod event_source;
mod flows;
mod followers;
mod idempotency;
mod inbox;
mod incident_filters;
mod lanes;
mod live_relays;
mod long_names;
mod metadata;
mod nexus;
mod operations;
mod pauses;
mod queries;
mod read_through;
mod scheduler;
mod subscriptions;

use std::sync::Arc;

use graceful::{__private010::Sample, Code, Flow};
use jiff::Timestamp;

pub use self::{
    alerter::alerter,
    audit::audit_log,
    cache::cache,
    event_log::{event_log, event_log_retention},
    event_source::event_source,
    flows::flow_store,
    followers::followers,
    idempotency::idempotency,
    inbox::inbox,
    live_relays::live_relays,
    metadata::metadata_store,
    nexus::nexus,
    operations::operations,
    read_through::read_through,
    scheduler::scheduler,
    subscriptions::subscriptions,
};

/// A flow of a user that ended at that second, with `Ok` or with an error of that code.
fn flow(id: &str, code: Code, second: i64) -> Arc<Flow> {
    Sample::new(id, code, second).flow()
}

/// A call that names no entity, with the correlation id that its client gave.
fn call(correlation: &str, second: i64) -> Arc<Flow> {
    Sample::new("", Code::Ok, second).without_entity(correlation).flow()
}

fn at(second: i64) -> Timestamp {
    Timestamp::constant(second, 0)
}
