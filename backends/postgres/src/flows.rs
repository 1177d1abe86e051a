//! The store of durable flows.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    Action, ActionResult, AttemptOutcome, BoxFuture, Claim, ClaimId, Count, EventLog, FailedAttempt,
    FailureGroups, FlowFilter, FlowQuery, FlowState, FlowStore, FlowSummary, Idempotency, IdempotentAnswer,
    Lag, LiveRelay, Operations, Page, QueuedFlow, RelayInfo, Reply, Room, Share, StoredFlow, Subscriptions,
};
use graceful_sql::{
    PURGED_AT_ONCE,
    flows::state_number,
    lost_claim, purge,
    values::{count, length},
};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Failed, Store, Tables,
    batches::{Batched, Batches},
    outcomes::Outcome,
    text::escaped,
    transaction::may_prepare,
};

pub(super) async fn insert(connection: &mut PgConnection, flow: &QueuedFlow) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::default();
    push_insert(&mut query, flow, "");
    query.build().persistent(may_prepare()).execute(connection).await.map(drop)
}

/// Appends the insertion of a flow, under a condition.
pub(super) fn push_insert(query: &mut QueryBuilder<Postgres>, flow: &QueuedFlow, condition: &str) {
    query.push("INSERT INTO graceful_flows (id, entity, handler, body, lane) SELECT ");
    let mut values = query.separated(", ");
    values.push_bind(flow.id).push_bind(escaped(&flow.entity)).push_bind(escaped(&flow.handler));
    values.push_bind(&*flow.body).push_bind(flow.lane.number());
    query.push(condition).push(" ON CONFLICT (id) DO NOTHING");
}

/// Stores flows in their order. The server assigns their places in the order of the arrays.
async fn insert_all(connection: &mut PgConnection, flows: &[Arc<QueuedFlow>]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO graceful_flows (id, entity, handler, body, lane) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bigint[]) ON CONFLICT (id) DO NOTHING",
    )
    .bind(column(flows, |flow| flow.id))
    .bind(column(flows, |flow| escaped(&flow.entity)))
    .bind(column(flows, |flow| escaped(&flow.handler)))
    .bind(column(flows, |flow| &*flow.body))
    .bind(column(flows, |flow| flow.lane.number()))
    .execute(connection)
    .await
    .map(drop)
}

fn column<'a, T>(flows: &'a [Arc<QueuedFlow>], value: impl Fn(&'a QueuedFlow) -> T) -> Vec<T> {
    flows.iter().map(|flow| value(flow)).collect()
}

/// A flow without an answer.
impl Batched for QueuedFlow {
    type Answer = ();

    fn batches(store: &Store) -> &Batches<Self> {
        &store.waiting.flows
    }

    fn bytes(&self) -> usize {
        self.entity.len() + self.handler.len() + self.body.len()
    }

    fn time_limit(store: &Store) -> Option<Duration> {
        Some(store.timeout)
    }

    fn write(store: Store, flows: Vec<Arc<Self>>, limit: Duration) -> BoxFuture<Result<Vec<()>, Failed>> {
        Box::pin(async move {
            let answers = vec![(); flows.len()];
            let insert = store.attempted(store.breaker.attempt(), limit, move |connection| {
                Box::pin(async move {
                    match &*flows {
                        [flow] => insert(connection, flow).await,
                        flows => insert_all(connection, flows).await,
                    }
                })
            });
            insert.await?;
            Ok(answers)
        })
    }
}

/// Stores a flow and the answer of its call, or none of them: then it returns false.
async fn insert_answered(
    connection: &mut PgConnection,
    flow: &QueuedFlow,
    answer: &IdempotentAnswer,
) -> Result<bool, sqlx::Error> {
    let mut query = QueryBuilder::new("WITH answered AS (");
    Tables::push_answer(&mut query, answer);
    query.push(" RETURNING name), inserted AS (");
    push_insert(&mut query, flow, " WHERE EXISTS (SELECT FROM answered)");
    query.push(") SELECT EXISTS (SELECT FROM answered)");
    query.build_query_scalar().fetch_one(connection).await
}

