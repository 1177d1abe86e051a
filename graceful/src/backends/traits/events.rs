//! The trait of event emitters.

use std::fmt::Debug;

use crate::{backends::Reply, flow::Event};

/// Emits events.
///
/// ```
/// use graceful::{
///     Code, Event, OrchestrationConfig, Orchestrator, Success,
///     backends::{EventEmitter, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes the names of events to the standard output.
/// #[derive(Debug)]
/// struct Print;
///
/// impl EventEmitter for Print {
///     fn emit(&self, event: Event) -> Reply<()> {
///         println!("{} {}", event.id(), event.name());
///         Reply::ready(())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").events(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait EventEmitter: Debug + Send + Sync + 'static {
    /// Emits an event. After a failure the same event may be emitted again, with the same id.
    fn emit(&self, event: Event) -> Reply<()>;
}
