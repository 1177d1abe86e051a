//! The operations and pauses of the in-memory flow store.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{after, flow_rows::Rows, flows::Flows};
use crate::backends::{
    ActionResult, Count, FlowState, FlowVersion, ItemState, Lane, NewOperation, Operation, OperationClaim,
    OperationItem, OperationState, Operations, Page, Pause, PauseTarget, Reply, SelectedFlow, random_secret,
};

#[derive(Default)]
pub(super) struct Operated {
    pauses: BTreeMap<PauseTarget, Pause>,
    operations: BTreeMap<Uuid, Row>,
    secrets: BTreeMap<String, Vec<u8>>,
}

struct Row {
    operation: Operation,
    items: BTreeMap<Uuid, Item>,
    claimed: Option<(Uuid, Timestamp)>,
    /// It was started, and its end is not in the audit log.
    is_unrecorded: bool,
}

struct Item {
    from: FlowState,
    version: FlowVersion,
    state: ItemState,
    reason: Option<String>,
}

impl Operated {
    /// Whether no flow of this lane may be claimed.
    pub(super) fn is_paused(&self, lane: Lane) -> bool {
        self.pauses.keys().any(|target| match target {
            PauseTarget::Relays => true,
            PauseTarget::Handler(handler) => Lane::of(handler, "").handler() == lane.handler(),
            PauseTarget::Subscriber(_) => false,
        })
    }
}

impl Row {
    /// The operation as it is at this time.
    fn at(&self, now: Timestamp) -> Operation {
        let mut operation = self.operation.clone();
        if matches!(operation.state, OperationState::Preparing | OperationState::Prepared)
            && after(operation.prepared_at, Operation::EXPIRES_AFTER) <= now
        {
            operation.state = OperationState::Expired;
        }
        operation
    }

    /// Finds out which of the resubmitted flows have finished their first attempts, in the order in which they did.
    fn observe(&mut self, rows: &Rows) {
        let mut finished = Vec::new();
        for (flow, item) in self.items.iter_mut().filter(|(_, item)| item.state == ItemState::Waiting) {
            let found = rows.summary(*flow);
            item.state = ItemState::of_resubmitted(found.as_ref(), item.version);
            if item.state != ItemState::Waiting {
                finished.push((found.and_then(|flow| flow.failed_at.or(flow.ended_at)), item.state));
            }
        }
        finished.sort_by_key(|(at, _)| *at);
        for (_, state) in finished {
            self.operation.count(ItemState::Waiting, state);
        }
    }

    fn change(&mut self, rows: &mut Rows, limit: usize) {
        let action = self.operation.action;
        let limit = self.operation.room(limit);
        for (flow, item) in
            self.items.iter_mut().filter(|(_, item)| item.state == ItemState::Left).take(limit)
        {
            let found = rows.summary(*flow);
            let result = match found {
                Some(found)
                    if found.state == item.from && !found.running && found.version() != item.version =>
                {
                    ActionResult::Changed
                }
                _ => rows.act(*flow, action, item.from),
            };
            (item.state, item.reason) = match result {
                ActionResult::Done => (ItemState::changed_by(action), None),
                refused => (ItemState::Skipped, Some(refused.to_string())),
            };
            self.operation.count(ItemState::Left, item.state);
        }
    }
}

impl Rows {
    /// Changes an operation that has not ended, if `change` does; returns it as it is then.
    fn change_operation(
        &mut self,
        id: Uuid,
        change: impl FnOnce(&mut Operation, Timestamp),
    ) -> Option<Operation> {
        let now = self.clock.now();
        let row = self.operated.operations.get_mut(&id)?;
        if !row.at(now).state.is_ended() {
            change(&mut row.operation, now);
        }
        Some(row.at(now))
    }

    fn claimed_operation(&mut self, claim: OperationClaim) -> Option<&mut Row> {
        let row = self.operated.operations.get_mut(&claim.id)?;
        row.claimed.is_some_and(|(token, _)| token == claim.token).then_some(row)
    }

    fn running_operation(&mut self, claim: OperationClaim) -> Option<&mut Row> {
        self.claimed_operation(claim).filter(|row| row.operation.state == OperationState::Running)
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        let now = self.clock.now();
        self.operated.operations.values().rev().map(move |row| row.at(now))
    }
}

