//! The handlers with the attribute, and what they are measured against where nothing follows.

use graceful::{Orchestrator, OrchestratorBuilder, backends::memory, orchestrate};

use crate::{
    RETAINED,
    user::{User, UserError, store},
};

pub async fn bare(user: User) -> Result<User, UserError> {
    store(user)
}

#[tracing::instrument(err, skip(user))]
pub async fn instrumented(user: User) -> Result<User, UserError> {
    store(user)
}

#[orchestrate(pattern = "user", id = user.id, event = "user_updated")]
pub async fn event(user: User) -> Result<User, UserError> {
    store(user)
}

/// Which of the steps run is up to the orchestrator's backends.
#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
pub async fn cached(user: User) -> Result<User, UserError> {
    store(user)
}

/// What real handlers do: what they hold across an await, a future holds twice, annotated or not.
pub async fn bare_that_awaits(user: User) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    store(user)
}

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
pub async fn cached_that_awaits(user: User) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    store(user)
}

/// A last good value goes stale soon, so that an `Err` can be had that stays one.
#[orchestrate(
    pattern = "user",
    cache = user.id,
    event = "user_updated",
    fallback(last_good, max_age = "1ms")
)]
pub async fn nine(user: User) -> Result<User, UserError> {
    store(user)
}

/// The handler asks for `last_good`, so `install` wants a cache of each scenario.
pub fn with_cache_and(events: &memory::Events) -> OrchestratorBuilder {
    Orchestrator::builder().service("users").cache(memory::Cache::new()).events(events.clone())
}

pub fn with_audit_and_alerts(builder: OrchestratorBuilder) -> OrchestratorBuilder {
    builder.audit(memory::AuditLog::with_capacity(RETAINED)).alerts(memory::Alerts::new())
}

/// The steps of the success arm of the framework's ancestor in Go.
pub fn with_the_ancestors_steps(builder: OrchestratorBuilder) -> OrchestratorBuilder {
    builder
        .metadata(memory::MetadataStore::new())
        .graph(memory::Graph::new())
        .scheduler(memory::Scheduler::new())
        .nexus(memory::Nexus::new())
}
