//! Backends that the configuration can choose by a URL.

use std::fmt;

use super::OrchestratorBuilder;
use crate::backends::{BoxFuture, client::ConnectError};

/// The change of the builder that installs a connected backend.
pub type BuilderChange = Box<dyn FnOnce(OrchestratorBuilder) -> OrchestratorBuilder + Send>;

/// A backend that [`Orchestrator::from_env`](crate::Orchestrator::from_env) can choose by the URL of a variable.
///
/// Each backend crate has such a constant, e.g. `graceful_redis::BACKEND`. Your own backend can have one too:
///
/// ```
/// use graceful::{Backend, Orchestrator, OrchestratorBuilder, backends::memory};
///
/// const LOCAL: Backend = Backend::new("local", "GRACEFUL_CACHE", &["local"], |_url| {
///     Box::pin(async { Ok(Box::new(|builder: OrchestratorBuilder| builder.cache(memory::Cache::new())) as _) })
/// });
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let builder = Orchestrator::builder().settings(&[LOCAL], [("GRACEFUL_CACHE", "local://")]).await?;
/// assert!(builder.build()?.cache().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy)]
pub struct Backend {
    pub(super) name: &'static str,
    pub(super) variable: &'static str,
    pub(super) schemes: &'static [&'static str],
    pub(super) connect: fn(String) -> BoxFuture<Result<BuilderChange, ConnectError>>,
}

impl Backend {
    /// Creates a backend with a `name` for messages, chosen by a URL with one of these schemes in `variable`. `connect` gets the URL, and
    /// returns the change of the builder.
    pub const fn new(
        name: &'static str,
        variable: &'static str,
        schemes: &'static [&'static str],
        connect: fn(String) -> BoxFuture<Result<BuilderChange, ConnectError>>,
    ) -> Self {
        Self { name, variable, schemes, connect }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("name", &self.name)
            .field("variable", &self.variable)
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}
