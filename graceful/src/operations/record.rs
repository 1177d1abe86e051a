//! The audit records of operations and pauses.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Operator, operations, store};
use crate::{
    backends::{Action, AuditLog, Operation, Operations, PauseTarget},
    code::Code,
    flow::{CallOutcome, Declaration, Declared, Flow, Origin, Payload, Tags},
    pipeline::Orchestrator,
    step::StepError,
    text::Text,
};

/// The pattern of the entity to which the audit records of operators belong.
///
/// ```
/// use graceful::{Orchestrator, operations::{ENTITY, OPERATIONS}};
/// let entity = Orchestrator::in_memory().key(OPERATIONS, ENTITY);
/// # let _ = entity;
/// ```
pub const OPERATIONS: &str = "graceful_operation";

/// The id of that entity. All these records have one, so they are found by its index.
pub const ENTITY: &str = "flows";

/// How many of the flows of an operation are named in its record.
const FLOWS: usize = 100;

/// Pauses relays, a handler or a subscriber, in all processes of the store. Returns false if the target was paused already.
///
/// # Errors
/// Fails if the orchestrator has no store, if the store has no operations or fails, or if the audit record could not be appended; in the last case
/// the target is paused.
pub async fn pause<'a>(
    orchestrator: &Orchestrator,
    target: PauseTarget,
    operator: impl Into<Operator<'a>>,
    reason: &str,
) -> Result<bool, StepError> {
    let operator = operator.into();
    let is_new = operations(store(orchestrator)?)?.pause(target.clone(), operator.name, reason).await?;
    if is_new {
        let details = json!({ "reason": reason });
        Recorder::of(orchestrator)
            .act("pause", &format!("paused {target}: {reason}"), operator, details)
            .await?;
    }
    Ok(is_new)
}

/// Ends a pause. Returns false if the target was not paused.
///
/// # Errors
/// As [`pause`]: if the audit record could not be appended, the pause has ended.
pub async fn resume<'a>(
    orchestrator: &Orchestrator,
    target: PauseTarget,
    operator: impl Into<Operator<'a>>,
) -> Result<bool, StepError> {
    let operator = operator.into();
    let was_paused = operations(store(orchestrator)?)?.resume(target.clone()).await?;
    if was_paused {
        Recorder::of(orchestrator).act("resume", &format!("resumed {target}"), operator, json!({})).await?;
    }
    Ok(was_paused)
}

/// Appends audit records, if there is an audit log.
#[derive(Clone)]
pub(super) struct Recorder {
    log: Option<Arc<dyn AuditLog>>,
    origin: Arc<Origin>,
}

impl Recorder {
    pub(super) fn of(orchestrator: &Orchestrator) -> Self {
        Self { log: orchestrator.audit().cloned(), origin: Arc::clone(orchestrator.origin()) }
    }

    /// Appends the record of an operation that ends. Its id is that of the operation, so it is appended once.
    pub(super) async fn operation(
        &self,
        operation: &Operation,
        operations: &dyn Operations,
    ) -> Result<(), StepError> {
        if self.log.is_none() || operation.selected == 0 {
            return Ok(());
        }
        let first = operations.items(operation.id, None, None, FLOWS).await?;
        let flows: Vec<_> = first.items.iter().map(|item| item.flow.to_string()).collect();
        let message = format!("{operation}: {}", operation.selection);
        let mut details = json!({
            "operation": operation.id.to_string(),
            "selection": operation.selection,
            "state": operation.state.as_str(),
            "selected": operation.selected,
            "flows": flows,
            "done": operation.changed(),
            "failed": operation.failed,
            "waiting": operation.waiting,
            "skipped": operation.skipped,
            "left": operation.left(),
            "verified": operation.verified,
            "cancelled_by": operation.cancelled_by,
        });
        if operation.cancelled_by.is_some() {
            details["cancelled_by_verified"] = operation.cancelled_by_verified.into();
        }
        if let Action::Postpone(time) = operation.action {
            details["by_seconds"] = time.as_secs_f64().into();
        }
        let operator = Operator { name: &operation.operator, verified: operation.verified };
        self.append(Some(operation.id), operation.action.as_str(), &message, operator, &details).await
    }

    /// Appends the record of an act.
    pub(super) async fn act(
        &self,
        what: &'static str,
        message: &str,
        operator: Operator<'_>,
        details: Value,
    ) -> Result<(), StepError> {
        self.append(None, what, message, operator, &details).await
    }

    async fn append(
        &self,
        id: Option<Uuid>,
        what: &'static str,
        message: &str,
        operator: Operator<'_>,
        details: &Value,
    ) -> Result<(), StepError> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut tags = vec![Text::new_static("operator")];
        tags.extend((!operator.verified).then(|| Text::new_static("unverified")));
        let mut declaration = Declaration {
            handler: what.into(),
            pattern: OPERATIONS.into(),
            tags: Tags::Owned(tags.into()),
            ..Declaration::default()
        };
        declaration.options.audit_payload = true;
        let mut flow = Flow::begin(Declared::Owned(declaration.into()), Arc::clone(&self.origin));
        (flow.code, flow.message) = (Code::Ok, message.into());
        flow.values.id = Some(ENTITY.into());
        flow.values.named_at_entry = true;
        flow.values.actor = Some(operator.name.into());
        flow.values.payload = Payload::of(details).map_err(StepError::caused_by)?;
        flow.end(CallOutcome::Ok);
        if let Some(id) = id {
            flow.id = id;
        }
        let unaudited =
            |error: StepError| StepError::new(format_args!("not in the audit log: {}", error.message()));
        log.append(&Arc::new(flow)).await.map_err(unaudited)
    }
}