impl Operations for Flows {
    fn pauses(&self) -> Reply<Vec<Pause>> {
        Reply::ready(self.rows().operated.pauses.values().cloned().collect())
    }

    fn pause(&self, target: PauseTarget, operator: &str, reason: &str) -> Reply<bool> {
        let mut rows = self.rows();
        let pause = Pause::new(target.clone(), operator, reason, rows.clock.now());
        let is_new = !rows.operated.pauses.contains_key(&target);
        rows.operated.pauses.entry(target).or_insert(pause);
        Reply::ready(is_new)
    }

    fn resume(&self, target: PauseTarget) -> Reply<bool> {
        Reply::ready(self.rows().operated.pauses.remove(&target).is_some())
    }

    fn waiting_behind(&self, handler: &str, cap: u64) -> Reply<Count> {
        let rows = self.rows();
        let queued = || rows.summaries().1.filter(|flow| flow.state == FlowState::Queued);
        let of_handler = queued().filter(|flow| flow.handler == handler);
        let entities: HashSet<_> = of_handler.map(|flow| flow.entity).collect();
        let behind = queued().filter(|flow| flow.handler != handler && entities.contains(&flow.entity));
        Reply::ready(Count::capped(behind.count() as u64, cap))
    }

    fn prepare(&self, operation: NewOperation) -> Reply<()> {
        let mut rows = self.rows();
        let operation = Operation::new(operation, OperationState::Preparing, rows.clock.now());
        let row = Row { operation, items: BTreeMap::new(), claimed: None, is_unrecorded: false };
        rows.operated.operations.entry(row.operation.id).or_insert(row);
        Reply::ready(())
    }

    fn select(&self, id: Uuid, flows: Vec<SelectedFlow>) -> Reply<()> {
        let mut rows = self.rows();
        let is_older = |flow: Uuid| {
            let found = rows.summary(flow);
            found.is_some_and(|found| {
                rows.summaries().1.any(|other| {
                    other.entity == found.entity
                        && other.state == FlowState::Completed
                        && (other.stored_at, other.id) > (found.stored_at, found.id)
                })
            })
        };
        let flows: Vec<_> = flows.into_iter().map(|selected| (selected, is_older(selected.flow))).collect();
        let row = rows.operated.operations.get_mut(&id);
        if let Some(row) = row.filter(|row| row.operation.state == OperationState::Preparing) {
            for (SelectedFlow { flow, seen }, is_older) in flows {
                if row.items.contains_key(&flow) {
                    continue;
                }
                let (from, version) = seen.unwrap_or((FlowState::Dead, FlowVersion::new(0, 0)));
                let (state, reason) = match seen {
                    Some(_) => (ItemState::Left, None),
                    None => (ItemState::Skipped, Some(ActionResult::NotFound.to_string())),
                };
                row.operation.selected += 1;
                row.operation.older += u64::from(is_older);
                row.operation.count(ItemState::Left, state);
                row.items.insert(flow, Item { from, version, state, reason });
            }
        }
        Reply::ready(())
    }

    fn fix(&self, id: Uuid) -> Reply<Option<Operation>> {
        Reply::ready(self.rows().change_operation(id, |operation, _| {
            if operation.state == OperationState::Preparing {
                operation.state = OperationState::Prepared;
            }
        }))
    }

    fn start(&self, id: Uuid) -> Reply<Option<Operation>> {
        let mut rows = self.rows();
        let started = rows.change_operation(id, |operation, _| {
            if operation.state == OperationState::Prepared {
                operation.state = OperationState::Running;
            }
        });
        if started.as_ref().is_some_and(|operation| operation.state == OperationState::Running)
            && let Some(row) = rows.operated.operations.get_mut(&id)
        {
            row.is_unrecorded = true;
        }
        Reply::ready(started)
    }

    fn cancel(&self, id: Uuid, operator: &str, verified: bool) -> Reply<Option<Operation>> {
        let mut rows = self.rows();
        let mut is_new = false;
        let cancelled = rows.change_operation(id, |operation, now| {
            (operation.state, operation.ended_at) = (OperationState::Cancelled, Some(now));
            operation.cancelled_by = Some(operator.to_owned());
            operation.cancelled_by_verified = verified;
            is_new = true;
        });
        if is_new && let Some(row) = rows.operated.operations.get_mut(&id) {
            row.claimed = None;
        }
        Reply::ready(cancelled)
    }

