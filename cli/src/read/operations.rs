//! Operations on many flows.

use graceful::{
    Orchestrator,
    backends::{ItemState, Operation, OperationItem, OperationState, Uuid, escaped},
    operations::json,
};
use serde_json::{Value, json};

use super::operations;
use crate::{
    exit::{Exit, Problem},
    output::{Cell, Colour, Output, note},
};

/// Adds the flows that were skipped, and those that have failed again.
pub(crate) fn add_items(shown: &mut Value, skipped: &[OperationItem], failed: &[OperationItem]) {
    let skipped = skipped.iter().map(|item| json!({ "id": item.flow.to_string(), "reason": item.reason }));
    shown["skipped_flows"] = skipped.collect::<Vec<_>>().into();
    shown["failed_flows"] = failed.iter().map(|item| item.flow.to_string()).collect::<Vec<_>>().into();
}

/// Writes the flows that were skipped, and those that have failed again.
pub(crate) fn item_lines(output: &mut Output, skipped: &[OperationItem], failed: &[OperationItem]) {
    for item in skipped {
        let reason = escaped(item.reason.as_deref().unwrap_or_default());
        output.line(&format!("{} skipped: {reason}", item.flow));
    }
    for item in failed {
        output.line(&format!("{} failed again", item.flow));
    }
}

fn state(operation: &Operation) -> Cell {
    let colour = match operation.state {
        OperationState::Running => Some(Colour::Yellow),
        OperationState::Stopped => Some(Colour::Red),
        OperationState::Completed => Some(Colour::Green),
        _ => None,
    };
    Cell::new(operation.state).colour(colour)
}

pub(crate) async fn list_operations(
    output: &mut Output,
    limit: usize,
    after: Option<Uuid>,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let page = operations(orchestrator)?.list(after, limit).await?;
    if output.json {
        let listed: Vec<_> = page.items.iter().map(json::operation).collect();
        output.value(&json!({ "operations": listed, "next": page.next.map(|id| id.to_string()) }));
        return Ok(Exit::Done);
    }
    let row = |operation: &Operation| {
        let (id, prepared_at) = (Cell::new(operation.id), Cell::new(json::time(operation.prepared_at)));
        let (operator, selection) = (Cell::new(&operation.operator), Cell::new(&operation.selection));
        [id, state(operation), prepared_at, operator, Cell::new(operation), selection]
    };
    let rows: Vec<_> = page.items.iter().map(row).collect();
    output.table(["ID", "STATE", "PREPARED", "OPERATOR", "WHAT", "SELECTION"], &rows);
    if let Some(next) = page.next
        && !output.is_closed()
    {
        note(&format!("there are more; the next page: --after {next}"));
    }
    Ok(Exit::Done)
}

/// How many skipped flows, and how many that have failed again, are shown.
const SHOWN: usize = 1000;

pub(crate) async fn show_operation(
    output: &mut Output,
    id: Uuid,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let operations = operations(orchestrator)?;
    let missing =
        || Problem::failed(format_args!("there is no operation {id}: it was purged, or never prepared here"));
    let found = operations.operation(id).await?.ok_or_else(missing)?;
    let skipped = operations.items(id, Some(ItemState::Skipped), None, SHOWN).await?;
    let failed = operations.items(id, Some(ItemState::Failed), None, SHOWN).await?;
    if output.json {
        let mut shown = json::operation(&found);
        add_items(&mut shown, &skipped.items, &failed.items);
        output.value(&shown);
        return Ok(Exit::Done);
    }
    super::lines(output, &json::operation(&found), 0);
    item_lines(output, &skipped.items, &failed.items);
    if skipped.next.is_some() || failed.next.is_some() {
        note(&format!("there are more: of each kind, {SHOWN} are shown"));
    }
    Ok(Exit::Done)
}
