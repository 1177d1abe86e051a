//! The trait of pattern registries.

use std::{fmt::Debug, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{backends::Reply, flow::Flow, key::Key, text::Text};

/// How often a pattern was used; see [`Nexus`].
///
/// ```
/// use graceful::{
///     Code, OrchestrationConfig, Orchestrator, Success,
///     backends::{Nexus, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nexus = memory::Nexus::new();
/// let orchestrator = Orchestrator::builder().service("users").nexus(nexus.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
///
/// let used = nexus.patterns(None, 10).await?.remove(0);
/// assert_eq!((used.pattern.as_str(), used.count), ("user", 1));
/// assert_eq!(used.first_used, used.last_used);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatternUse {
    /// `user` for the success flow, `user.error` for the error flow.
    pub pattern: Text,
    /// How often the pattern was used.
    pub count: u64,
    /// When it was first used.
    pub first_used: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
}

impl PatternUse {
    /// Creates the use of a pattern.
    pub fn new(pattern: impl Into<Text>, count: u64, first_used: Timestamp, last_used: Timestamp) -> Self {
        Self { pattern: pattern.into(), count, first_used, last_used }
    }
}

/// One flow of an entity; see [`Nexus::trace`].
///
/// ```
/// use graceful::{
///     Code, Failure, OrchestrationConfig, Orchestrator,
///     backends::{Nexus, memory},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nexus = memory::Nexus::new();
/// let orchestrator = Orchestrator::builder().service("users").nexus(nexus.clone()).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// let report = Failure::wrap(Code::NotFound, "no such user", &"cause").orchestrate(&config).await;
///
/// let traced = nexus.trace(&report.flow().entity()).await?.remove(0);
/// assert_eq!((traced.pattern.as_str(), traced.flow), ("user.error", report.flow().id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatternTrace {
    /// `user` for the success flow, `user.error` for the error flow.
    pub pattern: Text,
    /// The flow.
    pub flow: Uuid,
    /// When the flow ended.
    pub at: Timestamp,
}

impl PatternTrace {
    /// Creates the trace of a flow.
    pub fn new(pattern: impl Into<Text>, flow: Uuid, at: Timestamp) -> Self {
        Self { pattern: pattern.into(), flow, at }
    }
}

/// Registers which patterns are used, how often, and for which entities.
///
/// ```
/// use std::sync::{
///     Arc,
///     atomic::{AtomicU64, Ordering},
/// };
///
/// use graceful::{
///     Flow, Key,
///     backends::{Nexus, PatternTrace, PatternUse, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// /// Counts all patterns as one.
/// #[derive(Debug, Default)]
/// struct Uses(AtomicU64);
///
/// impl Nexus for Uses {
///     fn register(&self, _: &Arc<Flow>) -> Reply<()> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         Reply::ready(())
///     }
///
///     fn patterns(&self, _: Option<&str>, _: usize) -> Reply<Vec<PatternUse>> {
///         Reply::ready(Vec::new())
///     }
///
///     fn trace(&self, _: &Key) -> Reply<Vec<PatternTrace>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// assert_eq!(Uses::default().patterns(None, 10).await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Nexus: Debug + Send + Sync + 'static {
    /// Counts one use of the flow's [pattern](Flow::registered_pattern).
    fn register(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// Lists up to `limit` used patterns by name: the first ones, or those whose names follow `after`, the last name of the page before.
    fn patterns(&self, after: Option<&str>, limit: usize) -> Reply<Vec<PatternUse>>;
    /// Lists the flows of an entity, oldest first.
    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>>;
}
