//! What was done.

use std::{fmt::Debug, sync::Arc};

use crate::{Flow, Key, backends::Reply};

/// What was done, by whom, to what, and how it ended.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Flow, Key, OrchestrationConfig, Orchestrator, Success,
///     backends::{AuditLog, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes records to the standard output, and reads none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl AuditLog for Print {
///     fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
///         println!("{} {} {}", flow.timestamp(), flow.entity(), flow.code());
///         Reply::ready(())
///     }
///
///     fn records(&self, _: Option<&Key>, _: usize) -> Reply<Vec<Arc<Flow>>> {
///         Reply::ready(Vec::new())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").audit(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends a record: the flow itself.
    fn append(&self, flow: &Arc<Flow>) -> Reply<()>;
    /// The newest records of an entity, or of all, at most `limit`, newest first.
    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<Arc<Flow>>>;
}
