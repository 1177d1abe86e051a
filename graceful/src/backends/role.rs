//! What a process may do with its stores.

use std::sync::atomic::{AtomicU8, Ordering};

/// What this process may do with its stores: serve, or only look at them and act for an operator.
///
/// The crate `graceful-cli` sets it, so that a command that reads a production store starts nothing in it. It holds for the whole process, not for
/// a scope, because a program may connect its backends in tasks of their own.
///
/// ```standalone_crate
/// use graceful::{Orchestrator, backends::{ProcessRole, memory}};
///
/// assert_eq!(ProcessRole::current(), ProcessRole::Service);
/// ProcessRole::Operator.set();
/// // It starts no relay, so it needs no runtime.
/// let orchestrator = Orchestrator::builder().flows(memory::Flows::new()).build()?;
/// assert!(!ProcessRole::current().runs_work());
/// # Ok::<(), graceful::error::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessRole {
    /// The process serves: `build()` starts relay and reviewer, subscribers read, receivers of alerts are kept up to date, and stores may
    /// create missing tables. This is the default.
    Service,
    /// The process reads stores and acts on flows for an operator. It starts nothing, and changes no schema.
    Operator,
    /// The process creates missing tables and migrates older ones, when a store is opened. It starts nothing.
    Migration,
}

static ROLE: AtomicU8 = AtomicU8::new(ProcessRole::Service as u8);

impl ProcessRole {
    /// Sets the role of the process. It affects the orchestrators that are built and the stores that are opened from now on.
    pub fn set(self) {
        ROLE.store(self as u8, Ordering::Release);
    }

    /// Returns the role of the process.
    pub fn current() -> Self {
        let role = ROLE.load(Ordering::Acquire);
        [Self::Operator, Self::Migration]
            .into_iter()
            .find(|known| *known as u8 == role)
            .unwrap_or(Self::Service)
    }

    /// Whether relays, reviewers and subscribers run, and open alerts are sent again.
    ///
    /// ```
    /// use graceful::backends::ProcessRole;
    /// assert!(ProcessRole::Service.runs_work() && !ProcessRole::Migration.runs_work());
    /// ```
    pub const fn runs_work(self) -> bool {
        matches!(self, Self::Service)
    }

    /// Whether a backend that is opened may create files, tables and streams, and migrate older tables.
    ///
    /// ```
    /// use graceful::backends::ProcessRole;
    /// assert!(ProcessRole::Migration.changes_schema() && !ProcessRole::Operator.changes_schema());
    /// ```
    pub const fn changes_schema(self) -> bool {
        matches!(self, Self::Service | Self::Migration)
    }
}
