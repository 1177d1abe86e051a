//! The relays that are alive.

use graceful::{Orchestrator, backends::LiveRelay, operations::json};
use serde_json::{Value, json};

use super::store;
use crate::{
    exit::{Exit, Problem},
    output::{Cell, Output},
};

pub(crate) async fn relays(output: &mut Output, orchestrator: &Orchestrator) -> Result<Exit, Problem> {
    let relays = store(orchestrator)?.relays().await?;
    if output.json {
        output.value(&json!({ "relays": relays.iter().map(json::relay).collect::<Vec<Value>>() }));
        return Ok(Exit::Done);
    }
    let row = |LiveRelay { info, since, seen_at, .. }: &LiveRelay| {
        [
            Cell::new(&info.service),
            Cell::new(&info.environment),
            Cell::new(&info.host),
            Cell::new(info.process),
            Cell::new(&info.version),
            Cell::new(json::time(*since)),
            Cell::new(json::time(*seen_at)),
            Cell::new(info.handlers.len()),
        ]
    };
    let rows: Vec<_> = relays.iter().map(row).collect();
    let headings = ["SERVICE", "ENVIRONMENT", "HOST", "PROCESS", "VERSION", "SINCE", "LAST SEEN", "HANDLERS"];
    output.table(headings, &rows);
    Ok(Exit::Done)
}
