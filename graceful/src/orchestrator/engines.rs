//! What a URL of the configuration leads to: a constant per engine, whose feature may not be compiled in.

#[cfg(feature = "sqlite")]
use std::error::Error as _;

use super::OrchestratorBuilder;
use crate::backends::{BoxFuture, ConnectError};

/// What the URL of a scheme leads to.
pub(super) struct Engine {
    pub(super) schemes: &'static [&'static str],
    pub(super) feature: &'static str,
    /// `None` where the feature is not compiled in.
    pub(super) connect: Option<Connect>,
}

/// From a URL to what it changes in the builder.
pub(super) type Connect = fn(String) -> Connecting;

pub(super) type Connecting = BoxFuture<Result<Change, ConnectError>>;

pub(super) type Change = Box<dyn FnOnce(OrchestratorBuilder) -> OrchestratorBuilder + Send>;

pub(super) const REDIS_CACHE: Engine = Engine {
    schemes: &["redis", "redis+unix"],
    feature: "redis",
    #[cfg(feature = "redis")]
    connect: Some(redis_cache),
    #[cfg(not(feature = "redis"))]
    connect: None,
};

pub(super) const REDIS_CACHE_ENCRYPTED: Engine = Engine {
    schemes: &["rediss"],
    feature: "redis-tls",
    #[cfg(feature = "redis-tls")]
    connect: Some(redis_cache),
    #[cfg(not(feature = "redis-tls"))]
    connect: None,
};

#[cfg(feature = "redis")]
fn redis_cache(url: String) -> Connecting {
    Box::pin(async move {
        let cache = crate::backends::redis::Cache::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.cache(cache)) as Change)
    })
}

pub(super) const NATS_EVENTS: Engine = Engine {
    schemes: &["nats", "tls"],
    feature: "nats",
    #[cfg(feature = "nats")]
    connect: Some(nats_events),
    #[cfg(not(feature = "nats"))]
    connect: None,
};

#[cfg(feature = "nats")]
fn nats_events(url: String) -> Connecting {
    Box::pin(async move {
        let events = crate::backends::nats::Events::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.events(events)) as Change)
    })
}

pub(super) const SQLITE_STORE: Engine = Engine {
    schemes: &["sqlite"],
    feature: "sqlite",
    #[cfg(feature = "sqlite")]
    connect: Some(sqlite_store),
    #[cfg(not(feature = "sqlite"))]
    connect: None,
};

#[cfg(feature = "sqlite")]
fn sqlite_store(url: String) -> Connecting {
    Box::pin(async move {
        let opened = crate::backends::sqlite::Store::open(url).await;
        // The path is a part of the URL.
        let store = opened.map_err(|error| {
            let why = error.source().map_or_else(String::new, ToString::to_string);
            ConnectError::new(format!("the store cannot be opened: {why}"))
        })?;
        // Its alerts are the book of whoever is told of them.
        Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as Change)
    })
}

pub(super) const POSTGRES_STORE: Engine = Engine {
    schemes: &["postgres", "postgresql"],
    feature: "postgres",
    #[cfg(feature = "postgres")]
    connect: Some(postgres_store),
    #[cfg(not(feature = "postgres"))]
    connect: None,
};

#[cfg(feature = "postgres")]
fn postgres_store(url: String) -> Connecting {
    Box::pin(async move {
        // Where its role may not, and need not, this changes nothing.
        crate::backends::postgres::Store::migrate(&url).await?;
        let store = crate::backends::postgres::Store::connect(&url).await?;
        // Its alerts are the book of whoever is told of them.
        Ok(Box::new(|builder: OrchestratorBuilder| builder.alerts(store.clone()).store(store)) as Change)
    })
}

pub(super) const SPARQL_GRAPH: Engine = Engine {
    schemes: &["http", "https"],
    feature: "sparql",
    #[cfg(feature = "sparql")]
    connect: Some(sparql_graph),
    #[cfg(not(feature = "sparql"))]
    connect: None,
};

#[cfg(feature = "sparql")]
fn sparql_graph(url: String) -> Connecting {
    Box::pin(async move {
        let graph = crate::backends::sparql::Graph::of_url(&url);
        let graph = graph.map_err(|error| ConnectError::new(error.message()))?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.graph(graph)) as Change)
    })
}

pub(super) const ALERTMANAGER: Engine = Engine {
    schemes: &["http", "https"],
    feature: "alertmanager",
    #[cfg(feature = "alertmanager")]
    connect: Some(alertmanager),
    #[cfg(not(feature = "alertmanager"))]
    connect: None,
};

#[cfg(feature = "alertmanager")]
fn alertmanager(url: String) -> Connecting {
    Box::pin(async move {
        let told = crate::backends::alertmanager::Alertmanager::builder(url).checked();
        let told = told.map_err(|error| ConnectError::new(error.message()))?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.told(|book| told.over(book))) as Change)
    })
}

pub(super) const WEBHOOK: Engine = Engine {
    schemes: &["webhook+http", "webhook+https"],
    feature: "webhook",
    #[cfg(feature = "webhook")]
    connect: Some(webhook),
    #[cfg(not(feature = "webhook"))]
    connect: None,
};

#[cfg(feature = "webhook")]
fn webhook(url: String) -> Connecting {
    Box::pin(async move {
        // What follows the `#` is never sent.
        let (url, secret) = url.split_once('#').unwrap_or((&url, ""));
        let url = url.trim_start_matches("webhook+");
        let told = crate::backends::webhook::Webhook::builder(url, secret).checked();
        let told = told.map_err(|error| ConnectError::new(error.message()))?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.told(|book| told.over(book))) as Change)
    })
}
