//! The backends by their URLs.

use graceful::{Backend, OrchestratorBuilder};

use super::Store;

/// `GRACEFUL_STORE=postgres://…`: the store; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend =
    Backend::new("graceful-postgres", "GRACEFUL_STORE", &["postgres", "postgresql"], |url| {
        Box::pin(async move {
            // If no table is missing, this needs no rights.
            Store::migrate(&url).await?;
            let store = Store::connect(&url).await?;
            // Receivers of alerts use the store as their alert store.
            Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as _)
        })
    });

/// `GRACEFUL_EVENTS=postgres://…`: the event log of a store, for a service whose `GRACEFUL_STORE` is another one; see
/// [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const EVENTS: Backend =
    Backend::new("graceful-postgres", "GRACEFUL_EVENTS", &["postgres", "postgresql"], |url| {
        Box::pin(async move {
            Store::migrate(&url).await?;
            let store = Store::connect(&url).await?;
            Ok(Box::new(|builder: OrchestratorBuilder| builder.events(store)) as _)
        })
    });