async fn claim(
    connection: &mut PgConnection,
    room: Room,
    lease: Duration,
    claimer: Uuid,
) -> Result<Vec<Claim>, sqlx::Error> {
    let of_each = |what: fn(&Share) -> i64| room.shares.iter().map(what).collect::<Vec<_>>();
    let rows = sqlx::query(
        "SELECT id, token, attempts + (attempts = 0)::integer AS attempts, resubmitted, handler, lane, body, (NOT head)::integer::bigint AS follows \
         FROM graceful_claim($1, $2, $3, $4, $5, $6, $7, $8) ORDER BY min(seq) OVER (PARTITION BY entity), head DESC, seq",
    )
        .bind(count(room.flows))
        .bind(count(room.per_handler))
        .bind(length(lease))
        .bind(claimer)
        .bind(of_each(|share| share.lane.number()))
        .bind(of_each(|share| count(share.under_way)))
        .bind(of_each(|share| count(share.recent)))
        .bind(count(room.per_entity))
        .fetch_all(connection)
        .await?;
    Tables::decode_claims(&rows)
}

async fn delete(connection: &mut PgConnection, state: FlowState, age: Duration) -> Result<u64, sqlx::Error> {
    let purged: i64 = sqlx::query_scalar(
        "WITH purged AS ( \
             DELETE FROM graceful_flows WHERE seq IN (SELECT seq FROM graceful_flows WHERE state <> 0 AND state = $1 \
             AND ended_at <= graceful_now() - $2 LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id \
         ), attempts AS (DELETE FROM graceful_attempts WHERE flow IN (SELECT id FROM purged)) SELECT count(*) FROM purged",
    )
    .bind(state_number(state))
    .bind(length(age))
    .bind(i64::from(PURGED_AT_ONCE))
    .fetch_one(connection)
    .await?;
    Ok(purged.unsigned_abs())
}

/// Whether the server is a standby, the default of transactions is to read, or the role lacks a right.
async fn is_read_only(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let query = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean \
                 OR NOT has_table_privilege('graceful_flows', 'UPDATE') OR NOT has_table_privilege('graceful_operations', 'INSERT')";
    sqlx::query_scalar(query).fetch_one(connection).await
}

impl Store {
    fn act(&self, id: Uuid, action: Action, from: FlowState) -> Reply<ActionResult> {
        self.idle.wake();
        self.in_transaction(move |connection| Box::pin(Tables::act(connection, id, action, from, None)))
    }

    /// Runs a statement on claims, and returns the number of changed rows. It gets their ids and tokens, and a time.
    fn change_held(&self, held: Vec<ClaimId>, statement: &'static str, time: Duration) -> Reply<u64> {
        if held.is_empty() {
            return Reply::ready(0);
        }
        let (ids, tokens): (Vec<_>, Vec<_>) =
            held.into_iter().map(|ClaimId { id, token }| (id, token)).unzip();
        self.insist(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(statement).bind(ids).bind(tokens).bind(length(time));
                Ok(query.execute(connection).await?.rows_affected())
            })
        })
    }
}

/// It waits for no lock: whoever has it ends the flow, or has made it the head. A lease that is not extended lasts until the next time.
const EXTEND: &str = "UPDATE graceful_flows SET due = graceful_now() + $3 WHERE seq = ANY (ARRAY( \
        SELECT flow.seq FROM unnest($1::uuid[], $2::uuid[]) AS held (id, token) \
        JOIN graceful_flows AS flow USING (id, token) WHERE flow.state + 0 < 1 FOR NO KEY UPDATE OF flow SKIP LOCKED \
    )) AND state + 0 < 1";

/// Completes the flows before the first one whose claim is lost. They are locked in their order, as by the end of a head.
const COMPLETE: &str = "WITH locked AS MATERIALIZED ( \
        SELECT flow.seq, held.number FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS held (id, token, number) \
        JOIN graceful_flows AS flow USING (id, token) WHERE flow.state + 0 < 1 ORDER BY held.number FOR NO KEY UPDATE OF flow \
    ) \
    UPDATE graceful_flows SET state = 1, attempts = greatest(attempts, 1), token = NULL, ended_at = graceful_now() + $3 \
    WHERE seq = ANY (ARRAY( \
        SELECT seq FROM (SELECT seq, number, row_number() OVER (ORDER BY number) AS so_far FROM locked) AS one WHERE number = so_far \
    )) AND state + 0 < 1";

