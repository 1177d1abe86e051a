//! The subcommands that only read.

mod audit;
mod flows;
mod relays;
mod stores;

use std::{fmt, sync::Arc};

use graceful::{
    Key, Orchestrator, StepError,
    backends::{AuditLog, Cursor, FlowStore, Page, Query},
};

pub(crate) use self::{
    audit::{operations, records, verify},
    flows::{CAP, flows, groups, lag, sentence, show},
    relays::relays,
    stores::{alerts, jobs, patterns},
};
use crate::{
    command::Listing,
    exit::Problem,
    output::{Output, note},
};

/// The pattern of the entity to which the audit records of actions belong.
pub(crate) const OPERATIONS: &str = "graceful_operation";

/// The id of that entity: all actions have one, so that they are found by its index.
pub(crate) const ON_FLOWS: &str = "flows";

pub(crate) fn store(orchestrator: &Orchestrator) -> Result<&Arc<dyn FlowStore>, Problem> {
    let missing = "the orchestrator has no store of durable flows: set one by `OrchestratorBuilder::store`";
    orchestrator.flows().ok_or_else(|| Problem::refused(missing))
}

fn audit_log(orchestrator: &Orchestrator) -> Result<&Arc<dyn AuditLog>, Problem> {
    let missing = "the orchestrator has no audit log: set one by `OrchestratorBuilder::audit`";
    orchestrator.audit().ok_or_else(|| Problem::refused(missing))
}

pub(crate) fn operations_key(orchestrator: &Orchestrator) -> Key {
    orchestrator.key(OPERATIONS, ON_FLOWS)
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
