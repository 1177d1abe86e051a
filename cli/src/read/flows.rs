//! Flows, their failures, and their number.

use graceful::{
    Orchestrator, Step,
    backends::{FailureGroup, FlowFilter, FlowState, FlowSummary, Lag, Uuid, escaped},
    operations::json,
};
use serde_json::{Value, json};

use super::{more, pages, store};
use crate::{
    command::Listing,
    exit::{Exit, Problem},
    output::{Cell, Colour, Output, note},
    pause,
};

/// Up to what number flows are counted.
pub(crate) const CAP: u64 = 100_000;

fn state(flow: &FlowSummary) -> Cell {
    match flow.state {
        FlowState::Queued if flow.running => Cell::new("running").colour(Colour::Yellow),
        FlowState::Dead => Cell::new("dead").colour(Colour::Red),
        FlowState::Completed => Cell::new("completed").colour(Colour::Green),
        state => Cell::new(state),
    }
}

/// Lists flows, the newest first.
pub(crate) async fn flows(
    output: &mut Output,
    listing: Listing<FlowFilter, Uuid>,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let store = store(orchestrator)?;
    let (items, after) = pages(listing, async |query| store.flows(query).await).await?;
    if output.json {
        let flows: Vec<Value> = items.iter().map(json::flow).collect();
        output.value(&json!({ "flows": flows, "next": after.map(|cursor| cursor.to_string()) }));
        return Ok(Exit::Done);
    }
    pause::note_all(orchestrator).await;
    let row = |flow: &FlowSummary| {
        let stored_at = json::time(flow.stored_at);
        let (handler, entity) = (Cell::new(&flow.handler), Cell::new(&flow.entity));
        let (attempts, error) = (Cell::new(flow.attempts), Cell::optional(flow.error()));
        [Cell::new(flow.id), state(flow), Cell::new(stored_at), attempts, handler, entity, error]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    output.table(["ID", "STATE", "STORED", "ATTEMPTS", "HANDLER", "ENTITY", "ERROR"], &rows);
    more(output, after);
    Ok(Exit::Done)
}

pub(crate) async fn groups(
    output: &mut Output,
    filter: FlowFilter,
    cap: u64,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let found = store(orchestrator)?.groups(filter, cap).await?;
    if output.json {
        let groups: Vec<Value> = found.groups.iter().map(json::group).collect();
        output.value(&json!({ "groups": groups, "more": found.more }));
        return Ok(Exit::Done);
    }
    pause::note_all(orchestrator).await;
    let row = |group: &FailureGroup| {
        let dead = Cell::new(group.dead).colour((group.dead.number > 0).then_some(Colour::Red));
        let (first, last) = (Cell::new(json::time(group.first)), Cell::new(json::time(group.last)));
        let step = Cell::optional(group.cause.step.map(Step::as_str));
        let code = Cell::optional(group.cause.code);
        let (retrying, handler) = (Cell::new(group.retrying), Cell::new(&group.handler));
        [
            Cell::new(group.cause.group),
            dead,
            retrying,
            first,
            last,
            handler,
            step,
            code,
            Cell::new(&group.cause.error),
        ]
    };
    let rows: Vec<_> = found.groups.iter().map(row).collect();
    output.table(["GROUP", "DEAD", "RETRYING", "FIRST", "LAST", "HANDLER", "STEP", "CODE", "ERROR"], &rows);
    if found.more {
        note("there are more groups: narrow the filter");
    }
    Ok(Exit::Done)
}

/// The fields that come first, in this order.
const FIRST: [&str; 12] = [
    "id",
    "number",
    "state",
    "step",
    "running",
    "handler",
    "entity",
    "error",
    "code",
    "group",
    "attempts",
    "resubmitted",
];

/// Shows a value in lines of `name: value`, and those that it contains indented.
pub(crate) fn lines(output: &mut Output, value: &Value, indent: usize) {
    let mut fields: Vec<_> = value.as_object().into_iter().flatten().collect();
    // What contains others comes last.
    let is_list =
        |value: &Value| value.is_object() || value.as_array().is_some_and(|items| !items.is_empty());
    fields.sort_by_key(|(name, value)| {
        (is_list(value), FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()))
    });
    for (name, value) in fields {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => escaped(text).into_owned(),
            Value::Array(items) if items.is_empty() => continue,
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let texts: Vec<_> = items.iter().filter_map(Value::as_str).map(escaped).collect();
                texts.join(", ")
            }
            Value::Array(_) | Value::Object(_) => String::new(),
            other => other.to_string(),
        };
        let name = name.replace('_', " ");
        output.line(format!("{:indent$}{name}: {text}", "").trim_end());
        match value {
            Value::Object(_) => lines(output, value, indent + 2),
            Value::Array(items) => items.iter().for_each(|item| lines(output, item, indent + 2)),
            _ => {}
        }
    }
}

pub(crate) async fn show(
    output: &mut Output,
    id: Uuid,
    orchestrator: &Orchestrator,
) -> Result<Exit, Problem> {
    let store = store(orchestrator)?;
    let Some(stored) = store.get(id).await? else {
        return Err(Problem::failed(format_args!(
            "there is no flow {id}: it was purged, or never stored here"
        )));
    };
    let attempts: Vec<_> = store.attempts(id).await?.iter().map(json::attempt).collect();
    let mut shown = json::flow(&stored.summary);
    shown["call"] = match stored.flow() {
        Ok(flow) => json::call(&flow),
        Err(error) => json!({ "unreadable": error.message() }),
    };
    shown["failed_attempts"] = attempts.into();
    // A user that may only read some tables sees the rest.
    if let Some(operations) = store.operations()
        && let Ok(on) = operations.operations_on(id).await
    {
        shown["operations"] = on.iter().map(json::operation).collect::<Vec<Value>>().into();
    }
    match output.json {
        true => output.value(&shown),
        false => lines(output, &shown, 0),
    }
    Ok(Exit::Done)
}

pub(crate) async fn lag(output: &mut Output, orchestrator: &Orchestrator) -> Result<Exit, Problem> {
    let lag = store(orchestrator)?.lag(CAP).await?;
    match output.json {
        true => output.value(&json::lag(&lag)),
        false => {
            output.line(&sentence(&lag));
            pause::note_all(orchestrator).await;
        }
    }
    Ok(Exit::Done)
}

pub(crate) fn sentence(lag: &Lag) -> String {
    let Lag { queued, running, dead, .. } = lag;
    let oldest = lag.oldest_due.map(|time| format!(", the oldest due for {} s", time.as_secs()));
    format!("{queued} queued ({running} running{}), {dead} dead", oldest.unwrap_or_default())
}
