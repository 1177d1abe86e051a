//! The audit record of an action.

use std::time::Duration;

use graceful::{Code, OrchestrationConfig, Orchestrator, Step, Success, backends::Uuid};
use serde_json::{Value, json};

use super::{Action, bulk::Tally, selection::Targeted};
use crate::{
    operator::Operator,
    read::{ON_FLOWS, OPERATIONS},
};

/// How many ids a record contains.
const IDS: usize = 100;

const PATIENCE: Duration = Duration::from_secs(30);

/// Appends one record to the audit log, by a flow of its own with all other steps off.
///
/// # Errors
/// Says why there is no record.
pub(super) async fn append(
    orchestrator: &Orchestrator,
    action: Action,
    targeted: &Targeted,
    operator: &Operator,
    tally: &Tally,
) -> Result<(), String> {
    if orchestrator.audit().is_none() {
        return Ok(());
    }
    let message = format!("{}: {}", tally.sentence(action), targeted.described());
    let mut config = OrchestrationConfig::new(OPERATIONS)
        .id(ON_FLOWS)
        .handler(action.as_str())
        .actor(&operator.name)
        .tags(["operator", "unverified"])
        .payload(&details(action, targeted, operator, tally))
        .audit_payload()
        .timeout(Step::Audit, PATIENCE)
        .on(orchestrator);
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Audit) {
        config = config.off(step);
    }
    let report = Success::wrap(Code::Ok, &message, &()).orchestrate(&config).await;
    report.step(Step::Audit).error().map_or(Ok(()), |error| Err(error.message().to_owned()))
}

fn details(action: Action, targeted: &Targeted, operator: &Operator, tally: &Tally) -> Value {
    let mut details = tally.to_json(action, targeted);
    for list in ["skipped", "failed"] {
        details[list] = details[list].as_array().map_or(0, Vec::len).into();
    }
    if let Targeted::Ids(ids) = targeted {
        details["ids"] = ids.iter().take(IDS).map(Uuid::to_string).collect::<Vec<_>>().into();
    }
    if let Action::Postpone(time) = action {
        details["by_seconds"] = time.as_secs_f64().into();
    }
    details["actor"] = json!({ "name": operator.name, "source": operator.source, "verified": false });
    details
}
