//! The store of durable flows.

use std::{collections::HashSet, sync::Arc, time::Duration};

use graceful::backends::{
    AttemptOutcome, Claim, ClaimId, FlowState, FlowStore, QueuedFlow, Reply, Room, StoredFlow,
};
use graceful_sql::{
    PURGED_AT_ONCE,
    flows::{changes, state_number},
    purge,
    values::length,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Store, Tables, after, claim::claim, now};

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
        "INSERT INTO graceful_flows (id, entity, handler, lane, body, due, head) SELECT column1, column2, column3, column4, \
         column5, column6, column7 AND NOT EXISTS (SELECT 1 FROM graceful_flows WHERE state = 0 AND entity = column2) FROM (",
    );
    query.push_values(flows, |mut row, flow| {
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

/// The first of an entity's queued flows becomes its head.
async fn promote(connection: &mut SqliteConnection, entity: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE graceful_flows SET head = 1 WHERE head = 0 AND seq = \
         (SELECT min(seq) FROM graceful_flows WHERE state = 0 AND entity = ?)",
    )
    .bind(entity)
    .execute(connection)
    .await?;
    Ok(())
}

async fn record_outcome(
    connection: &mut SqliteConnection,
    held: ClaimId,
    outcome: &AttemptOutcome,
) -> Result<bool, sqlx::Error> {
    let now = now();
    let (state, time, error, body) = changes(outcome);
    let due = time.map(|time| after(now, time));
    let ended = (state != FlowState::Queued).then_some(now);
    let entity: Option<String> = sqlx::query_scalar(
        "UPDATE graceful_flows SET state = ?1, head = head AND ?1 = 0, token = NULL, due = coalesce(?2, due), error = ?3, \
         body = coalesce(?4, body), ended_at = ?5 WHERE id = ?6 AND token = ?7 AND state = 0 RETURNING entity",
    )
    .bind(state_number(state))
    .bind(due)
    .bind(error)
    .bind(body)
    .bind(ended)
    .bind(held.id)
    .bind(held.token)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(entity) = entity else { return Ok(false) };
    if ended.is_some() {
        promote(connection, &entity).await?;
    }
    Ok(true)
}

async fn resubmit(connection: &mut SqliteConnection, flow: Uuid) -> Result<bool, sqlx::Error> {
    let entity: Option<String> = sqlx::query_scalar(
        "UPDATE graceful_flows SET seq = (SELECT max(seq) + 1 FROM graceful_flows), state = 0, attempts = 0, \
         resubmitted = resubmitted + 1, due = ?, error = NULL, ended_at = NULL WHERE id = ? AND state <> 0 RETURNING entity",
    )
    .bind(now())
    .bind(flow)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(entity) = entity else { return Ok(false) };
    promote(connection, &entity).await?;
    Ok(true)
}

impl FlowStore for Store {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        self.writer().enqueue(flow)
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        let (store, room) = (self.clone(), Arc::new(room));
        Reply::pending(async move {
            // Usually no flow is due, so a reader checks first, without a write transaction.
            let ready = store.read(move |connection| {
                let query = "SELECT 1 FROM graceful_flows WHERE head = 1 AND due <= ? LIMIT 1";
                Box::pin(sqlx::query_scalar::<_, i64>(query).bind(now()).fetch_optional(connection))
            });
            match ready.await? {
                None => Ok(Vec::new()),
                Some(_) => {
                    let claims = store.writer().write(move |connection| {
                        let room = Arc::clone(&room);
                        Box::pin(async move { claim(connection, &room, lease).await })
                    });
                    claims.await
                }
            }
        })
    }

    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        if held.is_empty() {
            return Reply::ready(());
        }
        self.writer().write(move |connection| {
            let held = held.clone();
            Box::pin(async move {
                let until = after(now(), lease);
                for ClaimId { id, token } in held {
                    sqlx::query("UPDATE graceful_flows SET due = ? WHERE id = ? AND token = ? AND state = 0")
                        .bind(until)
                        .bind(id)
                        .bind(token)
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
    }

    fn record_outcome(&self, held: ClaimId, settlement: AttemptOutcome) -> Reply<bool> {
        let settlement = Arc::new(settlement);
        self.writer().write(move |connection| {
            let settlement = Arc::clone(&settlement);
            Box::pin(async move { record_outcome(connection, held, &settlement).await })
        })
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.read(move |connection| Box::pin(Tables::flow(connection, id)))
    }

    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>> {
        self.read(move |connection| Box::pin(Tables::flows(connection, state, limit)))
    }

    fn probe(&self) -> Reply<()> {
        Reply::pending(self.clone().answers())
    }

    fn resubmit(&self, id: Uuid) -> Reply<bool> {
        self.writer().write(move |connection| Box::pin(resubmit(connection, id)))
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
