//! Events per second that 64 handlers append to the event log in PostgreSQL, compared with the same rows without a position: each handler by hand
//! writes the same envelope, and one writer inserts them in batches.
//!
//! `cargo bench -p graceful-benches-durable --bench append` prints the table. The variants take turns; the figures are medians. See `postgres` for
//! the server.

mod place;

use graceful::{Orchestrator, backends::Timestamp, orchestrate};
use graceful_benches::{
    by_hand::new_id,
    load::per_second,
    user::User,
    wire::{Message, sent},
};
use graceful_postgres::Store;
use serde_json::value::to_raw_value;
use sqlx::{PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use self::place::{execute, median, within_schema};

const SCHEMA: &str = "bench_append";
const ROUNDS: usize = 7;
const HANDLERS: u64 = 64;
const EVENTS: u64 = 64_000;

/// As many as the store appends at once.
const BATCH: usize = 1_000;

#[orchestrate(pattern = "user", id = user.id, event = "user_updated")]
async fn update_user(user: User) -> Result<User, graceful::Code> {
    Ok(user)
}

fn user(id: u64) -> User {
    User::sample(id, true, graceful_benches::user::JSON)
}

async fn by_graceful(store: Store) -> f64 {
    let orchestrator =
        Orchestrator::builder().service("users").events(store).build().expect("it is complete");
    per_second(HANDLERS, EVENTS, move |task, number| {
        let call = orchestrator.scope(update_user(user(task * EVENTS + number)));
        async move { drop(call.await) }
    })
    .await
}

/// The columns of a row that differ.
type Row = (Uuid, String, String, i64);

/// The same rows, without a position.
async fn by_hand(pool: PgPool) -> f64 {
    let (rows, mut received) = mpsc::channel::<(Row, oneshot::Sender<()>)>(1024);
    let writer = tokio::spawn(async move {
        let mut batch = Vec::new();
        while received.recv_many(&mut batch, BATCH).await > 0 {
            let (rows, waiting): (Vec<Row>, Vec<_>) = batch.drain(..).unzip();
            insert(&pool, rows).await;
            for caller in waiting {
                let _ = oneshot::Sender::<()>::send(caller, ());
            }
        }
    });
    let rate = per_second(HANDLERS, EVENTS, move |task, number| {
        let rows = rows.clone();
        async move {
            let user = user(task * EVENTS + number);
            let (at, entity) = (Timestamp::now(), user.id.to_string());
            let id = new_id(at);
            let result = to_raw_value(&user).expect("a user is JSON");
            let message = Message {
                id,
                name: "user_updated",
                pattern: "user",
                entity: &entity,
                at,
                code: "OK",
                message: "user updated",
                result: Some(&result),
            };
            message.publish();
            let payload = String::from_utf8(sent()).expect("JSON");
            let (waiting, committed) = oneshot::channel();
            let row = (id, entity, payload, user.id.cast_signed());
            rows.send((row, waiting)).await.expect("the writer runs");
            committed.await.expect("it is written");
        }
    });
    let rate = rate.await;
    writer.await.expect("it ends");
    rate
}

async fn insert(pool: &PgPool, rows: Vec<Row>) {
    let (mut ids, mut entities, mut payloads, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, entity, payload, hash) in rows {
        ids.push(id);
        entities.push(entity);
        payloads.push(payload);
        hashes.push(hash);
    }
    sqlx::query(
        "INSERT INTO events_by_hand (id, aggregatetype, aggregateid, type, payload, source, tenant, entity, at) \
         SELECT id, 'user', aggregateid, 'user_updated', payload, 'users', '', entity, $5 \
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) AS given (id, aggregateid, payload, entity)",
    )
    .bind(ids)
    .bind(entities)
    .bind(payloads)
    .bind(hashes)
    .bind(Timestamp::now().as_microsecond())
    .execute(pool)
    .await
    .expect("rows are inserted");
}

async fn compare(connection: &mut PgConnection, url: &str) {
    Store::migrate(url).await.expect("tables");
    let store = Store::connect(url).await.expect("a store");
    let pool = PgPoolOptions::new().connect(url).await.expect("a pool");
    execute(
        connection,
        "CREATE TABLE events_by_hand (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text NOT NULL, type text NOT NULL, \
         payload text NOT NULL, source text NOT NULL, tenant text NOT NULL, entity bigint NOT NULL, at bigint NOT NULL)",
    )
    .await;
    let (mut ours, mut hand) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        execute(connection, "TRUNCATE graceful_events, events_by_hand").await;
        hand.push(by_hand(pool.clone()).await);
        ours.push(by_graceful(store.clone()).await);
    }
    let (ours, hand) = (median(ours), median(hand));
    println!("by hand, without a position: {hand:.0}/s");
    println!("graceful: {ours:.0}/s, ratio {:.2} (goal 0.8)", ours / hand);
    drop(store);
    pool.close().await;
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(within_schema(SCHEMA, compare));
}
