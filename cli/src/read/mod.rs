//! The subcommands that only read.

mod flows;
mod stores;

use std::sync::Arc;

use graceful::{
    Key, Orchestrator,
    backends::{AuditLog, FlowStore},
};

pub(crate) use self::{
    flows::{CAP, flows, groups, lag, sentence, show},
    stores::{jobs, open_alerts, operations, resolved_alerts, verify},
};
use crate::exit::Problem;

/// The pattern of the entity to which the audit records of actions belong.
pub(crate) const OPERATIONS: &str = "graceful_operation";

/// The id of that entity: all actions have one, so that they are found by its index.
pub(crate) const ON_FLOWS: &str = "flows";

pub(crate) fn store(orchestrator: &Orchestrator) -> Result<&Arc<dyn FlowStore>, Problem> {
    let missing = "the orchestrator has no store of durable flows: set one by `OrchestratorBuilder::store`";
    orchestrator.flows().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn audit(orchestrator: &Orchestrator) -> Result<&Arc<dyn AuditLog>, Problem> {
    let missing = "the orchestrator has no audit log: set one by `OrchestratorBuilder::audit`";
    orchestrator.audit().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn operations_key(orchestrator: &Orchestrator) -> Key {
    orchestrator.key(OPERATIONS, ON_FLOWS)
}
