//! Operations of operators on many durable flows: prepared with an exact list, then run under a lease, and recorded in the audit log.
//!
//! The crate `graceful-cli` has them as subcommands. A process that runs an operation can die at any time: when its lease expires, the relay of any
//! process goes on with the operation, and so does [`run`] in any process.
//!
//! ```
//! use graceful::{
//!     Orchestrator,
//!     backends::{Action, FlowFilter, FlowState, OperationState, memory},
//!     operations::{self, Selection},
//! };
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let store = memory::Flows::new();
//! let orchestrator = Orchestrator::builder().in_memory().flows(store).build().unwrap();
//! let selection = Selection::Filter(FlowFilter::from(FlowState::Dead));
//! let prepared = operations::prepare(&orchestrator, Action::Resubmit, &selection, "ada").await?;
//! assert_eq!(prepared.operation.selected, 0);
//! let operation = operations::start(&orchestrator, prepared.operation.id).await?;
//! assert_eq!(operation.state, OperationState::Running);
//! let operation = operations::run(&orchestrator, operation.id, |_| ()).await?;
//! assert_eq!(operation.state, OperationState::Completed);
//! # Ok::<(), graceful::StepError>(())
//! # }).unwrap();
//! ```

mod events;
pub mod json;
mod operator;
mod prepare;
mod record;
mod work;

use std::sync::Arc;

use uuid::Uuid;

pub(crate) use self::work::run_abandoned;
pub use self::{
    events::{discard_event, resubmit_event, skip_events, unregister_subscriber},
    operator::Operator,
    prepare::{Prepared, Selection, prepare},
    record::{ENTITY, OPERATIONS, pause, resume},
    work::{cancel, run, start},
};
use crate::{
    backends::{FlowStore, Operations},
    pipeline::Orchestrator,
    step::StepError,
};

fn store(orchestrator: &Orchestrator) -> Result<&Arc<dyn FlowStore>, StepError> {
    let missing = "the orchestrator has no store of durable flows: set one by `OrchestratorBuilder::store`";
    orchestrator.flows().ok_or_else(|| StepError::new(missing))
}

fn operations(store: &Arc<dyn FlowStore>) -> Result<&dyn Operations, StepError> {
    store.operations().ok_or_else(|| StepError::new("the store has no operations"))
}

fn unknown(id: Uuid) -> StepError {
    StepError::new(format_args!("there is no operation {id}"))
}

#[cfg(test)]
mod tests;
