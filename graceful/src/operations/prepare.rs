//! Fixes the list of an operation.

use std::{collections::BTreeMap, fmt};

use uuid::Uuid;

use super::{Operator, operations, store, unknown};
use crate::{
    backends::{Action, FlowFilter, FlowQuery, FlowSummary, NewOperation, Operation, SelectedFlow},
    pipeline::Orchestrator,
    step::StepError,
};

/// How many flows are added to the list at once.
const PAGE: usize = 500;

/// How many flows are shown before the confirmation.
const SAMPLES: usize = 10;

/// Which flows an operation is about.
///
/// ```
/// use graceful::{
///     backends::{FlowFilter, FlowState, SelectedFlow, Uuid},
///     operations::Selection,
/// };
///
/// let selection = Selection::Filter(FlowFilter::parse([("state", "dead"), ("handler", "pay")]).unwrap());
/// assert_eq!(selection.to_string(), "state=dead handler=pay");
/// assert_eq!(Selection::Ids(vec![Uuid::nil(), Uuid::max()]).to_string(), "2 ids");
///
/// // The state and the version come from a form.
/// let seen = SelectedFlow::seen(Uuid::max(), FlowState::Dead, "1.3".parse().unwrap());
/// assert_eq!(Selection::Seen(vec![seen]).to_string(), "id ffffffff-ffff-ffff-ffff-ffffffffffff");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Flows with these ids.
    Ids(Vec<Uuid>),
    /// The flows that a filter selects now.
    Filter(FlowFilter),
    /// Flows as an operator has seen them, e.g. with their states and versions from a form. A flow that has changed since is skipped.
    Seen(Vec<SelectedFlow>),
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, number) = match self {
            Self::Ids(ids) => (ids.first().copied(), ids.len()),
            Self::Seen(flows) => (flows.first().map(|seen| seen.flow), flows.len()),
            Self::Filter(filter) => return filter.fmt(f),
        };
        match (first, number) {
            (Some(id), 1) => write!(f, "id {id}"),
            _ => write!(f, "{number} ids"),
        }
    }
}

/// A prepared operation, for the question whether it is to be run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// The operation. The number of its flows is exact.
    pub operation: Operation,
    /// Up to ten of its flows.
    pub samples: Vec<FlowSummary>,
    /// The handlers of its flows, with the numbers of flows.
    pub handlers: BTreeMap<String, u64>,
}

/// Prepares an operation: fixes the list of its flows, and changes none. It expires after an hour.
///
/// If the future is dropped, the operation stays in preparation, and expires.
///
/// # Errors
/// Fails if the orchestrator has no store, if the store has no operations, or if the store fails, e.g. because its user may only read.
pub async fn prepare<'a>(
    orchestrator: &Orchestrator,
    action: Action,
    selection: &Selection,
    operator: impl Into<Operator<'a>>,
) -> Result<Prepared, StepError> {
    let store = store(orchestrator)?;
    let operations = operations(store)?;
    let Operator { name, verified } = operator.into();
    let mut new = NewOperation::new(action, selection.to_string(), name);
    new.verified = verified;
    let id = new.id;
    operations.prepare(new).await?;
    let (mut samples, mut handlers) = (Vec::new(), BTreeMap::<_, u64>::new());
    let mut counted = |flow: &FlowSummary| *handlers.entry(flow.handler.clone()).or_default() += 1;
    let named: Vec<_> = match selection {
        Selection::Ids(ids) => ids.iter().map(|id| (*id, None)).collect(),
        Selection::Seen(flows) => flows.iter().map(|flow| (flow.flow, Some(*flow))).collect(),
        Selection::Filter(_) => Vec::new(),
    };
    for page in named.chunks(PAGE) {
        let mut selected = Vec::with_capacity(page.len());
        for (flow, seen) in page {
            let found = store.get(*flow).await?.map(|stored| stored.summary);
            let as_found = || found.as_ref().map_or(SelectedFlow::missing(*flow), SelectedFlow::of);
            selected.push(seen.unwrap_or_else(as_found));
            found.iter().for_each(&mut counted);
            samples.extend(found.filter(|_| samples.len() < SAMPLES));
        }
        operations.select(id, selected).await?;
    }
    if let Selection::Filter(filter) = selection {
        let mut query = FlowQuery::new(filter.clone(), PAGE);
        loop {
            let page = store.flows(query.clone()).await?;
            operations.select(id, page.items.iter().map(SelectedFlow::of).collect()).await?;
            page.items.iter().for_each(&mut counted);
            samples.extend(page.items.into_iter().take(SAMPLES - samples.len()));
            let Some(next) = page.next else { break };
            query = query.continued(next).map_err(StepError::caused_by)?;
        }
    }
    let operation = operations.fix(id).await?.ok_or_else(|| unknown(id))?;
    Ok(Prepared { operation, samples, handlers })
}