    fn claim_operation(&self, id: Option<Uuid>, lease: Duration) -> Reply<Option<OperationClaim>> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        let row = rows.operated.operations.values_mut().find(|row| {
            row.is_unrecorded
                && row.claimed.is_none_or(|(_, until)| until <= now)
                && id.is_none_or(|id| row.operation.id == id)
        });
        Reply::ready(row.map(|row| {
            let token = Uuid::from_u128(fastrand::u128(..));
            row.claimed = Some((token, after(now, lease)));
            OperationClaim::new(row.operation.id, token)
        }))
    }

    fn advance(&self, claim: OperationClaim, lease: Duration, limit: usize) -> Reply<Option<Operation>> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        if rows.running_operation(claim).is_none() {
            return Reply::ready(None);
        }
        // While the list is changed, the row is outside of the table that it changes.
        let Some(mut row) = rows.operated.operations.remove(&claim.id) else { return Reply::ready(None) };
        row.claimed = Some((claim.token, after(now, lease)));
        row.observe(&rows);
        row.change(&mut rows, limit);
        let operation = row.operation.clone();
        rows.operated.operations.insert(claim.id, row);
        Reply::ready(Some(operation))
    }

    fn skip_next(&self, claim: OperationClaim, reason: &str) -> Reply<Option<Operation>> {
        Reply::ready(self.rows().running_operation(claim).map(|row| {
            if let Some(item) = row.items.values_mut().find(|item| item.state == ItemState::Left) {
                (item.state, item.reason) = (ItemState::Skipped, Some(reason.to_owned()));
                row.operation.count_refused();
            }
            row.operation.clone()
        }))
    }

    fn end(&self, claim: OperationClaim, state: OperationState) -> Reply<bool> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        Reply::ready(rows.running_operation(claim).is_some_and(|row| {
            (row.operation.state, row.operation.ended_at) = (state, Some(now));
            true
        }))
    }

    fn record(&self, claim: OperationClaim) -> Reply<bool> {
        Reply::ready(self.rows().claimed_operation(claim).is_some_and(|row| {
            (row.is_unrecorded, row.claimed) = (false, None);
            true
        }))
    }

    fn secret(&self, name: &str) -> Reply<Vec<u8>> {
        let stored = |new| self.rows().operated.secrets.entry(name.to_owned()).or_insert(new).clone();
        random_secret().map(stored).into()
    }

    fn operation(&self, id: Uuid) -> Reply<Option<Operation>> {
        Reply::ready(self.rows().change_operation(id, |_, _| ()))
    }

    fn list(&self, after: Option<Uuid>, limit: usize) -> Reply<Page<Operation, Uuid>> {
        let rows = self.rows();
        let older = rows.operations().filter(|operation| after.is_none_or(|after| operation.id < after));
        Reply::ready(Page::cut(older.take(limit.saturating_add(1)).collect(), limit, |operation| {
            operation.id
        }))
    }

    fn operations_on(&self, flow: Uuid) -> Reply<Vec<Operation>> {
        let rows = self.rows();
        let on = rows.operations().filter(|operation| {
            rows.operated.operations.get(&operation.id).is_some_and(|row| row.items.contains_key(&flow))
        });
        Reply::ready(on.take(Operation::LISTED_PER_FLOW).collect())
    }

    fn items(
        &self,
        id: Uuid,
        state: Option<ItemState>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Reply<Page<OperationItem, Uuid>> {
        let rows = self.rows();
        let items = rows.operated.operations.get(&id).into_iter().flat_map(|row| &row.items);
        let items = items
            .filter(|(flow, item)| {
                state.is_none_or(|state| item.state == state) && after.is_none_or(|after| **flow > after)
            })
            .map(|(flow, item)| OperationItem::new(*flow, item.state, item.reason.clone()));
        Reply::ready(Page::cut(items.take(limit.saturating_add(1)).collect(), limit, |item| item.flow))
    }

    fn purge_operations(&self, age: Duration) -> Reply<u64> {
        let mut rows = self.rows();
        let now = rows.clock.now();
        let count = rows.operated.operations.len();
        rows.operated.operations.retain(|_, row| {
            let operation = row.at(now);
            let over = operation.ended_at.unwrap_or(operation.prepared_at);
            !(operation.state.is_ended() && after(over, age) <= now)
        });
        Reply::ready((count - rows.operated.operations.len()) as u64)
    }
}
