//! The handlers with the attribute, and the bare handlers with which they are compared.

use graceful::{
    Orchestrator, OrchestratorBuilder,
    backends::{EventEmitter, memory},
    orchestrate,
};

use crate::{
    RETAINED,
    entity::{Account, Entity as _},
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

/// The orchestrator's backends decide which steps run.
#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
pub async fn cached(user: User) -> Result<User, UserError> {
    store(user)
}

#[orchestrate(pattern = "number", cache = value, event = "user_updated")]
pub async fn number(value: u64) -> Result<u64, UserError> {
    value.store()
}

#[orchestrate(pattern = "account", cache = account.id, event = "user_updated")]
pub async fn account(account: Account) -> Result<Account, UserError> {
    account.store()
}

/// Awaits, as real handlers do. The future holds twice what such a handler holds across an await, annotated or not.
pub async fn bare_that_awaits(user: User) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    store(user)
}

#[orchestrate(pattern = "user", cache = user.id, event = "user_updated")]
pub async fn cached_that_awaits(user: User) -> Result<User, UserError> {
    tokio::task::yield_now().await;
    store(user)
}

/// The last good value expires soon, so that an `Err` can be measured that is not recovered.
#[orchestrate(
    pattern = "user",
    cache = user.id,
    event = "user_updated",
    fallback(last_good, max_age = "1ms")
)]
pub async fn nine(user: User) -> Result<User, UserError> {
    store(user)
}

/// The handler declares `last_good`, so `install` requires a cache in each scenario.
pub fn with_cache_and(events: impl EventEmitter) -> OrchestratorBuilder {
    Orchestrator::builder().service("users").cache(memory::Cache::new()).events(events)
}

pub fn with_audit_and_alerts(builder: OrchestratorBuilder) -> OrchestratorBuilder {
    builder.audit(memory::AuditLog::with_capacity(RETAINED)).alerts(memory::Alerts::new())
}

/// The steps of the success arm of the Go package.
pub fn with_the_steps_of_the_go_package(builder: OrchestratorBuilder) -> OrchestratorBuilder {
    builder
        .metadata(memory::MetadataStore::new())
        .graph(memory::Graph::new())
        .scheduler(memory::Scheduler::new())
        .nexus(memory::Nexus::new())
}
