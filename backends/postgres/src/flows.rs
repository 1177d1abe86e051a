//! The store of durable flows.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    AttemptOutcome, BoxFuture, Claim, ClaimId, FlowState, FlowStore, QueuedFlow, Reply, Room, Share,
    StoredFlow,
};
use graceful_sql::{
    PURGED_AT_ONCE,
    flows::{changes, state_number},
    purge,
    values::{count, length},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, Tables, text::escaped, transaction::may_prepare};

pub(super) async fn insert(connection: &mut PgConnection, flow: &QueuedFlow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO graceful_flows (id, entity, handler, body, lane) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(flow.id)
    .bind(escaped(&flow.entity))
    .bind(escaped(&flow.handler))
    .bind(&flow.body)
    .bind(flow.lane.number())
    .persistent(may_prepare())
    .execute(connection)
    .await?;
    Ok(())
}

async fn claim(
    connection: &mut PgConnection,
    room: Room,
    lease: Duration,
    claimer: Uuid,
) -> Result<Vec<Claim>, sqlx::Error> {
    let of_each = |what: fn(&Share) -> i64| room.shares.iter().map(what).collect::<Vec<_>>();
    let rows = sqlx::query("SELECT * FROM graceful_claim($1, $2, $3, $4, $5, $6, $7) ORDER BY seq")
        .bind(count(room.flows))
        .bind(count(room.per_handler))
        .bind(length(lease))
        .bind(claimer)
        .bind(of_each(|share| share.lane.number()))
        .bind(of_each(|share| count(share.under_way)))
        .bind(of_each(|share| count(share.recent)))
        .fetch_all(connection)
        .await?;
    rows.iter().map(Tables::decode_claim).collect()
}

async fn record_outcome(
    connection: &mut PgConnection,
    held: ClaimId,
    outcome: AttemptOutcome,
) -> Result<bool, sqlx::Error> {
    let (state, after, error, body) = changes(&outcome);
    let settled = sqlx::query(
        "UPDATE graceful_flows SET state = $1, token = NULL, due = coalesce(graceful_now() + $2, due), error = $3, \
         body = coalesce($4, body), ended_at = CASE WHEN $1 <> 0 THEN graceful_now() END \
         WHERE id = $5 AND token = $6 AND state = 0",
    )
    .bind(state_number(state))
    .bind(after.map(length))
    .bind(error.map(escaped))
    .bind(body)
    .bind(held.id)
    .bind(held.token)
    .execute(connection)
    .await?;
    Ok(settled.rows_affected() > 0)
}

async fn delete(connection: &mut PgConnection, state: FlowState, age: Duration) -> Result<u64, sqlx::Error> {
    let purged = sqlx::query(
        "DELETE FROM graceful_flows WHERE seq IN (SELECT seq FROM graceful_flows WHERE state <> 0 AND state = $1 \
         AND ended_at <= graceful_now() - $2 LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(state_number(state))
    .bind(length(age))
    .bind(i64::from(PURGED_AT_ONCE))
    .execute(connection)
    .await?;
    Ok(purged.rows_affected())
}

impl FlowStore for Store {
    fn enqueue(&self, flow: QueuedFlow) -> Reply<()> {
        self.idle.wake();
        self.insist(move |connection| Box::pin(async move { insert(connection, &flow).await }))
    }

    fn claim(&self, room: Room, lease: Duration) -> Reply<Vec<Claim>> {
        if self.idle.is_quiet() {
            return Reply::ready(Vec::new());
        }
        let (claimer, idle) = (self.claimer, Arc::clone(&self.idle));
        self.insist(move |connection| Box::pin(claim(connection, room, lease, claimer))).map(
            move |claims: Vec<Claim>| {
                idle.answered(!claims.is_empty());
                claims
            },
        )
    }

    fn extend(&self, held: Vec<ClaimId>, lease: Duration) -> Reply<()> {
        if held.is_empty() {
            return Reply::ready(());
        }
        let (ids, tokens): (Vec<_>, Vec<_>) =
            held.into_iter().map(|ClaimId { id, token }| (id, token)).unzip();
        self.insist(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE graceful_flows SET due = graceful_now() + $1 FROM unnest($2::uuid[], $3::uuid[]) AS held (id, token) \
                     WHERE graceful_flows.id = held.id AND graceful_flows.token = held.token AND state = 0",
                )
                .bind(length(lease))
                .bind(ids)
                .bind(tokens)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
    }

    fn record_outcome(&self, held: ClaimId, settlement: AttemptOutcome) -> Reply<bool> {
        self.idle.wake();
        self.insist(move |connection| Box::pin(record_outcome(connection, held, settlement)))
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.insist(move |connection| Box::pin(Tables::flow(connection, id)))
    }

    fn list(&self, state: FlowState, limit: usize) -> Reply<Vec<StoredFlow>> {
        self.insist(move |connection| Box::pin(Tables::flows(connection, state, limit)))
    }

    fn resubmit(&self, id: Uuid) -> Reply<bool> {
        self.idle.wake();
        self.insist(move |connection| {
            Box::pin(async move {
                let resubmitted = sqlx::query(
                    "UPDATE graceful_flows SET seq = nextval('graceful_flows_order'), state = 0, head = NULL, attempts = 0, \
                     resubmitted = resubmitted + 1, due = graceful_now(), error = NULL, ended_at = NULL \
                     WHERE id = $1 AND state <> 0",
                )
                .bind(id)
                .execute(connection)
                .await?;
                Ok(resubmitted.rows_affected() > 0)
            })
        })
    }

    fn probe(&self) -> Reply<()> {
        Reply::within(&self.runtime, self.clone().answers())
    }

    fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) -> BoxFuture<()> {
        Box::pin(self.clone().hear(wake))
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        let store = self.clone();
        Reply::pending(purge(move || {
            store.insist(move |connection| Box::pin(delete(connection, state, age)))
        }))
    }
}
