//! The audit log.

use graceful::{
    Orchestrator,
    backends::{AuditFilter, AuditRecord},
    operations::json,
};
use serde_json::{Value, json};

use super::{audit_log, more, operations_key, pages};
use crate::{
    command::Listing,
    exit::{Exit, Problem},
    output::{Cell, Colour, Output},
};

/// Lists records, the newest first.
pub(crate) async fn records(
    output: &mut Output,
    listing: Listing<AuditFilter, i64>,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let log = audit_log(orchestrator)?;
    let (items, after) = pages(listing, async |query| log.query(query).await).await?;
    if output.json {
        let records: Vec<Value> = items.iter().map(json::record).collect();
        output.value(&json!({ "records": records, "next": after.map(|cursor| cursor.to_string()) }));
        return Ok(Exit::Done);
    }
    let row = |record: &AuditRecord| {
        let code = Cell::new(record.code).colour((!record.ending.is_success()).then_some(Colour::Red));
        [
            Cell::new(json::time(record.at)),
            Cell::optional(record.actor.as_ref()),
            Cell::new(&record.handler),
            Cell::new(&record.entity),
            code,
            Cell::new(&record.message),
        ]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    output.table(["TIME", "ACTOR", "HANDLER", "ENTITY", "CODE", "MESSAGE"], &rows);
    more(output, after);
    Ok(Exit::Done)
}

pub(crate) async fn verify(
    output: &mut Output,
    known: Option<&str>,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let head = audit_log(orchestrator)?.verify_chain(known).await?;
    match output.json {
        true => output.value(&json!({ "head": head })),
        false => output.line(&head),
    }
    Ok(Exit::Done)
}

/// Lists the actions that this command line has recorded, the newest first.
pub(crate) async fn recorded_operations(
    output: &mut Output,
    limit: usize,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let records = audit_log(orchestrator)?.records(Some(&operations_key(orchestrator)), limit).await?;
    let details = |record: &AuditRecord| record.payload.as_ref()?.decode::<Value>().ok();
    if output.json {
        let shown = |record: &AuditRecord| {
            json!({
                "at": json::time(record.at),
                "actor": record.actor.as_deref(),
                "action": &*record.handler,
                "message": &*record.message,
                "details": details(record),
            })
        };
        output.value(&json!({ "operations": records.iter().map(shown).collect::<Vec<Value>>() }));
        return Ok(Exit::Done);
    }
    let row = |record: &AuditRecord| {
        let (at, action) = (Cell::new(json::time(record.at)), Cell::new(&record.handler));
        let details = details(record);
        let id = details.as_ref().and_then(|details| details["operation"].as_str());
        [at, Cell::optional(record.actor.as_ref()), action, Cell::optional(id), Cell::new(&record.message)]
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    output.table(["TIME", "ACTOR", "ACTION", "OPERATION", "WHAT"], &rows);
    Ok(Exit::Done)
}
