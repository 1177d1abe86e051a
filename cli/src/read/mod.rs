//! The subcommands that only read.

mod audit;
mod flows;
mod operations;
mod relays;
mod stores;

use std::{fmt, sync::Arc};

use graceful::{
    Key, Orchestrator, StepError,
    backends::{AuditLog, Cursor, FlowStore, Operations, Page, Query},
};

pub(crate) use self::{
    audit::{recorded_operations, records, verify},
    flows::{CAP, flows, groups, lag, lines, sentence, show},
    operations::{add_items, item_lines, list_operations, show_operation},
    relays::relays,
    stores::{jobs, open_alerts, patterns, resolved_alerts},
};
use crate::{
    command::Listing,
    exit::Problem,
    output::{Output, note},
};

pub(crate) fn store(orchestrator: &Orchestrator) -> Result<&Arc<dyn FlowStore>, Problem> {
    let missing = "the orchestrator has no store of durable flows: set one by `OrchestratorBuilder::store`";
    orchestrator.flows().ok_or_else(|| Problem::refused(missing))
}

fn audit_log(orchestrator: &Orchestrator) -> Result<&Arc<dyn AuditLog>, Problem> {
    let missing = "the orchestrator has no audit log: set one by `OrchestratorBuilder::audit`";
    orchestrator.audit().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn operations(orchestrator: &Orchestrator) -> Result<&dyn Operations, Problem> {
    let missing = "the store has no operations on many flows, and no pauses";
    store(orchestrator)?.operations().ok_or_else(|| Problem::refused(missing))
}

/// The entity to which the audit records of operators belong.
pub(crate) fn operations_key(orchestrator: &Orchestrator) -> Key {
    orchestrator.key(graceful::operations::OPERATIONS, graceful::operations::ENTITY)
}

/// Reads pages until there are so many items: a page may have fewer than there are.
async fn pages<F: Clone + fmt::Display, K: Copy, T>(
    listing: Listing<F, K>,
    read: impl AsyncFn(Query<F, K>) -> Result<Page<T, Cursor<K>>, StepError>,
) -> Result<(Vec<T>, Option<Cursor<K>>), Problem> {
    let Listing { filter, limit, mut after } = listing;
    let mut items = Vec::new();
    loop {
        let mut query = Query::new(filter.clone(), limit - items.len());
        if let Some(after) = after {
            query = query.continued(after).map_err(Problem::refused)?;
        }
        let page = read(query).await?;
        items.extend(page.items);
        after = page.next;
        if after.is_none() || items.len() >= limit {
            return Ok((items, after));
        }
    }
}

/// Says how to read the next page, if there is one.
fn more(output: &Output, after: Option<impl fmt::Display>) {
    match after {
        Some(after) if !output.is_closed() => {
            note(&format!("there are more; the next page: --after {after}"));
        }
        _ => {}
    }
}