/// A flow that was never attempted keeps its place if it is due at once.
const HAND_BACK: &str = "UPDATE graceful_flows SET attempts = greatest(attempts - 1, 0), token = NULL, \
    due = CASE WHEN $3 = 0 AND attempts = 0 THEN least(stored_at, graceful_now()) ELSE graceful_now() + $3 END \
    WHERE seq = ANY (ARRAY( \
        SELECT flow.seq FROM unnest($1::uuid[], $2::uuid[]) AS held (id, token) \
        JOIN graceful_flows AS flow USING (id, token) WHERE flow.state + 0 < 1 ORDER BY flow.seq FOR NO KEY UPDATE OF flow \
    )) AND state + 0 < 1";

impl FlowStore for Store {
    fn enqueue(&self, mut flow: QueuedFlow) -> Reply<()> {
        self.idle.wake();
        let Some(answer) = flow.answer.take() else {
            return self.write(flow);
        };
        let stored = self.insist(move |connection| {
            Box::pin(async move { insert_answered(connection, &flow, &answer).await })
        });
        stored.and_then(|is_stored| is_stored.then_some(()).ok_or_else(lost_claim))
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
        self.change_held(held, EXTEND, lease).map(drop)
    }

    fn record_outcome(&self, held: ClaimId, outcome: AttemptOutcome) -> Reply<bool> {
        self.idle.wake();
        self.write(Outcome { held, outcome })
    }

    fn complete(&self, held: Vec<ClaimId>) -> Reply<bool> {
        self.idle.wake();
        let all = held.len() as u64;
        self.change_held(held, COMPLETE, Duration::ZERO).map(move |completed| completed == all)
    }

    fn hand_back(&self, held: Vec<ClaimId>, after: Duration) -> Reply<()> {
        self.change_held(held, HAND_BACK, after).map(drop)
    }

    fn get(&self, id: Uuid) -> Reply<Option<StoredFlow>> {
        self.insist(move |connection| Box::pin(Tables::flow(connection, id)))
    }

    fn flows(&self, query: FlowQuery) -> Reply<Page<FlowSummary>> {
        let query = Arc::new(query);
        self.for_operator(move |connection| {
            let query = Arc::clone(&query);
            Box::pin(async move { Tables::flows(connection, &query).await })
        })
    }

    fn count(&self, filter: FlowFilter, cap: u64) -> Reply<Count> {
        let filter = Arc::new(filter);
        self.for_operator(move |connection| {
            let filter = Arc::clone(&filter);
            Box::pin(async move { Tables::count(connection, &filter, cap).await })
        })
    }

    fn groups(&self, filter: FlowFilter, cap: u64) -> Reply<FailureGroups> {
        let filter = Arc::new(filter);
        self.for_operator(move |connection| {
            let filter = Arc::clone(&filter);
            Box::pin(async move { Tables::groups(connection, &filter, cap).await })
        })
    }

    fn attempts(&self, id: Uuid) -> Reply<Vec<FailedAttempt>> {
        self.for_operator(move |connection| Box::pin(Tables::attempts(connection, id)))
    }

    fn lag(&self, cap: u64) -> Reply<Lag> {
        self.for_operator(move |connection| Box::pin(Tables::lag(connection, cap)))
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
        Reply::within(&self.runtime, self.clone().answers())
    }

    fn is_read_only(&self) -> Reply<bool> {
        self.for_operator(|connection| Box::pin(is_read_only(connection)))
    }

    fn listen(&self, wake: Box<dyn Fn() + Send + Sync>) -> BoxFuture<()> {
        Box::pin(self.clone().hear(wake))
    }

    fn announce(&self, relay: RelayInfo) -> Reply<()> {
        self.run(move |connection| Box::pin(async move { Tables::announce(connection, &relay).await }))
    }

    fn withdraw(&self, relay: Uuid) -> Reply<()> {
        self.run(move |connection| Box::pin(Tables::withdraw(connection, relay)))
    }

    fn relays(&self) -> Reply<Vec<LiveRelay>> {
        self.insist(|connection| Box::pin(Tables::relays(connection)))
    }

    fn purge(&self, state: FlowState, age: Duration) -> Reply<u64> {
        let store = self.clone();
        Reply::pending(purge(move || {
            store.insist(move |connection| Box::pin(delete(connection, state, age)))
        }))
    }
}
