//! The store of durable flows.

use std::{collections::HashSet, sync::Arc, time::Duration};

use graceful::backends::{
    Action, ActionResult, AttemptOutcome, Claim, ClaimId, Count, EventLog, FailedAttempt, FailureGroups,
    FlowFilter, FlowQuery, FlowState, FlowStore, FlowSummary, Idempotency, Lag, LiveRelay, Operations, Page,
    QueuedFlow, RelayInfo, Reply, Room, StoredFlow, Subscriptions,
};
use graceful_sql::{PURGED_AT_ONCE, flows::state_number, lost_claim, purge, values::length};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Store, Tables, after, claim::claim, now, read_only::is_read_only};

/// Inserts flows in one statement. The first of an entity that has none queued becomes its head.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    flows: &[QueuedFlow],
) -> Result<(), sqlx::Error> {
    if flows.is_empty() {
        return Ok(());
    }
    let (mut entities, mut again, due) = (HashSet::new(), Vec::new(), now());
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO graceful_flows (id, entity, handler, lane, body, due, stored_at, head) SELECT column1, column2, column3, \
         column4, column5, column6, column7, column8 AND NOT EXISTS (SELECT 1 FROM graceful_flows WHERE state = 0 AND entity = column2) FROM (",
    );
    // Flows that arrive together keep their order in a listing.
    query.push_values((due..).zip(flows), |mut row, (stored_at, flow)| {
        let first = entities.insert(&*flow.entity);
        if !first {
            // The statement does not see what it inserts itself.
            again.push(&*flow.entity);
        }
        row.push_bind(flow.id)
            .push_bind(&*flow.entity)
            .push_bind(&*flow.handler)
            .push_bind(flow.lane.number())
            .push_bind(&*flow.body)
            .push_bind(due)
            .push_bind(stored_at)
            .push_bind(first);
    });
    // Without a condition, what follows would be read as one of a join.
    query.push(") WHERE TRUE ON CONFLICT (id) DO NOTHING");
    query.build().persistent(flows.len() == 1).execute(&mut *connection).await?;
    for entity in again {
        promote(connection, entity).await?;
    }
    Ok(())
}

/// Makes the first of an entity's queued flows its head.
pub(super) const PROMOTE: &str = "UPDATE graceful_flows SET head = 1 WHERE head = 0 AND seq = \
    (SELECT min(seq) FROM graceful_flows WHERE state = 0 AND entity = $1)";

async fn promote(connection: &mut SqliteConnection, entity: &str) -> Result<(), sqlx::Error> {
    sqlx::query(PROMOTE).bind(entity).execute(connection).await?;
    Ok(())
}

impl Store {
    fn act(&self, id: Uuid, action: Action, from: FlowState) -> Reply<ActionResult> {
        self.writer().write(move |connection| Box::pin(Tables::act(connection, id, action, from, None)))
    }

