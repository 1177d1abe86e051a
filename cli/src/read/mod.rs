//! The subcommands that only read.

mod flows;
mod operations;
mod stores;

use std::sync::Arc;

use graceful::{
    Key, Orchestrator,
    backends::{AuditLog, FlowStore, Operations},
};

pub(crate) use self::{
    flows::{CAP, flows, groups, lag, lines, sentence, show},
    operations::{list_operations, operation, show_operation},
    stores::{alerts, jobs, recorded_operations, verify},
};
use crate::exit::Problem;

pub(crate) fn store(orchestrator: &Orchestrator) -> Result<&Arc<dyn FlowStore>, Problem> {
    let missing = "the orchestrator has no store of durable flows: set one by `OrchestratorBuilder::store`";
    orchestrator.flows().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn audit(orchestrator: &Orchestrator) -> Result<&Arc<dyn AuditLog>, Problem> {
    let missing = "the orchestrator has no audit log: set one by `OrchestratorBuilder::audit`";
    orchestrator.audit().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn operations(orchestrator: &Orchestrator) -> Result<&dyn Operations, Problem> {
    let missing = "the store has no operations on many flows, and no pauses";
    store(orchestrator)?.operations().ok_or_else(|| Problem::refused(missing))
}

/// The entity to which the audit records of operators belong.
pub(crate) fn operations_key(orchestrator: &Orchestrator) -> Key {
    orchestrator.key(graceful::operations::OPERATIONS, "flows")
}