    /// Changes flows whose claims are not lost. The statement gets the time from now, the id and the token.
    fn change_held(&self, held: Vec<ClaimId>, statement: &'static str, time: Duration) -> Reply<()> {
        if held.is_empty() {
            return Reply::ready(());
        }
        self.writer().write(move |connection| {
            let held = held.clone();
            Box::pin(async move {
                let due = after(now(), time);
                for ClaimId { id, token } in held {
                    sqlx::query(statement).bind(due).bind(id).bind(token).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
    }
}

const EXTEND: &str = "UPDATE graceful_flows SET due = ?1 WHERE id = ?2 AND token = ?3 AND state = 0";

const HAND_BACK: &str = "UPDATE graceful_flows SET attempts = max(attempts - 1, 0), token = NULL, due = ?1 \
    WHERE id = ?2 AND token = ?3 AND state = 0";

/// A flow that was never attempted keeps its place.
const HAND_BACK_AT_ONCE: &str = "UPDATE graceful_flows SET attempts = max(attempts - 1, 0), token = NULL, \
    due = CASE attempts WHEN 0 THEN min(stored_at, ?1) ELSE ?1 END WHERE id = ?2 AND token = ?3 AND state = 0";

impl FlowStore for Store {
    fn enqueue(&self, mut flow: QueuedFlow) -> Reply<()> {
        let Some(answer) = flow.answer.take() else { return self.writer().enqueue(flow) };
        let both = Arc::new((flow, answer));
        let stored = self.writer().write(move |connection| {
            let both = Arc::clone(&both);
            Box::pin(async move {
                let (flow, answer) = &*both;
                let is_stored = Tables::answer_call(connection, answer).await?;
                if is_stored {
                    insert(connection, std::slice::from_ref(flow)).await?;
                }
                Ok(is_stored)
            })
        });
        stored.and_then(|is_stored| is_stored.then_some(()).ok_or_else(lost_claim))
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        let (store, room) = (self.clone(), Arc::new(room));
        let claiming = move |store: &Self| {
            store.writer().write(move |connection| {
                let room = Arc::clone(&room);
                Box::pin(async move { claim(connection, &room, lease).await })
            })
        };
        // The outcomes that are being written may make flows claimable, so the claim follows them, usually in the same transaction.
        if store.writer().has_outcomes() {
            return claiming(&store);
        }
        Reply::pending(async move {
            // Usually no flow is due, so a reader checks first, without a write transaction.
            let ready = store.read(move |connection| {
                let query = "SELECT 1 FROM graceful_flows WHERE head = 1 AND due <= ? \
                             AND NOT EXISTS (SELECT 1 FROM graceful_pauses WHERE kind = 0) LIMIT 1";
                Box::pin(sqlx::query_scalar::<_, i64>(query).bind(now()).fetch_optional(connection))
            });
            match ready.await? {
                None => Ok(Vec::new()),
                Some(_) => claiming(&store).await,
            }
        })
    }

    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        self.change_held(held, EXTEND, lease)
    }

    fn record_outcome(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        self.writer().record(held, outcome)
    }

    fn claims_follow_outcomes(&self) -> bool {
        true
    }

    fn complete(&self, held: Vec<ClaimId>) -> Reply<bool> {
        self.writer().complete(held)
    }

    fn hand_back(&self, held: Vec<ClaimId>, time: Duration) -> Reply<()> {
        let statement = if time.is_zero() { HAND_BACK_AT_ONCE } else { HAND_BACK };
        self.change_held(held, statement, time)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.read(move |connection| Box::pin(Tables::flow(connection, id)))
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        self.for_operator(move |connection| Box::pin(async move { Tables::flows(connection, &query).await }))
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::count(connection, &filter, cap).await })
        })
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        self.for_operator(move |connection| {
            Box::pin(async move { Tables::groups(connection, &filter, cap).await })
        })
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        self.for_operator(move |connection| Box::pin(Tables::attempts(connection, id)))
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        self.for_operator(move |connection| Box::pin(Tables::lag(connection, cap)))
    }

    fn operations(&self) -> Option<&dyn Operations> {
        Some(self)
    }

    fn idempotency(&self) -> Option<Arc<dyn Idempotency>> {
        Some(Arc::new(self.clone()))
    }

    fn event_log(&self) -> Option<Arc<dyn EventLog>> {
        Some(Arc::new(self.clone()))
    }

    fn subscriptions(&self) -> Option<Arc<dyn Subscriptions>> {
        Some(Arc::new(self.clone()))
    }

    fn probe(&self) -> Reply<()> {
        Reply::pending(self.clone().answers())
    }

    fn is_read_only(&self) -> Reply<bool> {
        self.writer().write(|connection| Box::pin(is_read_only(connection)))
    }

    fn resubmit(&self, id: Uuid) -> Reply<ActionResult> {
        self.act(id, Action::Resubmit, FlowState::Dead)
    }

    fn discard(&self, id: Uuid, from: FlowState) -> Reply<ActionResult> {
        self.act(id, Action::Discard, from)
    }

    fn postpone(&self, id: Uuid, time: Duration) -> Reply<ActionResult> {
        self.act(id, Action::Postpone(time), FlowState::Queued)
    }

    fn announce(&self, relay: RelayInfo) -> Reply<()> {
        self.writer().write(move |connection| {
            let relay = relay.clone();
            Box::pin(async move { Tables::announce(connection, &relay).await })
        })
    }

    fn withdraw(&self, relay: Uuid) -> Reply<()> {
        self.writer().write(move |connection| Box::pin(Tables::withdraw(connection, relay)))
    }

    fn relays(&self) -> Reply<Vec<LiveRelay>> {
        self.read(|connection| Box::pin(Tables::relays(connection)))
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        let writer = self.writer().clone();
        Reply::pending(purge(move || {
            writer.write(move |connection| {
                Box::pin(async move {
                    let query = sqlx::query(
                        "DELETE FROM graceful_flows WHERE seq IN (SELECT seq FROM graceful_flows WHERE state <> 0 \
                         AND state = ? AND ended_at <= ? LIMIT ?)",
                    );
                    let before = now().saturating_sub(length(age));
                    let query = query.bind(state_number(state)).bind(before).bind(PURGED_AT_ONCE);
                    Ok(query.execute(connection).await?.rows_affected())
                })
            })
        }))
    }
}
